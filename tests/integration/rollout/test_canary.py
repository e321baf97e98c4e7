# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The canary judge in a rollout of the reference app: a verdict on real traffic, then the switch or the way back."""

from __future__ import annotations

import contextlib
import re

import pytest
from integration.rollout.faults import Machines, Users

JUDGED = {
    "rollout_judge": {"weight": 33, "max_error_rate": "2%", "deadline_s": 60},
    "rollout_watch_rate_rps": 100,
    "rollout_scenarios": [{"name": "browse", "requests": [{"path": "/api/browse?genre=drama"}]}],
    # The gate before the judge lets everything through that answers: the judge is what is tested.
    "rollout_gate_alone": {"rate_rps": 20, "duration_s": 1, "thresholds": ["error_rate < 99%"]},
}


def weights(fleet):
    """Return the weights of all servers at every load balancer."""
    return {server["weight"] for found in fleet.ask("edge", "evenkeel.fleet.balancer_info", "backend=be_pitch").values()
            for server in found["backends"]["be_pitch"]["servers"]}


def canary_records(fleet):
    found = fleet.ledgers()[fleet.hosts[0]]
    return [one for one in found["records"] if (one["run"], one["state"]) == (found["status"]["run"], "CANARY")]


def test_a_fifth_of_errors_is_found_with_a_tenth_of_the_traffic(fleet):
    done = fleet.play("rollout", release_name="bad-errors", **JUDGED)
    output = done.text
    assert done.rc == 2, done.output
    assert "rollout of pitch to bad-errors: rolled back on every host" in output
    found = re.search(r"fail: the new release failed (\d+) of \d+ requests, the old one beside it failed 0 of", output)
    assert found, done.output
    assert int(found[1]) <= 10
    assert done.failed_requests <= 10, done.output
    assert fleet.is_on("v1")
    assert weights(fleet) == {100}
    assert [one["phase"] for one in canary_records(fleet)] == ["intent"]
    aborting = next(one for one in fleet.ledgers()[fleet.hosts[0]]["records"][::-1] if one["data"].get("reason"))
    assert aborting["data"]["judge"][fleet.edge]["errors"] == int(found[1])


@pytest.mark.faults
def test_one_that_answers_later_is_found_by_the_users_own_requests(fleet):
    judge = {**JUDGED["rollout_judge"], "latency": {}}
    done = fleet.play("rollout", release_name="bad-slow", **{**JUDGED, "rollout_judge": judge})
    assert done.rc == 2, done.output
    assert "rollout of pitch to bad-slow: rolled back on every host" in done.text
    assert re.search(r"fail: p95_ms: .* of the new release, .* of the old one beside it: .*x\), tolerated 1", done.text)
    assert done.failed_requests == 0, done.output
    assert fleet.is_on("v1")


@pytest.mark.faults
def test_a_healthy_release_goes_on_and_the_evidence_is_in_the_ledger(fleet):
    judge = {**JUDGED["rollout_judge"], "latency": {"percentiles": ["p50"], "min_effect_ms": 1000}}
    done = fleet.play("rollout", release_name="v2", **{**JUDGED, "rollout_judge": judge})
    assert done.rc == 0, done.output
    assert done.failed_requests == 0, done.output
    assert fleet.is_on("v2")
    assert weights(fleet) == {100}
    intent, result = canary_records(fleet)
    assert (intent["phase"], intent["data"]["weight"]) == ("intent", 33)
    judged = result["data"]["judge"][fleet.edge]
    assert judged["requests"] >= 200
    assert (judged["errors"], judged["baseline_errors"]) == (0, 0)
    assert 0 < judged["p50_ms"] < judged["baseline_p50_ms"] + 1000
    back = fleet.play("rollback", rollback_to="previous")
    assert back.rc == 0, back.output


@pytest.mark.faults
def test_without_traffic_the_rollout_pauses_and_then_goes_back(fleet):
    judge = {"weight": 33, "deadline_s": 3, "looks": 2}
    done = fleet.play("rollout", release_name="v2", **{**JUDGED, "rollout_judge": judge,
                                                                 "rollout_watch": False})
    output = done.text
    assert done.rc == 2, done.output
    assert output.count("no verdict in 3 s: no request reached") >= 2, done.output
    assert "inconclusive: no verdict in 3 s: no request reached" in output
    assert fleet.is_on("v1")
    assert weights(fleet) == {100}


@pytest.mark.faults
def test_traffic_that_comes_while_it_pauses_lets_it_go_on(fleet):
    judge = {"weight": 33, "deadline_s": 3, "max_error_rate": "20%"}
    users = Users(Machines(fleet).address)
    with contextlib.ExitStack() as stack:
        done = fleet.play_until("no request reached", lambda: stack.enter_context(users), "rollout",
                                release_name="v2",
                                **{**JUDGED, "rollout_judge": judge, "rollout_watch": False})
    assert done.rc == 0, done.output
    assert "Judge | See again" in done.output
    assert users.failed == []
    assert fleet.is_on("v2")
    assert fleet.play("rollback", rollback_to="previous").rc == 0


def test_a_judge_that_means_nothing_is_refused_before_anything_is_changed(fleet):
    done = fleet.play("rollout", release_name="v2", rollout_judge={"weight": 1000})
    assert done.rc != 0
    assert "rollout_judge.weight: expected 1 to 256, found 1000" in done.text
    assert done.changed == 0
