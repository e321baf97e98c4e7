# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order in which a rollout is sent back."""

from __future__ import annotations

from ansible_collections.evenkeel.fleet.plugins.module_utils._release.control.settling import way_back
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.states import STATES, UNTOUCHED
from hypothesis import given
from hypothesis import strategies as st


def plan_of(*waves):
    return {"hosts": [host for wave in waves for host in wave],
            "waves": [{"number": number, "name": f"wave {number}", "hosts": list(wave)}
                      for number, wave in enumerate(waves, 1)]}


def at(**states):
    return {host: {"status": {"state": state}} for host, state in states.items()}


def test_the_newest_that_has_begun_comes_first_and_the_others_at_once_at_the_end():
    plan = plan_of(["a"], ["b", "c"], ["d", "e"], ["f"])
    found = way_back(plan, at(a="SOAKING", b="SOAKING", c="SOAKING", d="VERIFIED", e="STAGED", f="STAGED"))
    assert [(wave["name"], wave["hosts"]) for wave in found] == [
        ("wave 3", ["d"]), ("wave 2", ["b", "c"]), ("wave 1", ["a"]), ("not begun", ["e", "f"])]


def test_who_does_not_answer_may_have_begun():
    ledgers = {**at(a="STAGED"), "b": {"unreachable": True}, "c": {"failed": True, "status": None}}
    assert [wave["hosts"] for wave in way_back(plan_of(["a", "b"], ["c"]), ledgers)] == [["c"], ["b"], ["a"]]


@given(st.lists(st.lists(st.sampled_from(STATES), min_size=1, max_size=3), max_size=5))
def test_every_host_comes_once(states):
    waves = [[f"{number}-{index}" for index in range(len(wave))] for number, wave in enumerate(states)]
    state_of = {f"{number}-{index}": one for number, wave in enumerate(states) for index, one in enumerate(wave)}
    found = way_back(plan_of(*waves), {host: {"status": {"state": state}} for host, state in state_of.items()})
    hosts = [host for wave in found for host in wave["hosts"]]
    assert sorted(hosts) == sorted(state_of)
    begun = [state_of[host] not in UNTOUCHED for host in hosts]
    assert begun == sorted(begun, reverse=True)
    assert all(wave["hosts"] for wave in found)
