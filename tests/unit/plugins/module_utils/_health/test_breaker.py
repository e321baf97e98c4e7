# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.breaker import (
    CLOSED,
    HALF_OPEN,
    OPEN,
    Breaker,
    Limits,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

DEFAULTS = Limits()


def fed(outcomes, limits=DEFAULTS, now=0.0):
    breaker = Breaker(limits)
    for outcome in outcomes:
        breaker.record(outcome, now)
    return breaker


def test_five_failures_in_a_row_open_it():
    assert fed([False] * 4).state(0) == CLOSED
    assert fed([False] * 4 + [True] + [False] * 4).state(0) == CLOSED
    assert fed([False] * 5).state(0) == OPEN


def test_half_of_twenty_open_it_and_half_of_nineteen_do_not():
    assert fed([True, False] * 9 + [True]).state(0) == CLOSED
    assert fed([True, False] * 10).state(0) == OPEN
    assert fed([True, True, False] * 20).state(0) == CLOSED


def test_the_wait_doubles_up_to_the_limit_and_starts_again_after_a_good_look():
    breaker, now, waits = fed([False] * 5), 0.0, []
    for dummy in range(6):
        waits.append(breaker.wait_s(now))
        assert breaker.state(now + waits[-1] - 0.001) == OPEN
        now += waits[-1]
        assert breaker.state(now) == HALF_OPEN
        breaker.record(False, now)
    assert waits == [30, 60, 120, 240, 300, 300]
    now += 300
    breaker.record(True, now)
    assert breaker.state(now) == CLOSED
    for dummy in range(5):
        breaker.record(False, now)
    assert breaker.wait_s(now) == 30


def test_a_clock_that_was_set_back_does_not_keep_it_open():
    assert fed([False] * 5, now=1e9).state(1e6) == HALF_OPEN


LIMITS = st.builds(
    lambda failures, share, calls, open_s, more: Limits(failures, share, calls, open_s, open_s + more),
    st.integers(1, 8), st.floats(0.05, 1), st.integers(1, 30), st.floats(0.5, 100), st.floats(0, 1000),
)  # fmt: skip


@given(LIMITS, st.lists(st.booleans(), max_size=60))
def test_closed_means_that_no_limit_was_reached_since_it_was_new(limits, outcomes):
    breaker = Breaker(limits)
    for number, outcome in enumerate(outcomes, 1):
        breaker.record(outcome, 0)
        seen = outcomes[:number]
        streak = number if not any(seen) else list(reversed(seen)).index(True)
        window = seen[-limits.calls :]
        full = len(window) == limits.calls and window.count(False) >= limits.share * limits.calls
        if streak >= limits.failures or (not outcome and full):
            assert breaker.state(0) == OPEN
            return
        assert breaker.state(0) == CLOSED


class Life(RuleBasedStateMachine):
    """Outcomes and time in any order, the state going through a file now and then."""

    def __init__(self):
        super().__init__()
        self.now = 1000.0
        self.breaker = Breaker(DEFAULTS)

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds):
        before = self.breaker.state(self.now)
        self.now += seconds
        after = self.breaker.state(self.now)
        assert after == before or (before, after) == (OPEN, HALF_OPEN)

    @rule(good=st.booleans())
    def look(self, good):
        before, wait_s = self.breaker.state(self.now), self.breaker.wait_s(self.now)
        self.breaker.record(good, self.now)
        after = self.breaker.state(self.now)
        if before == OPEN:
            assert (after, self.breaker.wait_s(self.now)) == (OPEN, wait_s)
        elif before == HALF_OPEN:
            assert after == (CLOSED if good else OPEN)
        elif good:
            assert after == CLOSED

    @rule()
    def through_a_file(self):
        state = json.loads(json.dumps(self.breaker.to_dict()))
        self.breaker = Breaker.from_dict(DEFAULTS, state)
        assert self.breaker.to_dict() == state

    @invariant()
    def waits_are_bounded(self):
        assert 0 <= self.breaker.wait_s(self.now) <= DEFAULTS.open_max_s
        assert (self.breaker.wait_s(self.now) > 0) == (self.breaker.state(self.now) == OPEN)

    @invariant()
    def it_never_stays_open(self):
        assert self.breaker.state(self.now + DEFAULTS.open_max_s) != OPEN


TestLife = Life.TestCase


@pytest.mark.parametrize(
    "wrong",
    [{"failures": 0}, {"calls": 0}, {"share": 0}, {"share": 1.1}, {"open_s": 0}, {"open_s": 31, "open_max_s": 30}],
)
def test_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match=f"breaker: .*{next(iter(wrong))}"):
        Limits(**wrong)
