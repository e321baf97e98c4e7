# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gates of every kind in rollouts of the reference app: what passes goes on, everything else goes back and says why."""

from __future__ import annotations

import subprocess
import time

import pytest
from benchmarks.common import free_port, wait_for_port
from integration.rollout.faults import SHORT, Machines

pytestmark = pytest.mark.faults  # whole rollouts, a minute each

GATEWAY = "172.30.77.1"  # this machine, as the lab's hosts see it
HEALTH = {"name": "database", "type": "health", "when": "alone",
          "checks": [{"name": "db1", "type": "tcp", "host": "db1", "port": 5432}], "deadline_s": 5}
COMMAND = {"name": "engine", "type": "command", "when": "alone", "argv": ["docker", "version"], "contains": "Server",
           "timeout_s": 10}
COUNTERS = {"name": "counters", "type": "metric", "balancer": {"duration_s": 1},
            "thresholds": ["error_rate < 1%", "econ == 0"]}
MANUAL = {"name": "go on", "type": "manual", "when": "soak", "timeout_s": 60, "message": "orders are as usual?"}


@pytest.fixture(scope="module")
def prometheus(fleet, tmp_path_factory):
    """A Prometheus of this machine that scrapes itself, where the lab's hosts can ask it."""
    directory, port = tmp_path_factory.mktemp("prometheus"), free_port()
    configuration = directory / "prometheus.yml"
    configuration.write_text("global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: self\n"
                             f"    static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n", encoding="utf-8")
    process = subprocess.Popen(
        ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={directory}/tsdb",
         f"--web.listen-address=0.0.0.0:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_port(port)
    yield f"http://{GATEWAY}:{port}"
    process.kill()
    process.wait()


def metric(url, query, *thresholds, **options):
    return {"name": "asked of Prometheus", "type": "metric", "prometheus": {"url": url, "query": query},
            "thresholds": thresholds or ["value > 0"], "deadline_s": 3, **options}


def answer(fleet, **variables):
    """Answer as people do, as soon as somebody asks."""
    def run():
        deadline = time.monotonic() + 30
        done = fleet.play("approve", **variables)
        while done.rc and time.monotonic() < deadline:
            done = fleet.play("approve", **variables)
        assert done.rc == 0, done.output
    return run


def found(fleet, host):
    """Return the gates in a host's ledger of the last run, by name, with their verdicts."""
    ledger = fleet.ledgers()[host]
    return {gate["name"]: gate["verdict"] for record in ledger["records"]
            if record["run"] == ledger["status"]["run"] for gate in record["data"].get("gates", [])}


def test_gates_of_every_kind_pass_and_what_they_measured_is_in_every_ledger(fleet, prometheus):
    gates = [HEALTH, COMMAND, COUNTERS, metric(prometheus, 'up{job="self"}'), MANUAL]
    # 20 ms of work, which a busy machine does not double as it does an answer of 2 ms.
    wave = {"rate_rps": 150, "duration_s": 4, "thresholds": ["error_rate < 1%"],
            "scenarios": [{"name": "work", "requests": [{"path": "/api/work"}]}],
            "baseline": {"tolerance": "100%", "error_tolerance": "5%", "percentiles": ["p50"]}}
    alone = {**wave, "rate_rps": 50, "duration_s": 3}
    done = fleet.play_until(
        "Gate | Wait for the answer", answer(fleet, approve_operator="alice"), "rollout", release_name="v2",
        rollout_gates=gates, rollout_gate_wave=wave, rollout_gate_alone=alone,
        rollout_watch_thresholds=["error_rate < 1%"], rollout_guard_ttl_s=240)
    assert done.rc == 0, done.output
    assert fleet.is_on("v2")
    assert "command gate 'engine' on the new release alone" in done.text
    for host in fleet.hosts:
        assert found(fleet, host) == dict.fromkeys(
            ["database", "engine", "load on the new release alone", "load through the load balancer",
             "requests of the watch", "counters", "asked of Prometheus", "go on"], "pass")
    back = fleet.play("rollback", rollback_to="previous")
    assert back.rc == 0, back.output


@pytest.mark.parametrize(("gate", "reason"), [
    ({**COMMAND, "contains": "no such engine"}, "engine: fail: engine:"),
    pytest.param({**HEALTH, "checks": [{"name": "db1", "type": "tcp", "host": "db1", "port": 9}], "deadline_s": 1},
                 "database: fail: db1:", marks=pytest.mark.faults),
    pytest.param({**COUNTERS, "thresholds": ["rps < 1"]}, "counters: fail: rps < 1: measured",
                 marks=pytest.mark.faults),
    pytest.param({**MANUAL, "when": "wave", "timeout_s": 3}, "go on: inconclusive: nobody answered within 3 s",
                 marks=pytest.mark.faults),
])
def test_a_gate_that_does_not_pass_sends_every_host_back(fleet, gate, reason):
    done = fleet.play("rollout", release_name="v2", rollout_gates=[gate])
    assert done.rc == 2, done.output
    assert reason in done.text
    assert "rolled back on every host" in done.output
    assert done.failed_requests == 0
    assert fleet.is_on("v1")
    assert found(fleet, fleet.hosts[0])[gate["name"]] != "pass"


@pytest.mark.parametrize(("query", "reason"), [
    ('up{job="nobody"}', "inconclusive: Prometheus has no data for this query"),
    pytest.param("vector(0)", "fail: value > 0: measured 0", marks=pytest.mark.faults),
    pytest.param("sum(", "inconclusive: prometheus.query: expected a query that Prometheus can evaluate",
                 marks=pytest.mark.faults),
])
def test_prometheus_says_no_or_nothing(fleet, prometheus, query, reason):
    done = fleet.play("rollout", release_name="v2", rollout_gates=[metric(prometheus, query)])
    assert done.rc == 2, done.output
    assert reason in done.text
    assert fleet.is_on("v1")


def test_a_refusal_after_the_soak_sends_every_host_back(fleet):
    refuse = answer(fleet, approve_answer="refuse", approve_reason="orders fell", approve_operator="bob")
    done = fleet.play_until("Gate | Wait for the answer", refuse, "rollout", release_name="v2",
                            rollout_gates=[MANUAL])
    assert done.rc == 2, done.output
    assert "go on: fail: refused by bob: orders fell" in done.text
    assert done.failed_requests == 0
    assert fleet.is_on("v1")
    first, *later = [{(one["state"], one["phase"]): one["time"] for one in found["records"]} for found in
                     map(fleet.ledgers().get, fleet.hosts)]  # of the last run, for the later ones win
    assert max(one["ROLLED_BACK", "result"] for one in later) < first["ABORTING", "intent"]  # the newest wave first


def test_the_watch_itself_ends_a_rollout_that_costs_too_much(fleet):
    """bad-late fails after its first requests; here no gate but the watch looks."""
    done = fleet.play("rollout", release_name="bad-late", rollout_gate_wave={}, rollout_watch_rate_rps=200,
                      rollout_scenarios=[{"name": "browse", "requests": [{"path": "/api/browse?genre=drama"}]}],
                      rollout_gates=[{**COUNTERS, "balancer": {"duration_s": 8}, "thresholds": ["requests > 0"]}],
                      rollout_watch_thresholds=["error_rate < 0.5%"])
    assert done.rc == 2, done.output
    assert "requests of the watch: fail: error_rate < 0.5%: measured" in done.text
    assert fleet.is_on("v1")


def test_a_wrong_gate_is_refused_before_anything_moves(fleet):
    done = fleet.play("rollout", release_name="v2", rollout_gates=[{**COUNTERS, "thresholds": ["econ"]}])
    assert done.rc != 0
    assert "rollout_gates: counters.thresholds: expected <metric> <comparison> <limit>" in done.text
    assert done.changed == 0


def test_an_answer_that_nobody_asked_for_is_refused(fleet):
    done = fleet.play("approve")
    assert done.rc != 0
    assert "approve: expected a question, found none" in done.text


@pytest.mark.parametrize("when", ["alone", "wave"])
def test_a_person_may_take_longer_than_the_guards_live(fleet, when):
    """Before any traffic the hosts' own guards would fire, after the switch that of the load balancer."""
    assert fleet.play("deploy", release_name="v1").rc == 0
    machines, seen = Machines(fleet), {}

    def late():
        time.sleep(SHORT["rollout_guard_ttl_s"] + SHORT["release_guard_look_s"] + 12)
        seen["guard"] = machines.guard()["state"]
        answer(fleet, approve_operator="alice")()

    done = fleet.play_until(
        "Gate | Wait for the answer", late, "rollout", release_name="v2",
        **{**SHORT, "rollout_strategy": "blue_green", "rollout_gates": [{**MANUAL, "when": when, "timeout_s": 150}]})
    assert done.rc == 0, done.output
    assert done.failed_requests == 0
    assert fleet.is_on("v2")
    if when == "wave":
        assert seen["guard"] == "armed"
    guard = machines.guard()
    assert (guard["state"], guard["fired_at"]) == ("disarmed", "")
    for host, ledger in fleet.ledgers().items():
        steps = [one for one in ledger["records"] if one["run"] == ledger["status"]["run"]]
        assert guard["run"] == ledger["status"]["run"]
        assert "guard" not in {one["operator"] for one in steps}, host
        asked = [gate for one in steps for gate in one["data"].get("gates", []) if gate["name"] == MANUAL["name"]]
        assert {gate["verdict"] for gate in asked} == {"pass"}
        assert min(gate["duration_s"] for gate in asked) > SHORT["rollout_guard_ttl_s"]
    back = fleet.play("rollback", rollback_to="previous")
    assert back.rc == 0, back.output
    assert fleet.is_on("v1")


def test_a_release_that_is_slower_than_the_old_one_goes_back(fleet):
    """bad-slow answers well, after 3 s; no threshold says how long it may take."""
    assert fleet.play("deploy", release_name="v1").rc == 0
    gate = {"rate_rps": 20, "duration_s": 8, "thresholds": ["error_rate < 99%"],
            "baseline": {"tolerance": "100%", "error_tolerance": "10%", "percentiles": ["p50"]}}
    done = fleet.play("rollout", release_name="bad-slow", rollout_gate_alone=gate,
                      rollout_scenarios=[{"name": "browse", "requests": [{"path": "/api/browse?genre=drama"}]}])
    assert done.rc == 2, done.output
    assert "load on the new release alone: fail:" in done.text
    assert "rollout of pitch to bad-slow: rolled back on every host" in done.text
    assert done.failed_requests == 0
    assert fleet.is_on("v1")
    ledger = fleet.ledgers()[fleet.hosts[0]]
    reasons = [reason for one in ledger["records"] if one["run"] == ledger["status"]["run"]
               for gate in one["data"].get("gates", []) if gate["name"] == "load on the new release alone"
               for reason in gate["reasons"]]
    assert any("p50_ms: " in reason and "× the baseline's" in reason and reason.endswith("tolerated 2×")
               for reason in reasons), reasons
    assert "SWITCHED" not in {one["state"] for one in ledger["records"] if one["run"] == ledger["status"]["run"]}
