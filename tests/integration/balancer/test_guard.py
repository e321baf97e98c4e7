# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard of a load balancer, at a real HAProxy: it goes back when nobody is heard of, and never to a worse place."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.haproxy import HAProxy
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.runtime_socket import RuntimeSocket
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.guard import balancer as guard_balancer
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.guard.order import BALANCER, Guard, GuardFired
from ansible_collections.evenkeel.fleet.tests.integration.balancer.harness import Balancer

HOST = {"app1": {"old": "blue", "new": "green", "weight": 100}}


@pytest.fixture
def switched(balancer: Balancer) -> Balancer:
    """After a switch from blue to green, with a weight of its own."""
    balancer.switch({"name": "blue", "state": "ready"}, healthy=True)
    balancer.switch({"name": "green", "state": "ready", "weight": 33}, {"name": "blue", "state": "maint"}, healthy=True)
    return balancer


def go_back(balancer: Balancer, deadline_s: float = 3.0) -> Any:
    return guard_balancer.go_back(HAProxy(RuntimeSocket(balancer.socket)), "be_shop", HOST, deadline_s, 1.0)


def test_old_in_new_out_with_its_weight_of_before(switched: Balancer) -> None:
    assert go_back(switched) == (["app1: blue in, green out"], True)
    assert switched.states() == {"blue": "ready", "green": "maint"}
    assert switched.read()["green"]["weight"] == 100
    assert go_back(switched)[1], "once more is as good as once"
    assert switched.get() == 200


def test_a_release_that_works_stays_while_the_old_one_does_not(switched: Balancer) -> None:
    switched.shops["blue"].health_answers = itertools.repeat(500)
    said, done = go_back(switched, 1.0)
    assert (said, done) == (["app1: green keeps the traffic, because blue is not healthy"], False)
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
