# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard of a load balancer, at a real HAProxy: it goes back when nobody is heard of, and never to a worse place."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.haproxy import HAProxy
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.runtime_socket import RuntimeSocket
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.guard import balancer as guard_balancer
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.guard.order import BALANCER, Guard, GuardFired
from ansible_collections.evenkeel.fleet.tests.integration.balancer.harness import Balancer, until

HOST = {"app1": {"old": ["blue"], "new": ["green"], "weight": 100}}
REPLICAS = {"app1": {"old": ["blue", "blue-2", "blue-3"], "new": ["green", "green-2"], "weight": 100}}


@pytest.fixture
def switched(balancer: Balancer) -> Balancer:
    """After a switch from blue to green, with a weight of its own."""
    balancer.switch({"name": "blue", "state": "ready"}, healthy=True)
    balancer.switch({"name": "green", "state": "ready", "weight": 33}, {"name": "blue", "state": "maint"}, healthy=True)
    return balancer


@pytest.fixture
def many(replicated: Balancer) -> Balancer:
    """After a switch from three replicas of blue to two of green."""
    one = REPLICAS["app1"]
    replicated.switch(*({"name": name, "state": "ready"} for name in one["old"]), healthy=True)
    replicated.switch(*({"name": name, "state": "ready", "weight": 33} for name in one["new"]),
                      *({"name": name, "state": "maint"} for name in one["old"]), healthy=True)
    return replicated


def go_back(balancer: Balancer, deadline_s: float = 3.0, hosts: Any = HOST) -> Any:
    return guard_balancer.go_back(HAProxy(RuntimeSocket(balancer.socket)), "be_shop", hosts, deadline_s, 1.0)


def test_old_in_new_out_with_its_weight_of_before(switched: Balancer) -> None:
    assert go_back(switched) == (["app1: blue in, green out"], True)
    assert switched.states() == {"blue": "ready", "green": "maint"}
    assert switched.read()["green"]["weight"] == 100
    assert go_back(switched)[1], "once more is as good as once"
    assert switched.get() == 200


def test_a_release_that_works_stays_while_the_old_one_does_not(switched: Balancer) -> None:
    switched.shops["blue"].health_answers = itertools.repeat(500)
    said, done = go_back(switched, 1.0)
    assert (said, done) == (["app1: the traffic stays on green; not healthy: blue"], False)
    assert switched.states() == {"blue": "drain", "green": "ready"}
    assert switched.get() == 200
    switched.shops["blue"].health_answers = itertools.repeat(200)
    assert go_back(switched)[1]
    assert switched.states() == {"blue": "ready", "green": "maint"}


def test_when_neither_is_healthy_there_is_nothing_to_lose(switched: Balancer) -> None:
    for shop in switched.shops.values():
        shop.health_answers = itertools.repeat(500)
    assert go_back(switched, 1.5)[1]
    assert switched.states() == {"blue": "ready", "green": "maint"}


def test_all_replicas_go_back_together(many: Balancer) -> None:
    assert go_back(many, hosts=REPLICAS) == (["app1: blue, blue-2, blue-3 in, green, green-2 out"], True)
    assert many.states() == {**dict.fromkeys(("blue", "blue-2", "blue-3"), "ready"),
                             **dict.fromkeys(("green", "green-2"), "maint")}
    assert {server["weight"] for server in many.read().values()} <= {1, 100}
    assert many.get() == 200


def test_one_sick_replica_of_three_is_waited_for_and_keeps_no_release_in(many: Balancer) -> None:
    many.shops["blue-2"].health_answers = itertools.repeat(500)
    began = time.monotonic()
    assert go_back(many, 1.0, REPLICAS)[1]
    assert time.monotonic() - began >= 1.0
    assert many.states()["green"] == "maint"
    found = many.read()["blue-2"]
    assert (found["state"], found["operational"]) == ("ready", "stopped")
    assert [many.get() for _ in range(9)] == [200] * 9, "HAProxy sends it nothing"


def test_one_fit_replica_of_three_gets_not_the_traffic_of_two_that_work(many: Balancer) -> None:
    for name in ("blue", "blue-2"):
        many.shops[name].health_answers = itertools.repeat(500)
    assert go_back(many, 1.0, REPLICAS) == (
        ["app1: the traffic stays on green, green-2; not healthy: blue, blue-2"], False)
    assert [many.states()[name] for name in REPLICAS["app1"]["new"]] == ["ready", "ready"]
    many.shops["green-2"].health_answers = itertools.repeat(500)
    until(lambda: many.read()["green-2"]["operational"] == "stopped")
    assert go_back(many, 1.0, REPLICAS)[1], "as many serve as did"


def test_the_program_fires_in_time_and_the_run_is_refused(switched: Balancer, tmp_path: Any) -> None:
    guard = Guard(BALANCER, "shop", str(tmp_path))
    settings = {"backend": "be_shop", "socket": switched.socket, "state_file": str(switched.state_file),
                "deadline_s": 3.0, "drain_deadline_s": 1.0}
    guard.arm("r1", 7, 0.2, settings, HOST)
    assert not guard_balancer.due(guard, guard.read()), "its time is not over"
    assert switched.states() == {"blue": "maint", "green": "ready"}
    guard.renew("r1", 7, 0.0)
    assert guard_balancer.due(guard, guard.read())
    assert switched.states() == {"blue": "ready", "green": "maint"}
    assert "blue" in switched.state_file.read_text()
    for again in (lambda: guard.renew("r1", 7, 60), lambda: guard.disarm("r1", 7),
                  lambda: guard.arm("r1", 7, 60, settings, HOST)):
        with pytest.raises(GuardFired, match="app1: blue in, green out"):
            again()


def test_an_older_token_moves_nothing(switched: Balancer, tmp_path: Any) -> None:
    Guard(BALANCER, "shop", str(tmp_path)).arm("r2", 8, 60, {}, {})
    late = {"service": "shop", "run": "r1", "token": 7, "ttl_s": 0, "directory": str(tmp_path)}
    with pytest.raises(FleetError, match=r"already followed token 8 \(run r2\), found the older 7"):
        guard_balancer.change_guarded(late, socket=switched.socket, backend="be_shop",
                                      servers=[{"name": "green", "state": "maint"}])
    assert switched.states()["green"] == "ready"
