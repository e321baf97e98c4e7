# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A controller that is killed leaves one release everywhere, and the same command again brings what was asked for."""

from __future__ import annotations

import json
import signal
import time

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.clock import epoch_s
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.guard.order import since_boot_s
from integration.rollout.faults import SHORT, Machines, Users, kill_at, one_release, play, settled, wait_until

INT, TERM, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGKILL
FIRST, LAST = "first", "last"


@pytest.fixture(scope="module")
def machines(fleet):
    yield Machines(fleet)
    done = play(fleet, "deploy", release_name="v1")
    assert done.rc == 0, done.output


def named(value):
    return getattr(value, "name", None)


def host_of(machines, which):
    return machines.fleet.hosts[{FIRST: 0, LAST: -1}[which]]


def other_release(machines):
    return "v2" if machines.fleet.ledgers()[machines.fleet.hosts[0]]["status"]["current"]["release"] == "v1" else "v1"


def faults(*values):
    return pytest.param(*values, marks=pytest.mark.faults)


#: The record of a ledger at which the controller is killed, whose release everybody has then, the host by signal.
TRANSITIONS = [
    ("STAGED", "intent", "old", {INT: LAST, TERM: FIRST, KILL: FIRST}),
    ("STAGED", "result", "old", {INT: FIRST, TERM: LAST, KILL: FIRST}),
    ("VERIFIED", "intent", "old", {INT: FIRST, TERM: LAST, KILL: FIRST}),
    ("SWITCHED", "intent", "old", {INT: FIRST, TERM: FIRST, KILL: LAST}),
    ("SWITCHED", "result", "old", {INT: LAST, TERM: LAST, KILL: FIRST}),
    ("SOAKING", "result", "old", {INT: LAST, TERM: FIRST, KILL: LAST}),
    ("COMMITTED", "intent", "either", {INT: LAST, TERM: LAST, KILL: FIRST}),
    ("COMMITTED", "result", "new", {INT: FIRST, TERM: FIRST, KILL: LAST}),
]


@pytest.mark.parametrize(("how", "host", "state", "phase", "ends"), [
    (faults if (how, state, phase) != (KILL, "SWITCHED", "result") else pytest.param)(how, host, state, phase, ends)
    for state, phase, ends, by_signal in TRANSITIONS for how, host in by_signal.items()], ids=named)
def test_one_release_everywhere_by_itself(machines, how, host, state, phase, ends):
    fleet, new = machines.fleet, other_release(machines)
    old = {"v1": "v2", "v2": "v1"}[new]
    with Users(machines.address) as users:
        kill_at(machines, new, host_of(machines, host), state, phase, how)
        wait_until(lambda: settled(machines), 120, 0.5)
        assert one_release(machines, users) in {"old": (old,), "new": (new,), "either": (old, new)}[ends]
        again = play(fleet, "rollout", release_name=new)
        assert again.rc == 0, again.output
        assert one_release(machines, users) == new
    assert users.failed == []


REFUSED = {"rollout_gate_wave": {**SHORT["rollout_gate_wave"], "thresholds": ["p50 < 1us"]}}


@pytest.mark.faults
@pytest.mark.parametrize("how", [INT, TERM, KILL], ids=named)
@pytest.mark.parametrize(("state", "phase", "more"), [
    ("CANARY", "intent", {"rollout_judge": {"weight": 33, "deadline_s": 10}}),
    ("ABORTING", "intent", REFUSED),
    ("ROLLED_BACK", "result", REFUSED),
], ids=named)
def test_a_canary_and_the_way_back_end_with_the_old_release(machines, how, state, phase, more):
    fleet, new = machines.fleet, other_release(machines)
    old = {"v1": "v2", "v2": "v1"}[new]
    with Users(machines.address) as users:
        kill_at(machines, new, host_of(machines, FIRST), state, phase, how, **more)
        wait_until(lambda: settled(machines), 240, 0.5)  # a look of the judge lives its deadline and 120 s
        assert one_release(machines, users) == old
        assert play(fleet, "rollout", release_name=new).rc == 0
        assert one_release(machines, users) == new
    assert users.failed == []


@pytest.mark.faults
@pytest.mark.parametrize(("how", "host", "state", "phase"), [
    (KILL, FIRST, "SWITCHED", "intent"),
    (TERM, LAST, "SOAKING", "result"),
], ids=named)
def test_a_rollback_whose_controller_is_killed_ends_with_one_release(machines, how, host, state, phase):
    """By itself with the release that served; the same command again goes back."""
    fleet, new = machines.fleet, other_release(machines)
    old = {"v1": "v2", "v2": "v1"}[new]
    assert play(fleet, "rollout", release_name=new).rc == 0
    with Users(machines.address) as users:
        kill_at(machines, old, host_of(machines, host), state, phase, how, playbook="rollback")
        wait_until(lambda: settled(machines), 120, 0.5)
        assert one_release(machines, users) == new
        again = play(fleet, "rollback", rollback_to=old)
        assert again.rc == 0, again.output
        assert one_release(machines, users) == old
    assert users.failed == []


@pytest.mark.parametrize(("how", "host", "state", "phase"), [
    (INT, FIRST, "SOAKING", "result"),
    faults(KILL, FIRST, "SWITCHED", "intent"),
    faults(TERM, LAST, "SWITCHED", "result"),
    faults(KILL, FIRST, "COMMITTED", "intent"),
    faults(KILL, LAST, "COMMITTED", "intent"),
    faults(KILL, FIRST, "STAGED", "result"),
], ids=named)
def test_the_same_command_at_once_goes_on(machines, how, host, state, phase):
    """With a soak that is longer than the guards live: they are renewed, and none of them commits a host for itself."""
    fleet, new = machines.fleet, other_release(machines)
    soak_s = 45 if state == "COMMITTED" else SHORT["rollout_soak_s"]
    with Users(machines.address) as users:
        kill_at(machines, new, host_of(machines, host), state, phase, how)
        killed = machines.last(host_of(machines, host))
        again = play(fleet, "rollout", release_name=new, rollout_soak_s=soak_s)
        assert again.rc == 0, again.output
        assert f"goes on with run {killed['run']}" in again.output
        assert one_release(machines, users) == new
    assert users.failed == []
    assert machines.guard()["state"] == "disarmed"
    for found in fleet.ledgers().values():
        assert found["status"]["run"] == killed["run"]
        assert found["records"][-1]["token"] > killed["token"]
    if state == "SOAKING":
        resumed = [one for one in fleet.ledgers()[host_of(machines, host)]["records"] if one["data"].get("resumes")]
        assert {one["data"]["resumes"]["state"] for one in resumed} == {"SOAKING"}
    if state == "COMMITTED":
        of_run = [one for one in fleet.ledgers()[host_of(machines, host)]["records"] if one["run"] == killed["run"]]
        assert [(one["state"], one["phase"]) for one in of_run[-4:]] == [
            ("COMMITTED", "intent"), ("SOAKING", "result"), ("COMMITTED", "intent"), ("COMMITTED", "result")]
        assert of_run[-1]["operator"] != "guard"


@pytest.mark.faults
def test_what_goes_on_is_not_compared_with_itself(machines):
    """The old release cannot be measured any more, so a gate that compares with it does not pass."""
    fleet, new = machines.fleet, other_release(machines)
    old = {"v1": "v2", "v2": "v1"}[new]
    compared = {"rollout_gates": [{**SHORT["rollout_gate_wave"], "name": "compared", "type": "load", "when": "soak",
                                   "baseline": {"tolerance": "100%"}}]}
    kill_at(machines, new, host_of(machines, LAST), "SWITCHED", "result", KILL, **compared)
    again = play(fleet, "rollout", release_name=new, **compared)
    assert again.rc == 2, again.output
    assert "inconclusive: the old release was not measured before the first wave" in again.text
    assert fleet.is_on(old)


@pytest.mark.faults
def test_somebody_else_waits_for_the_lock_or_the_guard(machines):
    """Only the operator whose controller is gone goes on at once."""
    fleet, new = machines.fleet, other_release(machines)
    kill_at(machines, new, host_of(machines, FIRST), "VERIFIED", "intent", KILL)
    refused = play(fleet, "rollout", release_name=new, rollout_operator="bob@elsewhere")
    assert refused.rc != 0
    assert "The lock is held by" in refused.text
    again = play(fleet, "rollout", release_name=new)
    assert again.rc == 0, again.output
    assert fleet.is_on(new)


@pytest.mark.faults
def test_a_lock_that_expired_is_taken_over_and_the_ledgers_say_from_whom(machines):
    """Nothing had traffic yet, so no load balancer's guard gives the lock free: only its own time does."""
    fleet, new = machines.fleet, other_release(machines)
    path, ttl_s = machines.kept(fleet.edge, "lock.json"), SHORT["rollout_guard_ttl_s"]
    with Users(machines.address) as users:
        kill_at(machines, new, host_of(machines, FIRST), "VERIFIED", "intent", KILL, rollout_lock_ttl_s=ttl_s)
        lock = json.loads(path.read_text())
        wait_until(lambda: settled(machines) and json.loads(path.read_text())["expires_at"] < time.time(), 120, 0.5)
        again = play(fleet, "rollout", release_name=new, rollout_operator="bob@elsewhere")
        assert again.rc == 0, again.output
        assert one_release(machines, users) == new
    assert users.failed == []
    for host, found in fleet.ledgers().items():
        locked = [one for one in found["records"] if one["state"] == "LOCKED"][-1]
        assert (locked["operator"], locked["data"]["holder"]) == ("bob@elsewhere", "bob@elsewhere"), host
        assert locked["token"] > lock["token"]
        former = locked["data"]["took_over"]
        assert {key: former[key] for key in ("holder", "run", "token")} == {
            key: lock[key] for key in ("holder", "run", "token")}
        assert former["age_s"] > ttl_s


@pytest.mark.faults
def test_the_guard_fires_within_its_time_to_live(machines):
    """By its order's own numbers, on the clock since the boot; on top comes what going back itself may take."""
    new = other_release(machines)
    old = {"v1": "v2", "v2": "v1"}[new]
    with Users(machines.address) as users:
        kill_at(machines, new, host_of(machines, FIRST), "SWITCHED", "result", KILL)
        killed_s = since_boot_s()
        assert machines.guard()["state"] == "armed"
        wait_until(lambda: machines.guard()["state"] == "fired", 90, 0.2)
        order = machines.guard()
        fired_s = epoch_s(order["fired_at"]) - time.time() + since_boot_s()
        wait_until(lambda: settled(machines), 120, 0.5)
        assert one_release(machines, users) == old
    assert users.failed == []
    assert order["ttl_s"] == SHORT["rollout_guard_ttl_s"]
    back_s = order["settings"]["deadline_s"] + order["settings"]["drain_deadline_s"] + 3
    assert 0 <= fired_s - order["until_s"] <= back_s, order
    assert fired_s - killed_s <= order["ttl_s"] + back_s, order
