# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens in the middle of a restart: a stop flag, a host and a load balancer that go away."""

from __future__ import annotations

import pytest
from integration.restart.shops import HOSTS, on

SECOND_TURN = "Turn | Restart app2/bell"


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
                                   ANSIBLE_INVENTORY="inventories/lab,tests/lab/ssh.yml")
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
