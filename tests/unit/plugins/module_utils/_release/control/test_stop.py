# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stop flag: honoured before every step, never in the way of going back, gone when it expires."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release import actions
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.control.stop import (
    StopFlag,
    Stopped,
    begins_a_step,
)
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.info import read
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.states import FORWARD

COMMON = {"release": "v2", "token": 1, "host": "app1", "operator": "bob"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def directory(tmp_path):
    return str(tmp_path)


def stop(directory, run="any", **options):
    return actions.ACTIONS["stop"](**{"service": "shop", "run": run, "holder": "alice", "reason": "on television",
                                      "ttl_s": 60, "directory": directory, **options})


def clear(directory, run="any", **options):
    return actions.ACTIONS["clear"](service="shop", run=run, directory=directory, **options)


def record(directory, *records, run="r1"):
    return actions.record("shop", run, records=[dict(zip(("state", "phase"), one)) for one in records],
                          directory=directory, **COMMON)


@pytest.mark.parametrize("call", [
    lambda directory: actions.lock("shop", "r1", "bob", 60, directory),
    lambda directory: actions.lock("shop", "r1", "bob", 60, directory, check_mode=True),
    lambda directory: actions.renew("shop", "r1", 60, directory),
    lambda directory: record(directory, ("PLANNED", "result"), ("STAGED", "intent")),
])
def test_nothing_begins_while_it_is_set(directory, call):
    stop(directory)
    with pytest.raises(Stopped, match="stopped by alice: on television") as caught:
        call(directory)
    assert "-e stop_state=absent, or wait until it expires in" in caught.value.remedy
    assert read("shop", directory)["records"] == []


def test_what_was_begun_is_settled(directory):
    record(directory, ("PLANNED", "result"), ("STAGED", "intent"))
    stop(directory)
    record(directory, ("STAGED", "result"))
    with pytest.raises(Stopped):
        record(directory, ("VERIFIED", "intent"))
    record(directory, ("ABORTING", "intent"))
    record(directory, ("ABORTING", "result"), ("ROLLED_BACK", "result"))
    assert actions.unlock("shop", "r1", directory)["changed"] is False
    assert read("shop", directory)["status"]["state"] == "ROLLED_BACK"


def test_every_step_before_the_commit_can_be_stopped():
    stoppable = [state for state in FORWARD if begins_a_step({"state": state, "phase": "intent"})]
    assert stoppable == list(FORWARD[:-1])
    assert not any(begins_a_step({"state": state, "phase": "result"}) for state in FORWARD)
    assert not begins_a_step({"state": "ABORTING", "phase": "intent"})


def test_it_stops_the_run_that_it_names_and_no_other(directory):
    stop(directory, run="r1")
    with pytest.raises(Stopped):
        record(directory, ("PLANNED", "intent"))
    actions.lock("shop", "r2", "bob", 60, directory)
    record(directory, ("PLANNED", "result"), ("STAGED", "intent"), run="r2")
    assert read("shop", directory)["stop"]["by"] == "alice"


def test_it_expires(directory):
    clock = Clock()
    flag = StopFlag("shop", directory, clock)
    assert flag.set("any", "alice", "", 60) == {"set": True, "run": "any", "by": "alice", "reason": "", "pause": False,
                                                "set_at": 1000.0, "age_s": 0.0, "expires_in_s": 60.0}
    clock.now += 59
    with pytest.raises(Stopped, match="stopped by alice: no reason was given"):
        flag.check("r1")
    clock.now += 1
    flag.check("r1")
    assert flag.read() == {"set": False}


def test_set_and_cleared_twice(directory):
    assert stop(directory, check_mode=True) == {"changed": True, "stop": {"set": False}}
    assert stop(directory)["changed"] is True
    assert stop(directory)["changed"] is False
    assert stop(directory, reason="still on television")["stop"]["reason"] == "still on television"
    assert clear(directory, run="r1")["changed"] is False
    assert clear(directory, check_mode=True)["stop"]["set"] is True
    assert clear(directory) == {"changed": True, "stop": {"set": False}}
    assert clear(directory)["changed"] is False
    stop(directory, run="r1")
    assert clear(directory, run="r1")["changed"] is True


def test_a_time_to_live_that_means_nothing_is_refused(directory):
    with pytest.raises(InputError, match="ttl_s"):
        stop(directory, ttl_s=0)


def test_a_pause_lets_nobody_begin_and_what_has_begun_go_on(directory):
    found = actions.lock("shop", "r1", "bob", 60, directory)
    assert stop(directory, pause=True)["stop"]["pause"]
    assert stop(directory, pause=True)["changed"] is False
    with pytest.raises(Stopped, match="paused by alice: on television"):
        actions.lock("shop", "r2", "carol", 60, directory)
    paused = actions.renew("shop", "r1", 60, directory, token=found["lock"]["token"])["paused"]
    assert (paused["by"], paused["reason"]) == ("alice", "on television")
    assert record(directory, ("PLANNED", "result"), ("STAGED", "intent"))["changed"]
    assert stop(directory)["changed"], "a stop takes its place"
    with pytest.raises(Stopped, match="stopped by alice"):
        actions.renew("shop", "r1", 60, directory)
    clear(directory)
    assert actions.renew("shop", "r1", 60, directory)["paused"] == {}


def test_another_run_is_not_paused(directory):
    stop(directory, run="r9", pause=True)
    assert actions.lock("shop", "r1", "bob", 60, directory)["changed"]
    assert actions.renew("shop", "r1", 60, directory)["paused"] == {}
