# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two load balancers: both are switched and guarded, and one out of reach keeps the whole fleet on the old release."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess

import pytest
from integration.rollout.faults import (
    SHORT,
    Machines,
    Users,
    comes_to,
    controller,
    kill_at,
    one_release,
    play,
    settled,
    wait_until,
)
from integration.rollout.fleet import ENVIRONMENT, ROOT, Fleet

pytestmark = pytest.mark.faults
EDGES = ["edge1", "edge2"]
#: Both drain, one after the other.
LONGER = {"rollout_guard_ttl_s": 32}
NAMED = "found 1 that did not: edge2: "


@pytest.fixture(scope="module")
def machines(fleet):
    subprocess.run(["bash", "tests/lab/up"], check=True, cwd=ROOT, env={**os.environ, "LAB_EDGE_HOSTS": "2"})
    ENVIRONMENT["ANSIBLE_INVENTORY"] = f"{ROOT}/inventories/lab,{ROOT}/tests/lab/edge-hosts.yml"
    yield Machines(Fleet())
    del ENVIRONMENT["ANSIBLE_INVENTORY"]
    subprocess.run(["docker", "rm", "--force", "--volumes", "evenkeel-edge2"], check=True)
    done = play(fleet, "deploy", release_name="v1", **LONGER)
    assert done.rc == 0, done.output


@pytest.fixture
def users(machines):
    """Users of each load balancer; the fleet is on v1."""
    done = play(machines.fleet, "deploy", release_name="v1", **LONGER)
    assert done.rc == 0, done.output
    with contextlib.ExitStack() as stack:
        yield {edge: stack.enter_context(Users(machines.addresses[edge], 20.0)) for edge in EDGES}


def release(machines, users):
    """Return the release that everybody gets, and that the ledgers know."""
    found, = {one_release(machines, ones) for ones in users.values()}
    return found


def failed(users):
    return {edge: ones.failed for edge, ones in users.items() if ones.failed}


def test_both_are_switched_there_and_back(machines, users):
    fleet = machines.fleet
    there = play(fleet, "rollout", release_name="v2", **LONGER)
    assert there.rc == 0, there.output
    assert release(machines, users) == "v2"
    for host, found in fleet.ledgers().items():
        last = [one for one in found["records"] if one["run"] == found["status"]["run"]]
        assert [sorted(one["data"]["balancers"]) for one in last if "balancers" in one["data"]] == [EDGES], host
    back = play(fleet, "rollback", rollback_to="previous", **LONGER)
    assert back.rc == 0, back.output
    assert release(machines, users) == "v1"
    assert failed(users) == {}


def test_the_guards_of_a_dead_controller_send_both_back(machines, users):
    kill_at(machines, "v2", machines.fleet.hosts[0], "SWITCHED", "result", signal.SIGKILL, **LONGER)
    assert {edge: machines.guard(edge)["state"] for edge in EDGES} == dict.fromkeys(EDGES, "armed")
    wait_until(lambda: settled(machines), 120, 0.5)
    assert release(machines, users) == "v1"
    assert failed(users) == {}


@pytest.mark.parametrize(("number", "state", "phase"), [
    (0, "VERIFIED", "intent"), (0, "SOAKING", "result"), (-1, "SWITCHED", "result")])
def test_one_that_is_out_of_reach_goes_back_by_itself_and_the_fleet_with_it(machines, users, number, state, phase):
    fleet = machines.fleet
    there = comes_to(machines, fleet.hosts[number], state, phase)
    with controller("v2", **LONGER) as process:
        wait_until(lambda: there(process), 150)
        with machines.out_of_reach("edge2"):
            assert process.wait(170) != 0
            before = play(fleet, "rollout", release_name="v2", **LONGER)
            assert before.rc != 0
            assert NAMED in before.text
    wait_until(lambda: settled(machines), 120, 0.5)
    assert release(machines, users) == "v1"
    assert failed(users) == {}
    again = play(fleet, "rollout", release_name="v2", **LONGER)
    assert again.rc == 0, again.output
    assert release(machines, users) == "v2"
    assert failed(users) == {}


def test_one_that_is_out_of_reach_only_when_it_is_told_to_go_back_keeps_its_guard(machines, users):
    """Its guard must not lose its order in the end, as that of the other one does."""
    with contextlib.ExitStack() as stack:
        done = machines.fleet.play_at({
            "Restore | See whether the new release is healthy":
                lambda: stack.enter_context(machines.out_of_reach("edge2")),
            "Settle | Read the ledger": stack.close,
        }, "rollout", release_name="v2", **{
            **SHORT, **LONGER, "rollout_gate_wave": {**SHORT["rollout_gate_wave"], "thresholds": ["p50 < 1us"]}})
    assert done.rc != 0
    assert "is not settled: no answer from edge2" in done.text
    assert {edge: machines.guard(edge)["state"] for edge in EDGES} == {"edge1": "disarmed", "edge2": "armed"}
    wait_until(lambda: settled(machines), 120, 0.5)
    assert release(machines, users) == "v1"
    assert failed(users) == {}


def test_the_one_that_is_out_of_reach_before_is_named_and_nothing_is_changed(machines, users):
    with machines.out_of_reach("edge2"):
        done = play(machines.fleet, "rollout", release_name="v2", **LONGER)
    assert done.rc != 0
    assert NAMED in done.text
    assert done.changed == 0
    assert release(machines, users) == "v1"
    assert failed(users) == {}
