# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gates: what runs when and where, what is refused before anything moves, and no answer is no pass."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge import gates

LOAD = {"rate_rps": 20, "duration_s": 3, "thresholds": ["error_rate < 1%"]}
ALONE, WAVE = "load on the new release alone", "load through the load balancer"
METRIC = {"name": "orders", "type": "metric", "thresholds": ["value > 0"],
          "prometheus": {"url": "http://prometheus:9090", "query": "up"}}
COUNTERS = {"name": "counters", "type": "metric", "thresholds": ["econ == 0"], "balancer": {"duration_s": 2}}
HEALTH = {"name": "stores", "type": "health", "when": "alone", "checks": [{"name": "db", "type": "tcp", "port": 5432}]}
COMMAND = {"name": "smoke", "type": "command", "when": "alone", "argv": ["/usr/local/bin/smoke"], "rc": [0, 3]}
MANUAL = {"name": "go on", "type": "manual", "timeout_s": 60}


def request(*declared, **more):
    return {"alone": LOAD, "wave": LOAD, "declared": declared, "watch": [], "watched": True, "watch_name": "w",
            "load_host": "load1", "edge_hosts": ["edge1", "edge2"], "backend": "be_shop", "service": "shop",
            "hosts": ["edge1", "load1"], "first": False, **more}


def order(arranged):
    return [(one["name"], one["on"]) for kind in arranged["types"] for one in arranged["queue"][kind]]


def test_without_declared_gates_there_are_the_two_load_gates():
    assert order(gates.arrange(request(), "alone", 1, "app1")) == [(ALONE, "app1")]
    assert order(gates.arrange(request(), "wave", 1, "app1")) == [(WAVE, "load1")]
    assert gates.arrange(request(), "soak", 0, "app1")["types"] == []
    assert gates.arrange(request(alone={}), "alone", 1, "app1")["types"] == []


def test_what_costs_nothing_comes_first_and_people_last():
    asked = request(MANUAL, METRIC, COUNTERS, {**HEALTH, "when": "wave"}, watch=["error_rate < 1%"])
    arranged = gates.arrange(asked, "wave", 2, "app1")
    assert arranged["types"] == ["health", "load", "metric", "manual"]
    assert order(arranged) == [("stores", "load1"), (WAVE, "load1"), ("requests of the watch", "load1"),
                               ("orders", "load1"), ("counters", "edge1"), ("counters", "edge2"), ("go on", "load1")]
    assert {one["wave"] for queue in arranged["queue"].values() for one in queue} == {2}
    assert arranged["options"]["counters"]["balancer"] == {"backend": "be_shop", "duration_s": 2}


def test_a_command_is_a_health_check_and_a_gate_may_name_its_host():
    arranged = gates.arrange(request(HEALTH, {**COMMAND, "host": "db1"}), "alone", 1, "app2")
    assert order(arranged) == [("stores", "app2"), ("smoke", "db1"), (ALONE, "app2")]
    assert arranged["options"]["smoke"] == {"deadline_s": 0, "checks": [
        {"name": "smoke", "type": "command", "argv": ["/usr/local/bin/smoke"], "rc": [0, 3], "timeout_s": 60}]}


def test_who_stands_in_the_queue_carries_no_secret():
    secret = {**HEALTH, "checks": [{"name": "db", "type": "postgres", "password": "hunter2"}]}
    arranged = gates.arrange(request(secret), "alone", 1, "app1")
    assert "hunter2" not in str(arranged["queue"])
    assert "hunter2" in str(arranged["options"])


def test_the_baseline_is_what_the_old_release_did_and_a_first_deployment_has_none():
    compared = {**LOAD, "baseline": {"tolerance": "20%"}}
    assert gates.arrange(request(wave=compared), "wave", 1, "app1")["options"][WAVE] == {
        **LOAD, "baseline": {"tolerance": "20%"}, "measured": "rollout-shop-load-through-the-load-balancer"}
    assert gates.arrange(request(wave=compared, first=True), "wave", 1, "app1")["options"][WAVE] == LOAD


@pytest.mark.parametrize(("gate", "message"), [
    ({}, "rollout_gates.name: expected a name"),
    ({"name": "a"}, "rollout_gates: a.type: expected one of health, command, load, metric, manual, found None"),
    ({**METRIC, "when": "later"}, "orders.when: expected one of alone, wave, soak, found 'later'"),
    ({**METRIC, "rate_rps": 1}, "orders: expected for type metric only"),
    ({"name": "a", "type": "health"}, "a.checks: expected a value, which type health cannot do without"),
    ({**MANUAL, "timeout_s": -1}, "go on.timeout_s: expected more than 0 seconds, found -1"),
    ({**METRIC, "balancer": {}}, "orders: expected exactly one of prometheus, balancer, load_probe"),
    ({**METRIC, "host": "edge9"}, "orders.host: expected a host of the inventory, found 'edge9'. Example: edge1"),
    ({**LOAD, "name": "a", "type": "load", "baseline": "yes"}, "a.baseline: expected a dict, found 'yes'"),
    ({**LOAD, "name": "a", "type": "load", "baseline": {"result_name": "x"}}, "a.baseline: expected only percentiles"),
    ({**LOAD, "name": ALONE, "type": "load"}, "expected names that are used once"),
])
def test_a_wrong_gate_is_named_before_anything_moves(gate, message):
    (problem,) = gates.problems(request(gate))
    assert message in problem


def test_a_gate_with_a_variable_of_its_own_is_named_by_it():
    wrong = {**LOAD, "duration_s": 0}
    alone, wave = gates.problems(request(alone=wrong, wave={**LOAD, "rate": 5}))
    assert alone.startswith("rollout_gate_alone.duration_s: expected more than 0 seconds, found 0")
    assert wave.startswith("rollout_gate_wave: expected for type load only")


class Later(dict):
    """A gate that refers to what only comes later; it is not to be looked at before."""

    def keys(self):
        raise LookupError

    __iter__ = keys


def test_gates_of_other_moments_are_not_looked_at():
    soak = Later({**HEALTH, "when": "soak"})
    arranged = gates.arrange(request(HEALTH, soak, wave=Later(LOAD)), "alone", 1, "app1")
    assert list(arranged["options"]) == [ALONE, "stores"]
    with pytest.raises(LookupError):
        gates.arrange(request(soak), "soak", 0, "app1")


def test_good_gates_have_no_problem_and_the_plan_says_what_they_are():
    asked = request(HEALTH, COMMAND, METRIC, COUNTERS, MANUAL, watch=["error_rate < 0.1%"])
    assert gates.problems(asked) == []
    assert gates.sentences(asked) == [
        "metric gate 'requests of the watch' after each wave: error_rate < 0.1%",
        "health gate 'stores' on the new release alone",
        "command gate 'smoke' on the new release alone",
        "metric gate 'orders' after each wave: value > 0",
        "metric gate 'counters' after each wave: econ == 0",
        "manual gate 'go on' after each wave: answered within 60 s"]


def test_limits_of_a_watch_that_is_off_are_refused():
    (problem,) = gates.problems(request(watch=["error_rate < 1%"], watched=False))
    assert "rollout_watch_thresholds: expected a watch to judge" in problem


def result(name, verdict, wave=1, when="wave", **more):
    return {"item": {"name": name, "type": "load", "when": when, "wave": wave, "on": "load1"}, "verdict": verdict,
            "reasons": [] if verdict == "pass" else ["p95 < 50ms: measured 70"], "samples": {"histograms": {}}, **more}


def test_evidence_is_of_this_wave_and_without_what_the_numbers_came_from():
    registered = [{"results": [result("a", "pass", metrics={"requests": 5}), result("b", "fail", wave=2)]},
                  {"skipped": True, "results": []}, None]
    (found,) = gates.evidence(registered, 1)
    assert found == {"name": "a", "type": "load", "when": "wave", "wave": 1, "on": "load1", "verdict": "pass",
                     "reasons": [], "metrics": {"requests": 5}}
    assert gates.evidence(registered, 1, "alone") == []
    soak = [{"results": [result("c", "pass", wave=0, when="soak")]}]
    assert [one["name"] for one in gates.evidence(soak, 3)] == ["c"]


def test_the_judge_is_evidence_of_the_first_wave_and_the_budget_of_each():
    judged = {"results": [{"item": {"item": "edge1"}, "verdict": "pass", "reasons": [], "metrics": {"requests": 9}}]}
    budget = {"results": [{"item": "edge1", "verdict": "pass", "reasons": []}]}
    assert [one["name"] for one in gates.evidence([], 1, "canary", judged, budget)] == ["canary judge"]
    assert [one["name"] for one in gates.evidence([], 2, "", judged, budget)] == []
    (found,) = gates.evidence([], 2, "wave", judged, budget)
    assert (found["name"], found["on"], found["wave"]) == ("error budget", "edge1", 2)


def test_no_answer_is_not_a_pass():
    unreachable = {"item": result("a", "pass")["item"], "unreachable": True, "msg": "no route"}
    assert gates.refused({"results": [result("b", "pass"), unreachable, result("c", "fail")]}) == [
        "a: inconclusive: no route", "c: fail: p95 < 50ms: measured 70"]
    assert gates.refused({"results": [result("b", "pass")]}) == []
