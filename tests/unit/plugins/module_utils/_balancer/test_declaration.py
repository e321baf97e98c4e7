# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declared services: what is filled in, and every contradiction at once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.declaration import declare

HOSTS = {"app1": "10.0.0.11", "app2": "app2"}
DEFAULTS = {
    "slots": {"blue": 8001, "green": 8002},
    "replicas": 1,
    "health_path": "/health",
    "check_interval": "2s",
    "check_fall": 3,
    "check_rise": 2,
}


def declared(*services: dict[str, Any], hosts: dict[str, str] | None = None, **defaults: Any) -> dict[str, Any]:
    return declare(services, HOSTS if hosts is None else hosts, {**DEFAULTS, **defaults})


def test_servers_come_from_hosts_and_slots() -> None:
    result = declared({"name": "shop", "port": 80})
    assert result["problems"] == []
    assert result["services"][0]["servers"] == [
        {"name": "app1-blue", "address": "10.0.0.11", "port": 8001},
        {"name": "app1-green", "address": "10.0.0.11", "port": 8002},
        {"name": "app2-blue", "address": "app2", "port": 8001},
        {"name": "app2-green", "address": "app2", "port": 8002},
    ]
    assert result["services"][0]["ports"][0] == {"name": "app1-blue", "port": 8001}


def test_each_replica_has_a_server_and_a_port_of_its_own() -> None:
    (service,) = declared({"name": "shop", "port": 80, "replicas": 2}, replicas=3)["services"]
    assert [(server["name"], server["port"]) for server in service["servers"][:4]] == [
        ("app1-blue", 8001), ("app1-blue-2", 8003), ("app1-green", 8002), ("app1-green-2", 8004)]


def test_a_service_goes_before_the_defaults() -> None:
    service = {
        "name": "shop",
        "port": 80,
        "health_path": "/up",
        "check_interval": "500ms",
        "check_fall": None,
        "servers": [{"name": "a", "address": "h", "port": 1}],
    }
    result = declared(service)["services"][0]
    assert (result["health_path"], result["inter_ms"], result["fastinter_ms"]) == ("/up", 500, 125)
    assert result["check_fall"] == 3
    assert [server["name"] for server in result["servers"]] == ["a"]


def test_two_services_live_side_by_side_on_slots_of_their_own() -> None:
    other = {"name": "admin", "port": 81, "slots": {"blue": 8011, "green": 8012}}
    assert declared({"name": "shop", "port": 80}, other)["problems"] == []


SHOP = {"name": "shop", "port": 80}
SERVERS = [{"name": "a", "address": "h", "port": 1}]


@pytest.mark.parametrize(
    ("services", "options", "message"),
    [
        ([], {}, "load_balancer_services: expected at least one service, found (). Example: [{name: shop, port: 80}]"),
        ([SHOP], {"hosts": {}}, "load_balancer_services[shop].servers: expected servers, or hosts in the group that"),
        ([SHOP, {**SHOP, "servers": SERVERS}], {}, "services[].name: expected each name once, found 'shop'"),
        ([SHOP, {"name": "b", "port": 80, "servers": SERVERS}], {}, "[b].port: expected a port of its own, not"),
        ([SHOP, {"name": "b", "port": 81}], {}, "[b]: expected an address and port of its own for every server"),
        ([SHOP], {"slots": {"blue": 8001, "green": 8001}}, "found '10.0.0.11:8001 of shop/app1-blue, app2:8001 of"),
        ([{**SHOP, "servers": SERVERS * 2}], {}, "[shop].servers[].name: expected each name once, found 'a'"),
        ([{"name": "a b", "port": 80}], {}, "[].name: expected lower-case letters, digits, '-' and '_', found 'a b'"),
        ([{"name": "shop", "port": 0}], {}, "[shop].port: expected 1 to 65535, found 0"),
        ([{**SHOP, "check_fall": 0}], {}, "[shop].check_fall: expected 1 to 100, found 0"),
        ([{**SHOP, "check_interval": "3 parsecs"}], {}, "[shop].check_interval: expected a duration in one of"),
        ([{**SHOP, "check_interval": 0}], {}, "[shop].check_interval: expected at least 10ms, found 0"),
        ([{**SHOP, "health_path": "/up\n"}], {}, "[shop].health_path: expected a path, found"),
        ([{**SHOP, "servers": [{"name": "a", "address": "h\n", "port": 1}]}], {}, "[shop].servers[].address"),
        ([{**SHOP, "replicas": 0}], {}, "[shop].replicas: expected 1 to 100, found 0"),
        ([SHOP], {"replicas": 2, "slots": {"blue": 8001, "green": 8003}}, "address and port of its own for every"),
        ([SHOP], {"slots": {"blue": "x"}}, "[shop].slots[blue]: expected 1 to 65535, found 'x'"),
    ],
)
def test_each_contradiction_is_named(services: list[dict[str, Any]], options: dict[str, Any], message: str) -> None:
    problems = declared(*services, **options)["problems"]
    assert any(message in problem for problem in problems), problems


def test_all_problems_come_at_once() -> None:
    assert len(declared({"name": "a b", "port": 80}, {"name": "c", "port": 0})["problems"]) == 2


@pytest.mark.parametrize(("state", "refused"), [("ready", True), ("drain", True), ("maint", False)])
def test_a_server_in_use_keeps_its_port(state, refused):
    running = {"be_shop": {"servers": [{"name": "app1-blue", "state": state, "port": 8001},
                                       {"name": "gone", "state": "ready", "port": 1}]}}
    slots = {"blue": 9001, "green": 9002}
    found = declare([{"name": "shop", "port": 80}], HOSTS, {**DEFAULTS, "slots": slots}, running)["problems"]
    expected = ("load_balancer_services[shop]: expected the ports of servers in use to stay, found app1-blue at 8001, "
                "not 9001. Change the port of the free slot, bring a release into it, then change that of the other "
                "one.")
    assert found == ([expected] if refused else [])
    assert not declare([{"name": "shop", "port": 80}], HOSTS, DEFAULTS, running)["problems"]
