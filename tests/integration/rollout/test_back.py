# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook rollback while a rollout is not committed: its guards send it back, without waiting for its lock."""

from __future__ import annotations

import json
import re
import signal

import pytest
from integration.rollout.faults import SHORT, Machines, Users, kill_at, one_release, settled, wait_until
from integration.rollout.fleet import QUICK

SOAK = "Soak | Wait"


@pytest.fixture
def during(fleet):
    """Run a playbook, and others as soon as it soaks; return its end and theirs."""
    def run(playbook, *others, **variables):
        ended = []
        whole = fleet.play_until(SOAK, lambda: ended.extend(fleet.play(*one, **QUICK) for one in others), playbook,
                                 **{**QUICK, "rollout_soak_s": 30, "release_guard_look_s": 5, **variables})
        return whole, *ended
    return run


def test_a_rollout_that_soaks_is_sent_back_at_once(fleet, during):
    rollout, looked, back, again = during(
        "rollout", ("rollback", "--check"), ("rollback", "-e", "rollback_reason=slow"), ("rollback",),
        release_name="v2", rollout_watch=True, release_guard_look_s=8)
    assert (looked.rc, back.rc, again.rc) == (0, 0, 0), looked.output + back.output + again.output
    assert "Would send run" in looked.text
    assert "Sent run" in back.text
    assert "Sent run" in again.text  # and not to the release before that one, while the hosts are still at it
    assert rollout.rc == 2, rollout.output
    assert "rollout of pitch to v2: rolled back on every host" in rollout.text
    assert "asked for it (slow)" in rollout.text
    assert rollout.failed_requests == 0
    assert fleet.is_on("v1")


@pytest.mark.faults
@pytest.mark.parametrize("playbook", ["rollback", "stop"])
def test_a_long_soak_ends_when_the_rollout_was_sent_back_or_stopped(fleet, playbook):
    """It is in parts of 14 s; those that are left are not waited for."""
    try:
        done = fleet.play_until(SOAK, lambda: fleet.play(playbook, **QUICK), "rollout", release_name="v2",
                                **{**SHORT, "rollout_soak_s": 120, "rollout_watch": False})
    finally:
        fleet.play("stop", stop_state="absent")
    assert done.rc == 2, done.output
    waits = re.findall(r"TASK \[.*Soak \| Wait\] \*+\n(\w+)", done.output)
    assert (waits[0], waits[-1]) == ("ok", "skipping"), waits
    assert fleet.is_on("v1")


@pytest.mark.faults
def test_a_load_balancer_that_has_gone_back_at_the_commit_keeps_everybody_from_it(fleet):
    """Every host has recorded that it is ready; the guard fires before its order is taken away."""
    machines = Machines(fleet)
    order = machines.kept(fleet.edge, "guard-balancer.json")

    def end():
        order.write_text(json.dumps({**json.loads(order.read_text()), "until_s": 0,
                                     "ended": {"by": "alice", "reason": "slow"}}))

    done = fleet.play_until("Settle | Commit, if nobody objects", end, "rollout", release_name="v2", **QUICK)
    assert done.rc == 2, done.output
    assert "rollout of pitch to v2: rolled back on every host" in done.text
    assert "because alice asked for it (slow)" in done.text
    assert fleet.is_on("v1")


@pytest.mark.faults
def test_a_rollback_is_not_sent_back_by_another_one(fleet, during):
    for release in ("v2", "v1"):
        assert fleet.play("deploy", release_name=release).rc == 0
    first, second = during("rollback", ("rollback",))
    assert second.rc != 0
    assert "The lock is held by" in second.text
    assert first.rc == 0, first.output
    assert fleet.is_on("v2")
    assert fleet.play("deploy", release_name="v1").rc == 0


@pytest.mark.faults
def test_what_was_before_is_not_asked_for_while_a_rollout_commits(fleet):
    """Its guards have no orders any more, and which release is the one before is about to change."""
    machines, host = Machines(fleet), fleet.hosts[-1]
    kill_at(machines, "v2", host, "SOAKING", "result", signal.SIGKILL, rollout_guard_ttl_s=240, rollout_soak_s=30)
    last = machines.last(host)
    run = {"service": "pitch", "run": last["run"], "token": last["token"]}
    fleet.ask("edge", "evenkeel.fleet.release", json.dumps({**run, "action": "disarm"}))
    fleet.ask(host, "evenkeel.fleet.release", json.dumps({
        **run, "action": "record", "release": "v2", "host": host, "operator": "alice",
        "records": [{"state": "COMMITTED", "phase": "intent"}]}))
    back = fleet.play("rollback")
    assert (back.rc, back.changed) == (2, 0), back.output
    assert f"found that run {last['run']} commits v2 on {host}. Nothing was changed" in back.text
    again = fleet.play("rollout", release_name="v2", **QUICK)
    assert again.rc == 0, again.output
    assert fleet.is_on("v2")
    back = fleet.play("rollback", **QUICK)
    assert back.rc == 0, back.output
    assert fleet.is_on("v1")


@pytest.mark.faults
def test_a_rollout_whose_controller_is_gone_is_sent_back_at_once(fleet):
    machines = Machines(fleet)
    with Users(machines.address) as users:
        kill_at(machines, "v2", fleet.hosts[-1], "SOAKING", "result", signal.SIGKILL, rollout_guard_ttl_s=240,
                rollout_soak_s=30)
        back = fleet.play("rollback", "-e", "rollback_to=previous")
        assert back.rc == 0, back.output
        assert machines.guard()["state"] == "fired"
        wait_until(lambda: settled(machines), 60, 0.5)
        assert one_release(machines, users) == "v1"
        assert fleet.play("rollout", release_name="v2", **QUICK).rc == 0
        assert fleet.play("rollout", release_name="v1", **QUICK).rc == 0
    assert users.failed == []
