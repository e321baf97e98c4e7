# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gate's module would refuse once users are there is refused with the plan."""

from __future__ import annotations

import pytest

pytest.importorskip("ansible.errors", reason="needs ansible-core")

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.evenkeel.fleet.plugins.filter.rollout_gates import FilterModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.options import PROBE
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.task import perform
from hypothesis import given
from hypothesis import strategies as st
from jinja2.exceptions import UndefinedError

pytestmark = pytest.mark.controller

LOAD = {"name": "users", "type": "load", "rate_rps": 20, "duration_s": 3, "thresholds": ["error_rate < 1%"]}
HEALTH_PATH = [{"name": "health", "requests": [{"path": "/health"}]}]
PROMETHEUS = {"url": "http://prometheus:9090", "query": "up"}


class Lazy(dict):
    """A mapping of which a value cannot be templated yet, as Ansible shows it."""

    def get(self, key, default=None):
        if super().get(key) is LATER:
            raise UndefinedError("'later' is undefined")
        return super().get(key, default)

    __getitem__ = get

    def items(self):
        return [(key, self[key]) for key in self]

    def keys(self):
        return list(self)

    def __iter__(self):
        return super().__iter__()


LATER = object()


def problems(*declared, **more):
    request = {"alone": {}, "wave": {}, "declared": declared, "watch": ["error_rate < 1%"], "watched": True,
               "watch_name": "rollout-shop", "backend": "be_shop", "service": "shop", "first": False,
               "hosts": ["app1"], "url": "https://edge1", "scenarios": HEALTH_PATH, **more}
    return FilterModule().filters()["rollout_gate_problems"](Lazy(request))


def load(*requests, **options):
    scenarios = {"scenarios": [{"name": "browse", "requests": list(requests)}]} if requests else {}
    return {**LOAD, **scenarios, **options}


def fed(feeder, path):
    return {**LOAD, "scenarios": [{"name": "visit", "feeders": [feeder], "requests": [{"path": path}]}]}


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
    load(),
    load({"path": "/a", "checks": {"status": [200]}}, {"path": "/b", "weight": "3"}, rate_rps="20", warmup_s=1),
    load({"path": "/a"}, thresholds=["browse: p95 < 5ms", "error_rate < 5% or abort after 2s"], when="alone"),
    load(thresholds=["health: p99.9 < 50ms"], baseline={"tolerance": "20%", "percentiles": ["p50", "p99.9"]}),
    load({"command": "GET key"}, target="redis://cache1:6379/0"),
    load({"path": "/a"}, target="https://nowhere.invalid:8443/shop"),
    fed({"name": "user", "path": "/srv/users.csv"}, "/api/${user.email}/${user.id-2}?q=${iteration}"),
    fed({"name": "user", "path": "/srv/users.csv"}, "/api/browse"),
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
    (metric(prometheus=PROMETHEUS, thresholds=["value"]), "orders.thresholds: expected <metric> <comparison>", "p95"),
    (load(rate_rps="many"), "users: argument 'rate_rps' is of type str", "rate_rps: 20"),
    (load(duration_s=0.01), "users.duration_s: expected 0.1 or more, found 0.01", "10"),
    (load(warmup_s=-1), "users.warmup_s: expected 0 or more, found -1.0", "2"),
    (load(thresholds=["p95"]), "users.thresholds: expected <metric> <comparison> <limit>, found 'p95'", "p95 < 50ms"),
    (load(thresholds=["p95 < 5 MB"]), "users.thresholds: expected a duration in", "30s"),
    (load(thresholds=["p101 < 5"]), "users.thresholds: expected one of the metrics p50", "p95 < 50ms"),
    (load(thresholds=["shop: p95 < 5ms"]), "users.thresholds: expected one of the scenarios health", "health: p95"),
    (load(thresholds=["recovery_s < 5"]), "users.thresholds: expected no recovery_s with the executor", "p95 < 50"),
    (load({"pth": "/a"}), "users: unknown option scenarios.requests.pth. Supported", "requests: [{path: /api/browse}]"),
    (load({"path": "a"}), "users.scenarios[0].requests[0].path: expected a path that begins with a slash", "/api"),
    (load({"path": "/a", "weight": 0}), "users.scenarios[0].requests[0].weight: expected a whole number", "3"),
    (load({"path": "/${user.id}"}), "users.scenarios[0].requests[0].path: expected a variable of a feeder", "capture"),
    (load({"path": "/a", "headers": "Bearer hunter2-and-more"}), "users: argument 'headers' is of type str", "path:"),
    (load({"path": "/a", "checks": {"pointers": {"a": 1}}}), "users.scenarios[0].requests[0].checks.pointers", "/"),
    (load({"path": "/a"}, target="redis://cache1"), "users.scenarios[0].requests[0]: expected only the keys", "{"),
    (load(target="edge1"), "users.target: expected a URL that begins with http://", "http://edge1"),
    (load(target="http://u:hunter2@edge1"), "users.target: expected a URL without user, password", "http://edge1"),
    (load(baseline={"tolerance": "a lot"}), "users.baseline.tolerance: expected a share", "10%"),
    (load(baseline={"confidence": 95}), "users.baseline.confidence: expected a number from 0.5", "0.95"),
    (load(baseline={"percentiles": ["95"]}), "users.baseline.percentiles: expected the name", "[p50, p95"),
    (fed({"name": "user", "path": "/srv/x", "values": ["a"]}, "/"), "users.scenarios[0].feeders[0]: expected exactly",
     "values"),
    (fed({"name": "user", "path": "/srv/x", "policy": "last"}, "/"), "users: value of policy must be one of", "path:"),
    (fed({"name": "user", "path": "/srv/x"}, "/${users.id}"), "users.scenarios[0].requests[0].path: expected", "json"),
])
def test_a_wrong_option_is_named_with_a_right_example(gate, field, example):
    (problem,) = problems(gate)
    assert f"rollout_gates: {field}" in problem
    assert example in problem.partition("Example: ")[2]
    assert "hunter2" not in problem


def test_what_the_gate_itself_gets_wrong_is_said_once():
    assert len(problems({"name": "orders", "type": "metric", "thresholds": ["value"], "balancer": {"sever": 1}})) == 1


@pytest.mark.parametrize(("more", "where"), [
    ({"alone": {"rate_rps": 20, "duration_s": 3, "thresholds": ["p95 < x"]}}, "rollout_gate_alone.thresholds"),
    ({"wave": load({"pth": "/"})}, "rollout_gate_wave: unknown option scenarios.requests.pth"),
    ({"watch": ["errors"]}, "rollout_watch_thresholds.thresholds"),
    ({"url": "edge1"}, "rollout_url: expected a URL"),
    ({"scenarios": [{"name": "a", "requests": [{"path": "a"}]}]}, "rollout_scenarios[0].requests[0].path"),
    ({"scenarios": [{"name": "a", "request": []}]}, "rollout_scenarios: unknown option scenarios.request"),
])
def test_what_gates_share_is_named_once_as_the_user_wrote_it(more, where):
    (problem,) = problems(load(), load(name="more", thresholds=["health: p95 < 5ms"]), **more)
    assert problem.startswith(where)
    assert "Example: " in problem


SCOPED = ["p95 < 5ms", "browse: p95 < 9ms"]


@pytest.mark.parametrize("gate", [
    load({"path": "/a"}, target=LATER, thresholds=SCOPED),
    load({"command": "PING"}, target=LATER),
    load(scenarios=LATER, thresholds=SCOPED),
    load(scenarios=LATER, target="redis://cache1"),
    load(scenarios=[Lazy(name="browse", requests=LATER)], thresholds=SCOPED),
    load(rate_rps=LATER, thresholds=LATER, duration_s=LATER, warmup_s=LATER, baseline=LATER),
    metric(prometheus=Lazy(PROMETHEUS, url=LATER), wait_s=LATER),
    metric(balancer=LATER, thresholds=LATER),
    {"name": "stores", "type": "health", "checks": LATER, "consecutive": LATER},
    {"name": "smoke", "type": "command", "argv": LATER, "contains": LATER},
])
def test_what_only_comes_later_is_left_to_the_gate(gate):
    assert problems(Lazy(gate)) == []
    assert problems(load(thresholds=SCOPED), url=LATER, scenarios=LATER) == []


@pytest.mark.parametrize(("gate", "told"), [
    (load({"pth": "/a"}, target=LATER), "unknown option scenarios.requests.pth"),
    (load(scenarios=LATER, thresholds=["p95 < x", "browse: p95 < 9ms"]), "users.thresholds: expected"),
    (load(scenarios=LATER, target="edge1"), "users.target: expected a URL"),
    (load(target=LATER, baseline={"confidence": 2}), "users.baseline.confidence"),
    (load(rate_rps=LATER, duration_s=0), "users.duration_s: expected"),
    (metric(prometheus=LATER, thresholds=["value"]), "orders.thresholds: expected"),
    ({"name": "stores", "type": "health", "checks": LATER, "consecutive": 0}, "stores.consecutive: expected"),
])
def test_what_is_known_is_judged_all_the_same(gate, told):
    (problem,) = problems(Lazy(gate))
    assert told in problem


def test_the_plan_prints_a_gate_of_which_not_everything_is_known():
    sentences = FilterModule().filters()["rollout_gate_sentences"]
    request = {"alone": {}, "wave": {}, "declared": [Lazy(load(target=LATER))], "watch": [], "watched": True}
    assert sentences(request) == ["load gate 'users' after each wave: error_rate < 1%"]


OPTIONS = {
    "rate_rps": st.sampled_from([20, "20", -1, "many", None]),
    "duration_s": st.sampled_from([3, 0.01, "3s"]),
    "warmup_s": st.sampled_from([0, 1.5, -1]),
    "target": st.sampled_from(["https://edge1", "edge1", "redis://cache1/0", "http://edge1/?a=b"]),
    "thresholds": st.lists(st.sampled_from(["p95 < 5ms", "browse: rps > 3", "shop: rps > 3", "errors < 1 or abort",
                                            "p95"])),
    "scenarios": st.lists(st.fixed_dictionaries({"name": st.sampled_from(["browse", "a:b", ""])}, optional={
        "weight": st.sampled_from([1, 0]), "think_s": st.sampled_from([1, [2, 1]]),
        "feeders": st.sampled_from([[{"name": "id", "range": {"from": 1, "to": 3}}], [{"name": "id"}]]),
        "requests": st.lists(st.sampled_from([{"path": "/a"}, {"path": "a"}, {"pth": "/a"}, {"path": "/${id}"},
                                              {"command": "PING"}]), max_size=2)}), max_size=2),
    "baseline": st.sampled_from([{}, {"tolerance": "20%"}, {"tolerance": "x"}, {"confidence": 2},
                                 {"percentiles": ["p0"]}]),
}


@given(st.fixed_dictionaries({}, optional=OPTIONS))
def test_the_plan_refuses_what_the_probe_would(options):
    gate = {**LOAD, **options}
    asked = {key: value for key, value in gate.items() if key not in ("name", "type")}
    asked.setdefault("target", "https://edge1")
    asked.setdefault("scenarios", HEALTH_PATH)
    if "baseline" in asked:
        asked["baseline"] = {**asked["baseline"], "target": "https://edge1"}
    result = ArgumentSpecValidator(PROBE).validate({**asked, "executor": "constant_arrival_rate"})
    refused = bool(result.error_messages) or asked["rate_rps"] is None or not asked["thresholds"]
    if not refused:
        given = {key: value for key, value in result.validated_parameters.items() if value is not None}
        try:
            perform(check_mode=True, **given)
        except InputError:
            refused = True
    assert bool(problems(gate)) == refused
