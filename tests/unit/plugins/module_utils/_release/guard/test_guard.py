# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guard: it fires in its time and not before, once, and for the run that gave the order."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release import actions
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.actions import record
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.guard import order as orders
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.guard import runtime
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.guard.order import Guard, GuardFired
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.records import Ledger

OLD = {"old": ["app1-blue"], "new": ["app1-green"]}


class Clock:
    now = 5000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guard(tmp_path, clock):
    return Guard("balancer", "shop", str(tmp_path), clock)


def fired(guard):
    """Whether it fires now."""
    return guard.fire(lambda order: ([f"sent {', '.join(order['hosts'])} back"], True))


def test_it_fires_when_its_time_is_over_and_once(guard, clock):
    guard.arm("r1", 1, 60, {}, {"app1": OLD})
    clock.now += 59
    assert not fired(guard)
    clock.now += 1
    assert fired(guard)
    assert not fired(guard)
    found = guard.read()
    assert (found["state"], found["run"], found["outcome"]) == ("fired", "r1", ["sent app1 back"])


def test_each_sign_of_life_begins_its_time_anew(guard, clock):
    guard.arm("r1", 1, 60, {}, {"app1": OLD})
    clock.now += 50
    assert guard.renew("r1", 1, 60)
    clock.now += 50
    guard.arm("r1", 1, 60, {}, {"app2": OLD})
    clock.now += 50
    assert not fired(guard)
    assert set(guard.read()["hosts"]) == {"app1", "app2"}
    assert guard.read()["remaining_s"] == 10


def test_after_a_reboot_its_time_begins_anew(guard, clock, tmp_path, monkeypatch):
    guard.arm("r1", 1, 60, {}, {"app1": OLD})
    (tmp_path / "boot_id").write_text("another boot")
    monkeypatch.setattr(orders, "_BOOT_ID", str(tmp_path / "boot_id"))
    clock.now = 10.0
    assert guard.read()["remaining_s"] == 50
    clock.now = 60.0
    assert fired(guard)


def test_disarmed_it_does_nothing(guard, clock):
    guard.arm("r1", 1, 60, {}, {"app1": OLD})
    assert guard.disarm("r1", 1)
    assert not guard.disarm("r1", 1)
    clock.now += 100
    assert not fired(guard)
    assert not guard.renew("r1", 1, 60)


def test_the_run_that_was_sent_back_is_refused_until_it_has_a_new_token(guard, clock):
    guard.arm("r1", 1, 60, {}, {"app1": OLD})
    clock.now += 60
    fired(guard)
    for late in (lambda: guard.renew("r1", 1, 60), lambda: guard.disarm("r1", 1),
                 lambda: guard.arm("r1", 1, 60, {}, {})):
        with pytest.raises(GuardFired, match=r"sent run r1 back .* after 60 s without news of it: sent app1 back"):
            late()
    guard.arm("r1", 2, 60, {}, {"app2": OLD})
    assert set(guard.read()["hosts"]) == {"app2"}


@pytest.mark.parametrize("kind", orders.KINDS)
def test_who_does_not_wait_ends_its_time_and_a_load_balancers_guard_the_run(tmp_path, clock, kind):
    guard = Guard(kind, "shop", str(tmp_path), clock)
    assert not guard.end("r1", "alice", "slow")
    guard.arm("r1", 1, 60, {}, {"app1": OLD})
    assert not guard.end("r0", "alice", "slow"), "another run"
    assert not fired(guard)
    assert guard.end("r1", "alice", "slow")
    assert guard.end("r1", "bob", "again")
    asked = r"sent run r1 back .*, because alice asked for it \(slow\): "
    if kind == orders.BALANCER:
        for late in (lambda: guard.renew("r1", 1, 60), lambda: guard.disarm("r1", 1),
                     lambda: guard.arm("r1", 1, 60, {}, {})):
            with pytest.raises(GuardFired, match=f"{asked}it is at it"):
                late()
    assert fired(guard)
    with pytest.raises(GuardFired, match=f"{asked}sent app1 back"):
        guard.renew("r1", 1, 60)


def test_a_host_whose_controller_lives_is_settled_by_that(tmp_path, clock):
    guard = Guard(orders.RUNTIME, "shop", str(tmp_path), clock)
    guard.arm("r1", 1, 60, {}, {"app1": OLD})
    guard.end("r1", "alice", "slow")
    guard.arm("r1", 1, 60, {}, {"app1": OLD})
    assert not fired(guard)
    assert "ended" not in guard.read()


def test_a_run_that_goes_on_with_a_new_token_has_its_time_again(guard, clock):
    guard.arm("r1", 1, 60, {}, {"app1": OLD})
    guard.end("r1", "alice", "slow")
    assert guard.renew("r1", 2, 60)
    assert not fired(guard)
    assert guard.disarm("r1", 2)


def test_a_guard_that_has_done_nothing_in_its_time_is_said_to_be_armed(tmp_path, monkeypatch):
    """The program that would fire does not run here."""
    monkeypatch.setattr(actions, "_START_S", 0.1)
    directory = str(tmp_path)
    assert not actions.fire("shop", "r1", "alice", directory)["changed"]
    times = {"deadline_s": 0.1, "drain_deadline_s": 0}
    Guard(orders.BALANCER, "shop", directory).arm("r1", 1, 60, times, {"app1": OLD})
    looked = actions.fire("shop", "r1", "alice", directory, check_mode=True)
    assert looked["changed"]
    assert "ended" not in looked["guards"]["balancer"]
    asked = actions.fire("shop", "r1", "alice", directory, reason="slow")
    assert asked["changed"]
    assert (asked["guards"]["balancer"]["state"], asked["guards"]["balancer"]["ended"]) == (
        "armed", {"by": "alice", "reason": "slow"})
    assert asked["guards"]["runtime"] == {"state": "none"}


def test_a_higher_token_takes_over_and_the_older_one_is_refused(guard):
    guard.arm("r1", 1, 60, {}, {"app1": OLD})
    guard.arm("r1", 2, 60, {}, {"app2": OLD})
    assert set(guard.read()["hosts"]) == {"app1", "app2"}, "the same run goes on"
    guard.arm("r2", 3, 60, {}, {"app3": OLD})
    assert set(guard.read()["hosts"]) == {"app3"}
    with pytest.raises(FleetError, match="already followed token 3"), guard.held_off("r1", 2):
        pass


def test_what_is_left_to_do_stays_ordered(guard, clock):
    guard.arm("r1", 1, 60, {}, {"app1": OLD})
    clock.now += 60
    assert not guard.fire(lambda order: (["app1-blue is not healthy"], False))
    found = guard.read()
    assert (found["state"], found["outcome"]) == ("armed", ["app1-blue is not healthy"])
    assert fired(guard)


@pytest.mark.parametrize(("state", "phase", "blue", "green", "decision"), [
    ("SWITCHED", "result", 3, 0, "ROLLED_BACK"),
    ("VERIFIED", "intent", 1, 0, "ROLLED_BACK"),
    ("COMMITTED", "intent", 3, 0, "ROLLED_BACK"),
    ("COMMITTED", "intent", 0, 3, "COMMITTED"),
    ("SOAKING", "result", 0, 3, ""),
    ("SWITCHED", "result", 0, 3, ""),
    ("COMMITTED", "intent", 2, 3, ""),
    ("COMMITTED", "intent", 0, 0, ""),
])
def test_a_host_does_what_the_load_balancers_show(state, phase, blue, green, decision):
    counts = {"blue": blue, "green": green}
    assert runtime.decide({"state": state, "phase": phase}, counts, "blue", "green") == decision


ORDER = {"ttl_s": 1, "old": "blue", "new": "green", "ports": {}, "commit": {}, "look_s": 1, "grace_s": 1,
         "docker_socket": "/nowhere"}
COMMON = {"run": "r1", "release": "v2", "host": "app1", "operator": "alice"}


@pytest.mark.parametrize(("state", "phase", "open_"), [
    ("STAGED", "result", True), ("ABORTING", "intent", True), ("ROLLED_BACK", "result", False)])
def test_a_run_that_is_settled_or_not_the_last_one_is_left_alone(tmp_path, state, phase, open_):
    states = ["PLANNED", "STAGED", "ABORTING", "ROLLED_BACK"]
    records = [{"state": one, "phase": "result"} for one in states[:states.index(state)]]
    Ledger("shop", str(tmp_path)).append([*records, {"state": state, "phase": phase}], 1, **COMMON)
    guard = Guard("runtime", "shop", str(tmp_path))
    for run in ("r1", "r0"):
        order = {"run": run, "token": 1, "settings": ORDER, "hosts": {"app1": {"release": "v2"}}}
        assert bool(runtime.Settle(guard, order).open()) == (open_ and run == "r1")


@pytest.fixture
def stopped(monkeypatch):
    """Return the slots that runtimes are told to stop, each as runtime, service, home, slot and time."""
    told = []

    class Slots:
        def __init__(self, name, service, home, _docker_socket):
            self.known = (name, service, home)

        def stop(self, slot, grace_s):
            told.append((*self.known, slot, grace_s))

    monkeypatch.setattr(runtime, "runtime_of", Slots)
    return told


@pytest.mark.parametrize(("settings", "told"), [
    ({}, ("compose", "shop", "", "green", 1)),  # an order of before there was a choice
    ({"runtime": "compose", "home": None}, ("compose", "shop", "", "green", 1)),
    ({"runtime": "systemd", "home": "/opt/evenkeel/shop"}, ("systemd", "shop", "/opt/evenkeel/shop", "green", 1)),
])
def test_it_stops_the_slot_with_the_runtime_of_its_order(tmp_path, stopped, settings, told):
    Ledger("shop", str(tmp_path)).append([{"state": state, "phase": "result"} for state in ("PLANNED", "STAGED")], 1,
                                         **COMMON)
    guard = Guard("runtime", "shop", str(tmp_path))
    guard.arm("r1", 1, 60, {**ORDER, **settings}, {"app1": {"release": "v2"}})
    runtime.Settle(guard, guard.read()).act("ROLLED_BACK")
    assert stopped == [told]
    assert Ledger("shop", str(tmp_path)).read().last["state"] == "ROLLED_BACK"


def test_the_intent_again_while_a_person_is_asked_begins_its_time_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime.unit, "start", lambda *program: None)  # needs systemd
    directory, intent = str(tmp_path), {"state": "VERIFIED", "phase": "intent", "data": {}}
    begun = [{"state": state, "phase": "result", "data": {}} for state in ("PLANNED", "STAGED")]
    settings = {"old": "blue", "new": "green"}
    record("shop", "r1", "v2", [*begun, intent], 1, "app1", "alice", directory, guard={"ttl_s": 10, **settings})
    record("shop", "r1", "v2", [intent], 1, "app1", "alice", directory, guard={"ttl_s": 100, **settings})
    assert Guard("runtime", "shop", directory).read()["remaining_s"] > 90
