# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens in the middle of a restart: a stop flag, a host, a load balancer and a controller that go away."""

from __future__ import annotations

import json

import pytest
from integration.restart.shops import EDGE_PORT, HOSTS, Load, on, wait_until

SECOND_TURN = "Turn | Restart app2/bell"
LOCK = "/var/lib/evenkeel/bell/lock.json"


def serving_and_unlocked(bells):
    assert bells.states() == dict.fromkeys(HOSTS, "ready")
    assert not on("edge1", "ls /var/lib/evenkeel/bell/lock.json", strict=False)


def test_a_stop_in_the_middle_leaves_everybody_in_traffic(bells):
    before = bells.pids()
    try:
        done = bells.restart_until("Turn | Restart app1/bell",
                                   lambda: bells.play("stop", stop_reason="enough", stop_operator="carol"))
    finally:
        assert bells.play("stop", stop_state="absent").rc == 0
    assert done.rc != 0
    assert "stopped by carol: enough" in done.text
    assert "app3/bell: untouched: app" in done.text
    assert bells.pids()["app3"] == before["app3"]
    serving_and_unlocked(bells)


@pytest.mark.faults
def test_a_host_that_does_not_answer_any_more_is_parked_and_capacity_holds(bells):
    before = bells.pids()
    try:
        done = bells.restart_until(SECOND_TURN, lambda: on("app2", "systemctl stop ssh; pkill sshd", strict=False),
                                   "tests/lab/ssh.yml")
    finally:
        on("app2", "systemctl start ssh")
    assert done.rc != 0
    assert "1 of 3 instances restarted; parked: app2/bell; untouched: app3/bell" in done.text
    assert "app2/bell: PARKED after attempt 1: its host does not answer any more" in done.text
    assert bells.pids()["app3"] == before["app3"]
    assert not on("edge1", "ls /var/lib/evenkeel/bell/lock.json", strict=False)


@pytest.mark.faults
def test_without_the_load_balancer_nobody_else_begins(bells):
    before = bells.pids()
    try:
        done = bells.restart_until("Instance | Note that it is done", lambda: on("edge1", "systemctl stop haproxy"))
    finally:
        on("edge1", "systemctl start haproxy")
    assert done.rc != 0
    assert "the load balancer edge1 does not say who is in service" in done.text
    after = bells.pids()
    assert [before[host] == after[host] for host in HOSTS] == [False, True, True]
    serving_and_unlocked(bells)


@pytest.mark.faults
def test_a_controller_that_is_killed_leaves_one_out_of_traffic_and_return_all_repairs_it(bells):
    bells.set("app1", "text=one\nboot=6")
    before = bells.pids()
    try:
        with Load(f"http://edge1:{EDGE_PORT}") as load:
            bells.kill_restart(lambda: bells.pids()["app1"] not in (before["app1"], "0"),
                               graceful_restart_lock_ttl_s=600)
            wait_until(lambda: on("app1", "systemctl is-active bell", strict=False) == "active", 30)
        bells.set("app1", "text=one")
        assert load.metrics["errors"] == 0, load.result
        # It runs again, since systemd was told so; nobody gives it its traffic back. The others never had their turn.
        assert bells.states() == {"app1": "maint", "app2": "ready", "app3": "ready"}
        left = bells.pids()
        assert {host: before[host] == left[host] for host in HOSTS} == {"app1": False, "app2": True, "app3": True}
        lock = json.loads(on("edge1", f"cat {LOCK}"))

        same = bells.restart()
        assert same.rc != 0
        assert "Nothing was changed." in same.text
        assert "app2/bell cannot be restarted: bell would have 1 in service of at least 2" in same.text
        other = bells.restart(graceful_restart_return_all=True, graceful_restart_operator="bob@desk")
        assert other.rc != 0
        assert f"The lock is held by {lock['holder']} (run {lock['run']})" in other.text
        assert bells.pids() == left

        # The operator whose controller it was, on its machine, need not wait until the lock expires.
        done = bells.restart(graceful_restart_return_all=True)
        assert done.rc == 0, done.output
        assert int(on("edge1", "date +%s")) < lock["expires_at"]
        assert done.turns == ["app1/bell", "app2/bell", "app3/bell"]
        after = bells.pids()
        assert all(left[host] != after[host] for host in HOSTS)
        assert [on(host, "systemctl is-active bell") for host in HOSTS] == ["active"] * len(HOSTS)
        serving_and_unlocked(bells)
    finally:
        on("edge1", f"rm -f {LOCK}")
