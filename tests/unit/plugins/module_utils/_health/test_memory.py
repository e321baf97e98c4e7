# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import socket

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.breaker import Limits
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.memory import Memory
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECK
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.runner import observe, probe

NOW = 1_800_000_000.0


class Host:
    """A listener that counts who came, a check of it, and a clock that a test moves."""

    def __init__(self, directory):
        self.path = str(directory / "state.json")
        self.now = NOW
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]

    def check(self, **options):
        blank = {key: spec.get("default") for key, spec in CHECK.items()}
        return {**blank, "name": "it", "type": "tcp", "host": "127.0.0.1", "port": self.port, **options}

    def memory(self, **limits):
        return Memory(self.path, Limits(**limits), clock=lambda: self.now)

    def look(self, cache_s=10.0, **options):
        """One run of the probe, as a new process would do it."""
        return observe([self.check(**options)], memory=self.memory(failures=3), cache_s=cache_s)["it"]

    def names(self):
        """The components that the file knows."""
        with open(self.path) as stream:
            return set(json.load(stream))

    def visitors(self):
        count = 0
        while True:
            try:
                self.listener.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1


@pytest.fixture
def host(tmp_path):
    host = Host(tmp_path)
    yield host
    host.listener.close()


def test_a_recent_result_is_used_again_with_its_age(host):
    assert (host.look()["age_s"], host.visitors()) == (0.0, 1)
    host.now += 10
    again = host.look()
    assert (again["status"], again["age_s"], host.visitors()) == ("pass", 10.0, 0)
    host.now += 0.1
    assert (host.look()["age_s"], host.visitors()) == (0.0, 1)


def test_a_result_from_the_future_or_of_another_check_is_not_used(host):
    host.look()
    host.now -= 3600
    host.look()
    assert host.visitors() == 2
    host.look(timeout_s=4.0)
    assert host.visitors() == 1


def test_a_component_that_keeps_failing_is_not_asked_and_is_seen_when_it_is_back(host):
    host.listener.close()
    seen = []
    for dummy in range(4):
        seen.append(host.look(cache_s=1))
        host.now += 2
    assert [found["circuit"] for found in seen] == ["closed", "closed", "open", "open"]
    assert [found["attempts"] for found in seen] == [1, 1, 1, 0]
    assert seen[-1]["status"] == "fail"
    assert seen[-1]["output"].startswith("circuit open, next look in 28 s; 127.0.0.1:")
    assert host.look(cache_s=1, critical=False)["circuit"] == "closed", "another check"
    host.look(cache_s=1)
    host.now += 30
    host.listener = socket.create_server(("127.0.0.1", host.port))
    host.listener.setblocking(False)
    assert (host.look()["status"], host.visitors()) == ("pass", 1)


def test_an_open_circuit_ends_the_wait_for_the_others(host):
    host.listener.close()
    memory = host.memory(failures=1)
    for dummy in range(2):
        found = observe([host.check(), host.check(name="other")], memory=memory, cache_s=0, deadline_s=0)
        host.now += 1
    assert [found[name]["attempts"] for name in ("it", "other")] == [0, 0]


@pytest.mark.parametrize("content", ["", "nonsense", "[]", '{"it": 3}', '{"it": {"fingerprint": "x"}}', "null"])
def test_a_file_that_is_not_ours_is_begun_anew(host, content):
    with open(host.path, "w") as stream:
        stream.write(content)
    assert host.look()["status"] == "pass"
    assert host.names() == {"it"}


def test_the_file_is_private_and_holds_no_secret(host):
    host.look(password="correct horse", headers={"X": "battery staple"})
    with open(host.path) as stream:
        text = stream.read()
    assert os.stat(host.path).st_mode & 0o777 == 0o600
    assert "correct" not in text
    assert "battery" not in text


def test_two_runs_at_once_keep_what_the_other_one_learnt(host):
    one, other = host.memory(), host.memory()
    observe([host.check(name="a")], memory=one)
    observe([host.check(name="b")], memory=other)
    assert host.names() == {"a", "b"}


def test_the_probe_takes_a_path_and_leaves_it_alone_in_check_mode(host):
    probe([host.check()], deadline_s=0, state_file=host.path, check_mode=True)
    assert not os.path.exists(host.path)
    assert probe([host.check()], deadline_s=0, state_file=host.path)["components"]["it"]["circuit"] == "closed"
    with pytest.raises(InputError, match="state_file"):
        probe([host.check()], deadline_s=0, state_file="/nonexistent/state.json")
    with pytest.raises(InputError, match="cache_s"):
        probe([host.check()], deadline_s=0, state_file=host.path, cache_s=-1)
    with pytest.raises(InputError, match="breaker: failures"):
        probe([host.check()], deadline_s=0, state_file=host.path, breaker={"failures": 0})
