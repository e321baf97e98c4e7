# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replicas per host: another number of them is a rollout, there and back without a failed request."""

from __future__ import annotations

import json
import re

import pytest
from integration.rollout.faults import Machines, Users
from integration.rollout.fleet import QUICK

#: What the app answers without its stores: twice the containers, not the database, are what is asked here.
TWO = {"release_name": "v1", "release_replicas": 2, "rollout_watch_rate_rps": 100,
       "rollout_scenarios": [{"name": "work", "requests": [{"path": "/api/work"}]}]}


def answered(fleet):
    """Return how many requests each server with traffic has answered."""
    found = fleet.ask("edge[0]", "evenkeel.fleet.balancer_info", "backend=be_pitch")[fleet.edge]
    return {one["name"]: one["counters"]["hrsp_2xx"] for one in found["backends"]["be_pitch"]["servers"]
            if one["state"] == "ready"}


@pytest.mark.faults
def test_from_one_to_two_and_back_without_a_failed_request(fleet):
    there = fleet.play("rollout", **TWO)
    assert there.rc == 0, there.output
    assert there.failed_requests == 0, there.output
    assert there.requests > 1000
    assert ", replicas: 2 instead of 1 (" in there.text
    assert fleet.is_on("v1", replicas=2)
    again = fleet.play("rollout", **TWO)
    assert (again.rc, again.changed) == (0, 0), again.output

    before = answered(fleet)
    fleet.ask("load[0]", "evenkeel.fleet.load_probe", json.dumps({
        "target": f"http://{fleet.edge}", "executor": "constant_arrival_rate", "rate_rps": 50, "duration_s": 2,
        "scenarios": [{"name": "health", "requests": [{"path": "/health"}]}]}))
    after = answered(fleet)
    assert len(after) == 2 * len(fleet.hosts)
    assert min(after[name] - before[name] for name in after) > 0, (before, after)

    host = fleet.hosts[0]
    found = fleet.ledgers()[host]
    second = found["instances"][found["status"]["current"]["slot"]]["replicas"][1]["container"]
    fleet.ask(host, "ansible.builtin.command", f"docker stop -t 0 {second}")
    plan = fleet.play("rollout", "--check", **TWO)
    assert plan.rc == 0, plan.output
    assert f"already there: {', '.join(fleet.hosts[1:])}" in plan.text, "a host without one of its replicas is not"
    repaired = fleet.play("rollout", **{**TWO, **QUICK})
    assert repaired.rc == 0, repaired.output
    assert fleet.is_on("v1", replicas=2)

    # Today's variable says two; the release before had one.
    back = fleet.play("rollback", rollback_to="previous", **TWO)
    assert back.rc == 0, back.output
    assert back.failed_requests == 0, back.output
    assert ", replicas: 1 instead of 2 (" in back.text
    assert fleet.is_on("v1")


@pytest.mark.parametrize(("variables", "problems"), [
    ({"release_replicas": 0}, ["release_replicas: expected a number of replicas, 1 or more, found 0"]),
    ({"release_replicas": 3, "release_ports": {"blue": 8001, "green": 8003}},
     ["Set load_balancer_replicas to 3 and run the playbook deploy, or lower",
      "release_ports: expected two slots whose ports stay apart with 3 replicas"]),
])
def test_a_number_that_cannot_go_well_is_refused_before_anything_moves(fleet, variables, problems):
    for arguments in (["--check"], []):
        refused = fleet.play("rollout", *arguments, release_name="v2", **variables)
        assert refused.rc != 0
        assert [one for one in problems if one not in refused.text] == []
        assert refused.changed == 0
    assert fleet.is_on("v1")


@pytest.mark.faults
def test_the_plan_proposes_replicas_for_the_load_of_now(fleet):
    with Users(Machines(fleet).address, rate_rps=50) as users:
        users.next(100)
        plan = fleet.play("rollout", "--check", release_name="v2", rollout_capacity_rps=20)
    assert (plan.rc, plan.changed) == (0, 0), plan.output
    found = re.search(r"capacity: load now ([\d.]+) rps, \d+% of 60 rps; proposal: (\d+) hosts, \d more .*"
                      r" release_replicas: (\d+) \(a host bears 20 rps with 1;", plan.text)
    assert found, plan.output
    load_rps, hosts, replicas = float(found[1]), int(found[2]), int(found[3])
    assert 35 <= load_rps <= 65
    # One host may be lost, and the others are used to seven tenths: less would not do, and more is not asked for.
    assert (hosts - 2) * 14 < load_rps <= (hosts - 1) * 14
    assert (replicas - 1) * 28 < load_rps <= replicas * 28


@pytest.mark.faults
def test_a_bad_release_with_replicas_ends_with_the_one_before(fleet):
    done = fleet.play("rollout", release_name="bad-late", release_replicas=2)
    assert done.rc == 2, done.output
    assert "rollout of pitch to bad-late: rolled back on every host" in done.output
    assert fleet.is_on("v1")


@pytest.mark.faults
def test_the_warm_up_asks_each_replica_before_any_user_does(fleet):
    """bad-late fails one request in five after its first 250: the gates before the switch see that it had those."""
    host = fleet.hosts[0]
    before = fleet.ledgers()[host]["status"]["current"]
    second = {"blue": 8004, "green": 8003}[before["slot"]]  # of the slot that is free
    late = {"rate_rps": 20, "duration_s": 1, "thresholds": ["error_rate > 10%"]}
    gates = [{"name": "second replica", "type": "load", "when": "alone", **late,
              "target": f"http://127.0.0.1:{second}"}]
    done = fleet.play("rollout", release_name="bad-late", release_replicas=2, rollout_gates=gates, **{
        **QUICK, "rollout_gate_alone": late,
        "rollout_gate_wave": {"rate_rps": 50, "duration_s": 2, "thresholds": ["error_rate < 1%"]},
        "rollout_scenarios": [{"name": "browse", "requests": [{"path": "/api/browse?genre=drama"}]}],
        "release_warmup": {"paths": ["/api/browse?genre=drama"], "count": 255, "deadline_s": 60}})
    assert done.rc == 2, done.output
    found = fleet.ledgers()[host]
    verdicts = {(record["state"], gate["name"]): gate["verdict"] for record in found["records"]
                if record["run"] == found["status"]["run"] for gate in record["data"].get("gates", [])}
    assert verdicts["VERIFIED", "load on the new release alone"] == "pass", verdicts
    assert verdicts["VERIFIED", "second replica"] == "pass", verdicts
    assert verdicts["ABORTING", "load through the load balancer"] == "fail", verdicts
    assert fleet.is_on(before["release"])
