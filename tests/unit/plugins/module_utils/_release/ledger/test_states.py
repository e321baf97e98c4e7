# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""States: a run can only go forward, be aborted, and settle."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger import states
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.states import check_transition
from hypothesis import given
from hypothesis import strategies as st

RECORDS = st.tuples(st.sampled_from(states.STATES), st.sampled_from(states.PHASES))


def record(state: str, phase: str = states.RESULT) -> dict[str, str]:
    return {"state": state, "phase": phase}


def walk(steps):
    """Return the steps that are legal one after the other, leaving out those that are not."""
    taken = []
    for state, phase in steps:
        try:
            check_transition(taken[-1] if taken else None, record(state, phase))
        except FleetError:
            continue
        taken.append(record(state, phase))
    return taken


def test_the_whole_way_forward_is_legal():
    taken = walk((state, phase) for state in states.FORWARD for phase in states.PHASES)
    assert [step["state"] for step in taken if step["phase"] == states.RESULT] == list(states.FORWARD)


def test_optional_steps_may_be_left_out_and_no_others():
    short = [state for state in states.FORWARD if state not in states.OPTIONAL]
    assert [step["state"] for step in walk((state, states.RESULT) for state in short)] == short
    with pytest.raises(FleetError, match="SWITCHED may not follow the result of STAGED"):
        check_transition(record(states.STAGED), record(states.SWITCHED))


@pytest.mark.parametrize("state", states.FORWARD[:-1])
@pytest.mark.parametrize("phase", states.PHASES)
def test_every_step_can_be_aborted(state, phase):
    check_transition(record(state, phase), record(states.ABORTING, states.INTENT))


def test_an_open_intent_is_closed_before_the_next_step():
    with pytest.raises(FleetError, match="the intent of VERIFIED"):
        check_transition(record(states.VERIFIED, states.INTENT), record(states.SWITCHED, states.INTENT))


def test_the_intent_to_commit_may_be_taken_back():
    check_transition(record(states.COMMITTED, states.INTENT), record(states.SOAKING))
    for state in set(states.STATES) - {states.SOAKING, states.COMMITTED, states.ABORTING}:
        with pytest.raises(FleetError):
            check_transition(record(states.COMMITTED, states.INTENT), record(state))


@pytest.mark.parametrize("state", [states.COMMITTED, states.ROLLED_BACK, ""])
def test_a_settled_host_begins_with_a_plan(state):
    last = record(state) if state else None
    check_transition(last, record(states.PLANNED))
    for other in set(states.STATES) - {states.PLANNED}:
        with pytest.raises(FleetError):
            check_transition(last, record(other))


@given(st.lists(RECORDS, max_size=60))
def test_committed_is_only_reached_through_verified_and_switched(steps):
    taken = walk(steps)
    for number, step in enumerate(taken):
        if step == record(states.COMMITTED):
            run = taken[:number]
            begin = max(i for i, one in enumerate(run) if one["state"] == states.PLANNED)
            passed = {one["state"] for one in run[begin:] if one["phase"] == states.RESULT}
            assert {states.STAGED, states.VERIFIED, states.SWITCHED} <= passed
            assert states.ABORTING not in passed


@given(st.lists(RECORDS, max_size=60))
def test_frozen_is_left_only_by_going_back(steps):
    taken = walk(steps)
    for before, after in zip(taken, taken[1:]):
        if before["state"] == states.FROZEN:
            assert after["state"] in (states.FROZEN, states.ABORTING, states.ROLLED_BACK)
