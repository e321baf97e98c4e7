# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stop flag set in the middle of a rollout: one release everywhere, a true ledger, and who stopped it and why."""

from __future__ import annotations

import threading

import pytest
from integration.rollout.faults import SHORT

WHY = "the shop is on television"
SAID = f"stopped by carol: {WHY}"


@pytest.fixture
def flag(fleet):
    """Set the flag as people do; it is gone after the test."""
    def set_it():
        done = fleet.play("stop", stop_reason=WHY, stop_operator="carol")
        assert done.rc == 0, done.output

    yield set_it
    done = fleet.play("stop", stop_state="absent")
    assert done.rc == 0, done.output
    assert fleet.play("stop", stop_state="absent").changed == 0


@pytest.mark.parametrize("moment", [
    "Gate | Send load",
    *(pytest.param(moment, marks=pytest.mark.faults) for moment in (
        "Lock | Take it", "Step | stage", "Start | Bring the new slot up", "Switch | New in, old out",
        "Wave | Gates on the whole service", "Settle | Soak")),
])
def test_a_stop_in_the_middle_sends_every_host_back(fleet, flag, moment):
    done = fleet.play_until(moment, flag, "rollout", release_name="v2", rollout_soak_s=4)
    assert done.rc == 2, done.output
    output = done.text
    assert "rollout of pitch to v2: rolled back on every host" in output
    assert SAID in output
    assert done.failed_requests == 0, done.output
    assert fleet.is_on("v1")
    for found in fleet.ledgers().values():
        assert found["stop"]["set"]
        last = found["status"]["run"]
        steps = [record for record in found["records"] if record["run"] == last]
        if found["status"]["release"] == "v2":
            assert steps[-1]["state"] == "ROLLED_BACK"
            reasons = [step["data"]["reason"] for step in steps if step["data"].get("reason")]
            assert any(SAID in reason for reason in reasons), reasons
    if moment == "Settle | Soak":
        back = [found["records"][-1]["time"] for found in fleet.ledgers().values()]
        assert back[0] > max(back[1:])  # the newest wave first, the canary last


@pytest.mark.faults
@pytest.mark.parametrize(("moment", "more"), [
    ("Start | Bring the new slot up",
     {"rollout_hooks": {"before_switch": [{"name": "last", "command": "true", "timeout_s": 5}]}}),
    ("Wave | Gates on the whole service", {}),
    ("Settle | Soak", {}),
])
def test_a_pause_outlives_the_guard_and_ends_with_the_flag(fleet, flag, moment, more):
    """Set in the first wave before or after its switch, or in the soak; unless renewed, the guards fire meanwhile."""
    lifts = []

    def pause():
        assert fleet.play("stop", stop_state="paused", stop_reason=WHY, stop_operator="carol").rc == 0
        lifts.append(threading.Timer(60, fleet.play, ["stop"], {"stop_state": "absent"}))
        lifts[0].start()

    done = fleet.play_until(moment, pause, "rollout", release_name="v2",
                            **{**SHORT, **more, "rollout_guard_ttl_s": 32, "rollout_soak_s": 4})
    assert done.rc == 0, done.output
    lifts[0].join()
    assert f"paused by carol: {WHY}. It goes on after" in done.text
    assert done.output.count("TASK [evenkeel.fleet.rollout : Pause | Wait a part]") >= 3
    assert done.failed_requests == 0
    assert fleet.is_on("v2")
    assert fleet.play("rollback", rollback_to="previous").rc == 0


def test_no_run_begins_while_the_flag_is_set(fleet, flag):
    flag()
    before = fleet.ledgers()
    done = fleet.play("rollout", release_name="v2")
    assert done.rc != 0
    assert SAID in done.text
    assert done.changed == 0
    after = fleet.ledgers()
    assert {host: found["records"] for host, found in after.items()} == {
        host: found["records"] for host, found in before.items()}


def test_a_request_that_means_nothing_is_refused(fleet):
    done = fleet.play("stop", stop_state="no")
    assert done.rc != 0
    assert "stop_state: expected present, paused or absent, found no. Nothing was changed." in done.text
    assert done.changed == 0
