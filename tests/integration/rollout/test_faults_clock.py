# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts whose clocks are minutes off, each in another direction: nobody compares the times of two hosts."""

from __future__ import annotations

import json
import signal
from datetime import datetime

import pytest
from integration.rollout.faults import Machines, Users, kill_at, one_release, settled, wait_until
from integration.rollout.fleet import ENVIRONMENT

pytestmark = pytest.mark.faults

#: An interpreter in which it is another time. The clock since the boot is right: nothing sets that one.
PYTHON = "/usr/local/bin/skewed-python"
WRAPPER = """#!/bin/sh
export PYTHONPATH=/usr/local/lib/skewed-python SKEW_S=%d
exec /usr/bin/python3 "$@"
"""
SITE = """
import os, time
skew_s, now = int(os.environ["SKEW_S"]), time.time
time.time = lambda: now() + skew_s
"""
LATE_S, EARLY_S = 300, -420


@pytest.fixture
def machines(fleet, tmp_path, monkeypatch):
    """For the modules it is 5 min later on the load balancer, and 7 min earlier on one of the app hosts."""
    machines, skews = Machines(fleet), {fleet.edge: LATE_S, fleet.hosts[1]: EARLY_S}
    for host, skew in skews.items():
        site = machines.path(host, "usr/local/lib/skewed-python/sitecustomize.py")
        site.parent.mkdir(exist_ok=True)
        site.write_text(SITE)
        wrapper = machines.path(host, PYTHON.lstrip("/"))
        wrapper.write_text(WRAPPER % skew)
        wrapper.chmod(0o755)
    inventory = tmp_path / "skewed.json"
    inventory.write_text(json.dumps(
        {"all": {"hosts": {host: {"ansible_python_interpreter": PYTHON} for host in skews}}}))
    monkeypatch.setitem(ENVIRONMENT, "ANSIBLE_INVENTORY", f"inventories/lab,{inventory}")
    yield machines
    for host in skews:
        machines.run(host, f"rm -r {PYTHON} /usr/local/lib/skewed-python")


def test_a_rollout_does_not_mind(fleet, machines):
    with Users(machines.address) as users:
        there = fleet.play("rollout", release_name="v2")
        assert there.rc == 0, there.output
        assert one_release(machines, users) == "v2"
        times = [datetime.fromisoformat(machines.last(host)["time"].replace("Z", "+00:00"))
                 for host in fleet.hosts[:2]]
        assert 360 < (times[0] - times[1]).total_seconds() < 480, times
        back = fleet.play("rollback", rollback_to="previous")
        assert back.rc == 0, back.output
        assert one_release(machines, users) == "v1"
    assert users.failed == []


def test_the_guards_of_a_dead_controller_do_not_mind(fleet, machines):
    with Users(machines.address) as users:
        kill_at(machines, "v2", fleet.hosts[1], "SWITCHED", "result", signal.SIGKILL)
        assert machines.guard()["state"] == "armed"
        wait_until(lambda: settled(machines), 120, 0.5)
        assert one_release(machines, users) == "v1"
    assert users.failed == []
