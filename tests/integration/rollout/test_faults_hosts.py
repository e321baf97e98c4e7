# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts, engines, disks and ledgers that break in the middle: one release everywhere, and every ledger is true."""

from __future__ import annotations

import contextlib
import subprocess
import time

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.records import Ledger
from integration.rollout.faults import Machines, Users, comes_to, controller, one_release, play, settled, wait_until

PITCH = "/var/lib/evenkeel/pitch"


@pytest.fixture(scope="module")
def machines(fleet):
    yield Machines(fleet)
    done = play(fleet, "deploy", release_name="v1")
    assert done.rc == 0, done.output


def while_it_runs(machines, host, state, phase, then, release="v2", **variables):
    """Run a rollout and do something as soon as a host's ledger has this record; return its exit status."""
    there = comes_to(machines, host, state, phase)
    with controller(release, **variables) as process:
        wait_until(lambda: there(process), 150, 0.1)
        then()
        return process.wait(170)


def states(machines, host):
    found = machines.fleet.ask(host, "evenkeel.fleet.balancer_info", "backend=be_pitch")[host]
    return [(one["name"], one["state"], one["weight"]) for one in found["backends"]["be_pitch"]["servers"]]


def test_a_ledger_that_was_changed_is_found_and_explained(machines):
    fleet, host = machines.fleet, machines.fleet.hosts[-1]
    ledger = machines.ledger(host)
    content = ledger.read_bytes()
    lines = content.splitlines(keepends=True)
    ledger.write_bytes(b"".join([*lines[:2], lines[2].replace(b'"release":"v', b'"release":"w'), *lines[3:]]))
    try:
        done = play(fleet, "rollout", release_name="v2")
        assert fleet.ledgers()[host]["status"]["frozen"]
    finally:
        ledger.write_bytes(content)
    output = done.text
    assert done.rc != 0
    assert "Nothing was changed." in output
    assert "found line 3 broken: its content does not match its hash" in output
    assert done.changed == 0
    assert fleet.is_on("v1")


def test_an_image_that_one_host_cannot_get_is_refused_before_anything_moves(machines):
    fleet, host = machines.fleet, machines.fleet.hosts[1]
    registry = machines.names[host].replace(host, "registry1")
    tag = fleet.ledgers()[host]["status"]["current"]["image"].partition("@")[0] + ":v2"
    for one in fleet.hosts:
        machines.run(one, f"docker pull --quiet {tag}")
    image = machines.run(host, f"docker image inspect {tag} --format '{{{{index .RepoDigests 0}}}}'").strip()
    machines.run(host, f"docker image rm --force {tag} {image}", check=False)
    subprocess.check_call(["docker", "stop", "--time", "1", registry])
    try:
        done = play(fleet, "rollout", release_name="v2", release_image=image)
    finally:
        subprocess.check_call(["docker", "start", registry])
        answer = f"curl -s http://{tag.partition('/')[0]}/v2/"
        wait_until(lambda: "{}" in machines.run(host, answer, check=False), 60, 0.5)
    output = done.text
    assert done.rc != 0
    assert "expected it on this host or in its registry, found neither" in output
    assert f"Found on: {host}." in output
    assert done.changed == 0
    assert fleet.is_on("v1")


@pytest.mark.faults
def test_another_run_between_the_plan_and_the_lock_is_noticed(machines):
    fleet, host = machines.fleet, machines.fleet.hosts[-1]
    ledger = Ledger("pitch", str(machines.path(host, PITCH.lstrip("/")).parent))

    def other():
        ledger.append([{"state": "PLANNED", "phase": "result"}], token=ledger.read().token, run="other", release="v2",
                      host=host, operator="bob")

    done = fleet.play_until("Check | Print the plan", other, "rollout", release_name="v2")
    assert done.rc != 0
    assert f"something else has happened: {host} is at the result of PLANNED in run other" in done.text
    assert "Lay the bundle into the free slot" not in done.output
    again = play(fleet, "deploy", release_name="v1")
    assert again.rc == 0, again.output
    assert fleet.is_on("v1")


@pytest.mark.faults
def test_a_load_balancer_that_is_restarted_in_the_middle_keeps_its_states(machines):
    edge, seen = machines.fleet.edge, {}

    def restart():
        seen["before"] = states(machines, edge)
        machines.run(edge, "systemctl restart haproxy")
        seen["after"] = states(machines, edge)

    with Users(machines.address) as users:
        rc = while_it_runs(machines, machines.fleet.hosts[0], "SWITCHED", "result", restart)
        assert seen["before"] == seen["after"]
        assert one_release(machines, users) == ("v1" if rc else "v2")


@pytest.mark.faults
def test_a_load_balancer_that_is_restarted_beside_a_canary_keeps_its_weight(machines):
    """The judge needs a hundred requests of the canary, 25 s of them: the restart comes while it looks."""
    fleet, edge, seen = machines.fleet, machines.fleet.edge, {}
    assert play(fleet, "deploy", release_name="v1").rc == 0

    def weighed():
        seen["before"] = states(machines, edge)
        return ("ready", 33) in {(state, weight) for dummy, state, weight in seen["before"]}

    def restart():
        wait_until(weighed, 60)
        time.sleep(1)  # until that is in its state file too
        seen["failed before"], begun = list(users.failed), time.monotonic()
        machines.run(edge, "systemctl restart haproxy")
        seen["took_s"] = time.monotonic() - begun
        seen["after"] = states(machines, edge)
        users.next(100)
        seen["failed"] = list(users.failed)

    with Users(machines.address) as users:
        rc = while_it_runs(machines, fleet.hosts[0], "CANARY", "intent", restart,
                           rollout_judge={"weight": 33, "max_error_rate": "5%", "deadline_s": 60})
        assert seen["before"] == seen["after"]
        wait_until(lambda: settled(machines), 120, 0.5)
        assert one_release(machines, users) == ("v1" if rc else "v2")
    assert seen["failed before"] == []
    assert len(seen["failed"]) <= 40 * seen["took_s"] + 16, seen  # what was asked meanwhile, and what was under way
    assert users.failed == seen["failed"]
    assert {weight for dummy, other, weight in states(machines, edge)} == {100}


@pytest.mark.faults
@pytest.mark.parametrize("state", ["VERIFIED", "SWITCHED"])
def test_an_engine_that_is_restarted_in_the_middle(machines, state):
    fleet, host = machines.fleet, machines.fleet.hosts[0]
    assert play(fleet, "deploy", release_name="v1").rc == 0
    with Users(machines.address) as users:
        while_it_runs(machines, host, state, "intent", lambda: machines.run(host, "systemctl restart docker"))
        wait_until(lambda: settled(machines), 90, 0.5)
        assert one_release(machines, users) in ("v1", "v2")


@pytest.mark.faults
@pytest.mark.parametrize(("number", "state", "phase"), [(0, "VERIFIED", "intent"), (0, "SOAKING", "result"),
                                                       (2, "SWITCHED", "intent")])
def test_a_host_that_goes_away_settles_when_it_is_back(machines, number, state, phase):
    fleet, host = machines.fleet, machines.fleet.hosts[number]
    assert play(fleet, "deploy", release_name="v1").rc == 0
    try:
        rc = while_it_runs(machines, host, state, phase,
                           lambda: subprocess.check_call(["docker", "kill", machines.names[host]]))
    finally:
        subprocess.run(["docker", "start", machines.names[host]], check=True)
    assert rc != 0
    with Users(machines.address) as users:
        wait_until(lambda: settled(machines), 120, 0.5)
        assert one_release(machines, users) == "v1"
        assert users.failed == []


@pytest.mark.faults
@pytest.mark.parametrize(("number", "state", "phase"), [
    (0, "VERIFIED", "intent"), (0, "SOAKING", "result"), (2, "SWITCHED", "intent")])
def test_a_host_that_only_the_controller_does_not_reach_settles_by_itself(machines, number, state, phase):
    fleet, host = machines.fleet, machines.fleet.hosts[number]
    assert play(fleet, "deploy", release_name="v1").rc == 0
    with Users(machines.address) as users, contextlib.ExitStack() as stack:
        assert while_it_runs(machines, host, state, phase,
                             lambda: stack.enter_context(machines.out_of_reach(host))) != 0
        wait_until(lambda: settled(machines), 120, 0.5)
        assert set(users.next(100)) == {"v1"}
        stack.close()
        assert one_release(machines, users) == "v1"
        assert users.failed == []


@pytest.mark.faults
def test_a_disk_that_is_full_stops_the_rollout_and_not_the_way_back(machines):
    fleet, host = machines.fleet, machines.fleet.hosts[-1]
    assert play(fleet, "deploy", release_name="v1").rc == 0
    machines.run(host, f"cp -a {PITCH} /root/p && mount -t tmpfs -o size=2m tmpfs {PITCH} && cp -a /root/p/. {PITCH}")
    try:
        with Users(machines.address) as users:
            rc = while_it_runs(machines, host, "STAGED", "result",
                               lambda: machines.run(host, f"cat /dev/zero > {PITCH}/filler", check=False))
            assert rc != 0
            assert set(users.next(100)) == {"v1"}
            machines.run(host, f"rm {PITCH}/filler")
            assert fleet.ledgers()[host]["problems"] == []
            again = play(fleet, "rollout", release_name="v2")
            assert again.rc == 0, again.output
            assert one_release(machines, users) == "v2"
        assert users.failed == []
    finally:
        machines.run(host, f"cp -a {PITCH}/. /root/p && umount {PITCH} && cp -a /root/p/. {PITCH} && rm -r /root/p")


@pytest.mark.faults
def test_a_ledger_that_breaks_in_the_middle(machines):
    fleet, host = machines.fleet, machines.fleet.hosts[-1]
    assert play(fleet, "deploy", release_name="v1").rc == 0
    ledger, kept = machines.ledger(host), []

    def damage():
        kept.append(ledger.read_bytes())
        ledger.write_bytes(kept[0].replace(b'"seq":2,', b'"seq":3,', 1))

    with Users(machines.address) as users:
        rc = while_it_runs(machines, host, "STAGED", "result", damage)
        assert rc != 0
        assert set(users.next(100)) == {"v1"}
        assert "line 2 broken" in fleet.ledgers()[host]["problems"][0]
        ledger.write_bytes(kept[0])
        again = play(fleet, "rollout", release_name="v2")
        assert again.rc == 0, again.output
        assert one_release(machines, users) == "v2"
    assert users.failed == []
