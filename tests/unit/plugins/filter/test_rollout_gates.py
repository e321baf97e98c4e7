# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gate's module would refuse once users are there is refused with the plan."""

from __future__ import annotations

import pytest

pytest.importorskip("ansible.errors", reason="needs ansible-core")

from ansible_collections.evenkeel.fleet.plugins.filter.rollout_gates import FilterModule

pytestmark = pytest.mark.controller

PROMETHEUS = {"url": "http://prometheus:9090", "query": "up"}


def problems(gate):
    request = {"alone": {}, "wave": {}, "declared": [gate], "watch": ["error_rate < 1%"], "watched": True,
               "watch_name": "rollout-shop", "backend": "be_shop", "service": "shop", "first": False}
    return FilterModule().filters()["rollout_gate_problems"](request)


def metric(**options):
    return {"name": "orders", "type": "metric", "thresholds": ["value > 0"], **options}


def health(**check):
    return {"name": "stores", "type": "health", "checks": [{"name": "db", **check}]}


@pytest.mark.parametrize("gate", [
    metric(prometheus={**PROMETHEUS, "headers": {"Authorization": "Bearer abc"}}, wait_s=5),
    metric(balancer={}),
    metric(balancer={"server": "app1-blue", "duration_s": "10"}),
    metric(load_probe={"name": "watch"}),
    health(type="tcp", host="db1", port=5432),
    {"name": "smoke", "type": "command", "argv": ["/usr/local/bin/smoke", "--slot"], "rc": 0, "contains": "ok"},
])
def test_right_gates_have_no_problem(gate):
    assert problems(gate) == []


@pytest.mark.parametrize(("gate", "field", "example"), [
    (metric(prometheus={"url": "http://p:9090"}), "orders: missing required arguments: query", "query: up"),
    (metric(prometheus={}), "orders: missing required arguments: query, url found in prometheus", "query: up"),
    (metric(prometheus="http://p:hunter2@p"), "orders.prometheus: expected a dict", "query: up"),
    (metric(balancer={"sever": "x"}), "orders: unknown option balancer.sever. Supported", "duration_s: 10"),
    (metric(balancer={"duration_s": 0}), "orders.balancer.duration_s: expected more than 0 seconds, found 0", "10"),
    (metric(prometheus={**PROMETHEUS, "url": "p:9090"}), "orders.prometheus.url: expected a URL", "http://prometheus"),
    (metric(prometheus={**PROMETHEUS, "headers": {"Authorization": "Bearer hunter2\n"}}),
     "orders.prometheus.headers.Authorization: expected one line", "Accept"),
    (metric(prometheus=PROMETHEUS, wait_s=-1), "orders.wait_s: expected 0 or more seconds, found -1", "30"),
    (metric(prometheus=PROMETHEUS, deadline_s="soon"), "orders: argument 'deadline_s' is of type str", "query: up"),
    (health(type="htpp", url="http://x/"), "stores: value of type must be one of: http, tcp, ", "port: 5432"),
    (health(type="http"), "stores: type is http but all of the following are missing: url", "port: 5432"),
    (health(type="http", url="x/health"), "stores.checks: db: url: expected a URL", "https://app"),
    ({**health(type="tcp", port=5432), "consecutive": 0}, "stores.consecutive: expected 1 or more, found 0", "3"),
    ({"name": "smoke", "type": "command", "argv": ["x"], "rc": "good"}, "smoke: Elements value for option", "argv"),
])
def test_a_wrong_option_is_named_with_a_right_example(gate, field, example):
    (problem,) = problems(gate)
    assert f"rollout_gates: {field}" in problem
    assert example in problem.partition("Example: ")[2]
    assert "hunter2" not in problem


def test_what_the_gate_itself_gets_wrong_is_said_once():
    assert len(problems({"name": "orders", "type": "metric", "thresholds": ["value"], "balancer": {"sever": 1}})) == 1
