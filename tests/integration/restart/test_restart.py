# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook restart on systemd units behind the load balancer, under load."""

from __future__ import annotations

import subprocess

import pytest
from integration.restart.shops import BELL, EDGE_PORT, HOSTS, PROGRAM, Load, on

EDGE_URL = f"http://edge1:{EDGE_PORT}"


@pytest.mark.parametrize("keep_alive", [True, pytest.param(False, marks=pytest.mark.faults)])
def test_a_restart_of_all_under_load_fails_no_request(bells, keep_alive):
    before = bells.pids()
    with Load(EDGE_URL, keep_alive=keep_alive) as load:
        done = bells.restart()
    assert done.rc == 0, done.output
    assert load.metrics["errors"] == 0, load.result
    assert load.metrics["requests"] > 500
    after = bells.pids()
    assert all(before[host] != after[host] for host in HOSTS)
    assert bells.states() == dict.fromkeys(HOSTS, "ready")
    assert done.turns == ["app1/bell", "app2/bell", "app3/bell"]


def test_check_mode_prints_the_plan_and_changes_nothing(bells):
    before = bells.pids()
    done = bells.restart("--check", "--diff")
    assert (done.rc, done.changed) == (0, 0), done.output
    assert "restart of 3 instances in 3 turns" in done.text
    assert "1. app1/bell: restart, because it can neither reload nor be activated by a socket; now healthy" in done.text
    assert "bell: 2 of 3 in service meanwhile, at least 2" in done.text
    assert bells.pids() == before
    assert not on("edge1", "ls /var/lib/evenkeel/bell/lock.json", strict=False)


def test_a_plan_that_cannot_hold_is_refused(bells):
    before = bells.pids()
    done = bells.restart(graceful_restart_min_available="100%")
    assert done.rc != 0
    assert "Nothing was changed." in done.text
    assert "app1/bell cannot be restarted: bell would have 2 in service of at least 3" in done.text
    assert (bells.pids(), done.changed) == (before, 0)


def test_a_second_run_of_what_is_needed_changes_nothing(bells):
    on("app2", f"touch {PROGRAM}")
    on("app3", "printf '\\n[Unit]\\nDescription=changed\\n' >> /etc/systemd/system/bell.service")
    before = bells.pids()
    done = bells.restart(graceful_restart_only_if="needed")
    assert done.rc == 0, done.output
    assert done.turns == ["app2/bell", "app3/bell"]
    after = bells.pids()
    assert {host: before[host] != after[host] for host in HOSTS} == {"app1": False, "app2": True, "app3": True}
    again = bells.restart(graceful_restart_only_if="needed")
    assert (again.rc, again.changed) == (0, 0), again.output
    assert "Nothing to do" in again.text


def test_the_stop_flag_is_honoured(bells):
    before = bells.pids()
    assert bells.play("stop", stop_reason="not now", stop_operator="carol").rc == 0
    try:
        done = bells.restart()
        assert done.rc != 0
        assert "stopped by carol: not now" in done.text
        assert bells.pids() == before
    finally:
        assert bells.play("stop", stop_state="absent").rc == 0


def test_a_run_that_holds_the_lock_keeps_others_out(bells):
    lock = {"service": "bell", "run": "rollout-7", "holder": "dave@control"}
    assert not bells.module("edge1", "release", action="lock", **lock).get("failed")
    try:
        done = bells.restart()
        assert done.rc != 0
        assert "The lock is held by dave@control (run rollout-7)" in done.text
    finally:
        bells.module("edge1", "release", action="unlock", service="bell", run="rollout-7")


def test_unhealthy_first(bells):
    bells.balancer([{"name": "app3", "state": "maint"}])
    bells.set("app2", "health=503")
    on("app2", "systemctl kill -s HUP bell")
    on("app2", "sleep 4")  # until the load balancer knows
    bells.set("app2", "text=two")
    done = bells.restart(graceful_restart_min_available=1)
    assert done.rc == 0, done.output
    assert done.turns == ["app2/bell, app3/bell", "app1/bell"]
    assert bells.states() == {"app1": "ready", "app2": "ready", "app3": "maint"}


@pytest.fixture
def others(bells):
    """Two further units without traffic on every host; bell is of medium priority between them."""
    clear = ("systemctl stop chime toll; rm -rf /etc/systemd/system/chime.service /etc/systemd/system/toll.service "
             "/var/lib/evenkeel/chime /var/lib/evenkeel/toll; systemctl daemon-reload")
    for host in HOSTS:
        for name in ("chime", "toll"):
            on(host, f"cat > /etc/systemd/system/{name}.service", data="[Service]\nExecStart=/bin/sleep infinity\n")
        on(host, "systemctl daemon-reload && systemctl start chime toll")
    bells.declare({"name": "toll", "priority": "low"}, BELL, {"name": "chime", "priority": "high"})
    yield bells
    for host in (*HOSTS, "edge1"):
        on(host, clear, strict=False)


def started_us(identity):
    """Return when an instance was started, by the clock that all hosts of the lab have from their one kernel."""
    host, unit = identity.split("/")
    return int(on(host, f"systemctl show --value -p ExecMainStartTimestampMonotonic {unit}"))


@pytest.mark.faults
def test_who_is_not_healthy_goes_first_then_by_priority(others):
    on("app3", "systemctl stop toll")
    on("app2", "systemctl stop chime")
    done = others.restart(graceful_restart_min_available=1)
    assert done.rc == 0, done.output
    assert "9 of 9 instances restarted" in done.text
    assert done.turns == ["app2/chime", "app3/toll", "app1/chime, app3/chime", "app1/bell, app2/bell", "app3/bell",
                          "app1/toll, app2/toll"]
    times = [[started_us(one) for one in turn.split(", ")] for turn in done.turns]
    assert all(max(turn) < min(following) for turn, following in zip(times, times[1:])), times
    assert others.states() == dict.fromkeys(HOSTS, "ready")


def test_one_that_does_not_start_is_retried_and_parked_while_the_others_stay_up(bells):
    bells.set("app1", "broken")
    with Load(EDGE_URL) as load:
        done = bells.restart(graceful_restart_retries=1, graceful_restart_min_available=1)
    assert done.rc != 0
    assert "2 of 3 instances restarted; parked: app1/bell" in done.text
    assert "app1/bell: PARKED after attempt 2" in done.text
    assert done.turns.count("app1/bell") == 2 or done.turns[0].startswith("app1/bell"), done.turns
    assert load.metrics["errors"] == 0, load.result
    assert bells.states() == {"app1": "maint", "app2": "ready", "app3": "ready"}


@pytest.mark.faults
def test_a_parked_one_holds_the_others_when_capacity_forbids(bells):
    before = bells.pids()
    bells.set("app1", "broken")
    done = bells.restart(graceful_restart_retries=0, graceful_restart_min_available=2)
    assert done.rc != 0
    assert "app2/bell: untouched: bell would have 1 in service of at least 2" in done.text
    after = bells.pids()
    assert [before[host] == after[host] for host in HOSTS] == [False, True, True]


def test_one_that_ignores_sigterm_is_killed_and_who_was_cut_off_is_counted(bells):
    bells.install("app2", "ignore-term")
    bells.serve()
    slow = "for i in 1 2 3; do curl -s -o /dev/null 'http://app2:9099/slow?60' & done; sleep 1"
    on("load1", f"({slow}) > /dev/null 2>&1")
    done = bells.restart(graceful_restart_stop_deadline_s=2, graceful_restart_drain_deadline_s=1)
    assert done.rc == 0, done.output
    assert "app2/bell: restart, ended in 2" in done.text
    assert "killed, 3 connections cut off" in done.text
    assert done.text.count("killed") == 1


def test_who_systemd_cuts_off_before_the_deadline_is_counted_too(bells):
    bells.install("app2", "ignore-term", more="TimeoutStopSec=1")
    bells.serve()
    slow = "for i in 1 2 3; do curl -s -o /dev/null 'http://app2:9099/slow?60' & done; sleep 1"
    on("load1", f"({slow}) > /dev/null 2>&1")
    done = bells.restart(graceful_restart_drain_deadline_s=1)
    assert done.rc == 0, done.output
    assert "killed, 3 connections cut off" in done.text
    assert done.text.count("killed") == 1


def test_those_at_work_finish_before_it_ends(bells):
    answers = "for i in 1 2 3 4 5 6; do curl -s -o /dev/null -w '%{http_code} ' 'http://edge1:8099/slow?6' & done; wait"
    with subprocess.Popen(["docker", "exec", "evenkeel-load1", "sh", "-c", answers], stdout=subprocess.PIPE,
                          text=True) as process:
        done = bells.restart()
        assert process.communicate()[0].split() == ["200"] * 6
    assert done.rc == 0, done.output
    assert "killed" not in done.text


def test_haproxy_takes_a_configuration_in_with_new_workers_and_fails_no_request(bells):
    call = {"service": "haproxy", "renews": "workers", "files": ["/etc/haproxy/haproxy.cfg"], "only_if": "needed"}
    on("edge1", "touch /etc/haproxy/haproxy.cfg")
    before = on("edge1", "systemctl show --value -p MainPID haproxy")
    with Load(EDGE_URL, rate_rps=200, keep_alive=False) as load:
        done = bells.module("edge1", "service_restart", **call)
    assert (done["method"], done["changed"]) == ("reload", True), done
    assert done["pid"] == int(before)
    assert load.metrics["errors"] == 0, load.result
    assert not bells.module("edge1", "service_restart", **call)["changed"]
    on("edge1", "cp /etc/haproxy/haproxy.cfg /tmp/ && echo nonsense >> /etc/haproxy/haproxy.cfg")
    try:
        broken = bells.module("edge1", "service_restart", **call)
    finally:
        on("edge1", "cat /tmp/haproxy.cfg > /etc/haproxy/haproxy.cfg && rm /tmp/haproxy.cfg")
    assert broken["failed"]
    assert bells.states() == dict.fromkeys(HOSTS, "ready")
