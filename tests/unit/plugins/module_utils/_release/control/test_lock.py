# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lock: one holder, a token that only grows, takeover only after expiry."""

from __future__ import annotations

import tempfile

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._release import actions
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.control.lock import Lock, LockHeld
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.guard.order import Guard
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lock(tmp_path, clock):
    return Lock("shop", str(tmp_path), clock)


def test_the_second_operator_gets_name_and_age(lock, clock):
    lock.acquire("alice", "r1", 60)
    clock.now += 12
    with pytest.raises(LockHeld, match=r"held by alice \(run r1\) since 12 s; it expires in 48 s"):
        lock.acquire("bob", "r2", 60)


def test_the_same_run_gets_its_own_lock_again(lock, clock):
    first = lock.acquire("alice", "r1", 60)
    clock.now += 50
    again = lock.acquire("alice", "r1", 60)
    assert (again["token"], again["expires_in_s"], again["age_s"]) == (first["token"], 60, 50)


def test_an_expired_lock_is_taken_over_with_a_record_of_the_holder(lock, clock):
    lock.acquire("alice", "r1", 60)
    clock.now += 60
    taken = lock.acquire("bob", "r2", 60)
    assert taken["took_over"] == {"holder": "alice", "run": "r1", "token": 1, "age_s": 60}
    assert taken["token"] == 2
    with pytest.raises(LockHeld, match="bob"):
        lock.renew("r1", 60)


def test_the_token_goes_on_growing_after_unlock(lock):
    assert lock.acquire("alice", "r1", 60)["token"] == 1
    assert lock.release("r1")
    assert lock.read() == {"held": False, "token": 1}
    assert lock.acquire("bob", "r2", 60)["token"] == 2


def test_another_lock_host_begins_above_what_the_hosts_have_followed(lock):
    assert lock.acquire("alice", "r1", 60, seen=200)["token"] == 201
    assert lock.release("r1")
    assert lock.acquire("bob", "r2", 60, seen=7)["token"] == 202


def test_a_run_that_goes_on_elsewhere_keeps_its_lock(tmp_path):
    first = actions.lock("shop", "r1", "alice", 60, str(tmp_path))["lock"]
    again = actions.lock("shop", "r1", "alice", 60, str(tmp_path), controller={"pid": "2"}, abandoned=first["token"])
    assert not actions.unlock("shop", "r1", str(tmp_path), token=first["token"])["changed"]
    assert actions.unlock("shop", "r1", str(tmp_path), token=again["lock"]["token"])["changed"]


def test_unlock_leaves_the_lock_of_another_run_alone(lock):
    lock.acquire("alice", "r1", 60)
    assert not lock.release("r2")
    assert lock.read()["holder"] == "alice"


def test_check_mode_takes_nothing_and_still_refuses(tmp_path):
    arguments = {"service": "shop", "directory": str(tmp_path), "ttl_s": 60}
    assert actions.lock(run="r1", holder="alice", check_mode=True, **arguments)["changed"]
    assert not list(tmp_path.iterdir())
    actions.lock(run="r1", holder="alice", **arguments)
    assert not actions.lock(run="r1", holder="alice", **arguments)["changed"]
    with pytest.raises(LockHeld):
        actions.lock(run="r2", holder="bob", check_mode=True, **arguments)


class Operators(RuleBasedStateMachine):
    """Any number of runs, any order, any time in between."""

    runs = st.sampled_from(["r1", "r2", "r3"])

    def __init__(self):
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.lock = Lock("shop", self.directory.name, self.clock)
        self.owner, self.expires, self.tokens = "", 0.0, [0]

    def teardown(self):
        self.directory.cleanup()

    @rule(seconds=st.floats(0, 30))
    def wait(self, seconds):
        self.clock.now += seconds

    @rule(run=runs, ttl=st.floats(1, 20))
    def acquire(self, run, ttl):
        free = not self.owner or self.owner == run or self.clock.now >= self.expires
        try:
            token = self.lock.acquire(f"operator of {run}", run, ttl)["token"]
        except LockHeld:
            assert not free
            return
        assert free
        assert token == self.tokens[-1] if self.owner == run else token > self.tokens[-1]
        self.tokens.append(token)
        self.owner, self.expires = run, self.clock.now + ttl

    @rule(run=runs, ttl=st.floats(1, 20))
    def renew(self, run, ttl):
        try:
            self.lock.renew(run, ttl)
        except LockHeld:
            assert self.owner != run
        else:
            assert self.owner == run
            self.expires = self.clock.now + ttl

    @rule(run=runs)
    def release(self, run):
        assert self.lock.release(run) == (self.owner == run)
        self.owner = "" if self.owner == run else self.owner

    @invariant()
    def the_file_says_who_holds_it(self):
        assert self.lock.read().get("run", "") == self.owner


TestOperators = Operators.TestCase
TestOperators.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)


HERE, ELSEWHERE = {"boot": "b1", "pid": "7"}, {"boot": "b2", "pid": "9"}


def test_the_same_run_in_another_controller_waits_as_anybody_does(lock, clock):
    first = lock.acquire("alice", "r1", 60, HERE)
    with pytest.raises(LockHeld, match="held by alice"):
        lock.acquire("alice", "r1", 60, ELSEWHERE)
    clock.now += 61
    again = lock.acquire("alice", "r1", 60, ELSEWHERE)
    assert again["token"] == first["token"] + 1
    assert again["took_over"]["run"] == "r1"
    with pytest.raises(LockHeld, match="this run must stop"):
        lock.renew("r1", 60, first["token"])


@pytest.mark.parametrize(("holder", "token", "free"), [("alice", 0, True), ("bob", 0, False), ("alice", -1, False)])
def test_the_holder_may_say_that_its_controller_is_gone(lock, holder, token, free):
    first = lock.acquire("alice", "r1", 60, HERE)
    if free:
        assert lock.acquire(holder, "r1", 60, ELSEWHERE, first["token"] + token)["token"] == first["token"] + 1
    else:
        with pytest.raises(LockHeld):
            lock.acquire(holder, "r1", 60, ELSEWHERE, first["token"] + token)


def test_a_run_that_its_guard_has_sent_back_holds_nothing(lock, tmp_path):
    first = lock.acquire("alice", "r1", 60, HERE)
    guard = Guard("balancer", "shop", str(tmp_path))
    guard.arm("r1", first["token"], 0, {}, {})
    with pytest.raises(LockHeld):
        lock.acquire("bob", "r2", 60, ELSEWHERE)
    assert guard.fire(lambda order: ([], True))
    assert lock.acquire("bob", "r2", 60, ELSEWHERE)["token"] == first["token"] + 1
