# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts whose clocks are minutes off, each in another direction: nobody compares the times of two hosts."""

from __future__ import annotations

import json
import signal
from datetime import datetime
from pathlib import Path

import pytest
from integration.rollout.faults import Machines, Users, kill_at, one_release, settled, wait_until
from integration.rollout.fleet import ENVIRONMENT

pytestmark = pytest.mark.faults

PYTHON, LIBRARY = "/usr/local/bin/skewed-python", "/usr/local/lib/libfaketime.so.1"
#: The clock since the boot is right: nothing sets that one.
WRAPPER = f"#!/bin/sh\nFAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME='%s' LD_PRELOAD={LIBRARY} exec /usr/bin/python3 \"$@\"\n"
LATE, EARLY = "+300", "-420"


@pytest.fixture
def machines(fleet, tmp_path, monkeypatch):
    """For the modules it is 5 min later on the load balancer, and 7 min earlier on one of the app hosts."""
    machines, skews = Machines(fleet), {fleet.edge: LATE, fleet.hosts[1]: EARLY}
    library, = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    for host, skew in skews.items():
        machines.path(host, LIBRARY.lstrip("/")).write_bytes(library.read_bytes())
        wrapper = machines.path(host, PYTHON.lstrip("/"))
        wrapper.write_text(WRAPPER % skew)
        wrapper.chmod(0o755)
    inventory = tmp_path / "skewed.json"
    inventory.write_text(json.dumps(
        {"all": {"hosts": {host: {"ansible_python_interpreter": PYTHON} for host in skews}}}))
    monkeypatch.setitem(ENVIRONMENT, "ANSIBLE_INVENTORY", f"inventories/lab,{inventory}")
    yield machines
    for host in skews:
        machines.run(host, f"rm {PYTHON} {LIBRARY}")


def test_a_rollout_does_not_mind(fleet, machines):
    with Users(machines.address) as users:
        there = fleet.play("rollout", deploy_compose_release="v2")
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
