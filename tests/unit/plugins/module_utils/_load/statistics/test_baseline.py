# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A result against an earlier one: what passes, what fails, and what cannot be told."""

from __future__ import annotations

import json
import math
import random

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.metrics import Part, row_of
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.baseline import Baseline, Limits
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.histogram import Histogram


def result_of(seed, factor=1.0, errors=0.0, seconds=20, rps=100, names=("browse",), stall=0):
    """Return the result of a probe whose latencies are lognormal around 20 ms; in ``stall`` seconds ten times that."""
    rng = random.Random(seed)
    scenarios = {name: Part() for name in names}
    rows = []
    for number in range(seconds):
        second = Part()
        slow = 10 if number < stall else 1
        for part in scenarios.values():
            fresh = Part(rps, sum(rng.random() < errors for dummy in range(rps)))
            fresh.latency.record([round(20_000 * factor * slow * math.exp(rng.gauss(0, 0.5))) for dummy in range(rps)])
            part.merge(fresh)
            second.merge(fresh)
        rows.append({**row_of(number, second.requests, second.errors, second.latency),
                     "histogram": second.latency.to_dict()})
    return json.loads(json.dumps({
        "scenarios": {name: part.metrics([95.0]) for name, part in scenarios.items()},
        "samples": {"series": rows, "histograms": {name: part.latency.to_dict() for name, part in scenarios.items()}},
        "started_at": "2026-11-21T08:00:00.000Z",
    }))


def compare(before, after, **options):
    return Baseline(before, Limits.parse(**options)).compare(after)


def verdicts(comparison):
    return {(row["scope"], row["metric"]): row["verdict"] for row in comparison["rows"]}


def test_the_same_service_passes():
    found = compare(result_of(1), result_of(2))
    assert (found["verdict"], found["reasons"]) == ("pass", [])
    assert verdicts(found) == {("browse", metric): "pass" for metric in ("p50_ms", "p95_ms", "error_rate")}
    assert found["effects"]["browse"]["size"] == "negligible"


def test_a_slower_one_fails_and_the_reason_has_the_numbers():
    found = compare(result_of(1), result_of(2, factor=1.3))
    row = found["rows"][1]
    assert (found["verdict"], row["metric"]) == ("fail", "p95_ms")
    assert 1.1 < row["low"] < row["estimate"] < row["high"] < 1.5
    assert row["estimate"] == pytest.approx(1.3, rel=0.1)
    assert found["reasons"][0].startswith("browse: p50_ms: 1.")
    assert "tolerated 1.1×" in found["reasons"][0]
    assert found["effects"]["browse"]["cliffs_delta"] > 0.2


def test_a_faster_one_passes():
    assert compare(result_of(1), result_of(2, factor=0.5))["verdict"] == "pass"


def test_what_is_worse_within_the_tolerance_passes():
    assert compare(result_of(1), result_of(2, factor=1.1), tolerance="30%")["verdict"] == "pass"


def test_too_few_requests_cannot_tell():
    found = compare(result_of(1, seconds=1, rps=30), result_of(2, seconds=1, rps=30))
    assert found["verdict"] == "inconclusive"
    assert "too few requests" in found["reasons"][0]


def test_more_errors_fail_in_percentage_points():
    found = compare(result_of(1, errors=0.001), result_of(2, errors=0.05))
    assert verdicts(found)["browse", "error_rate"] == "fail"
    assert any("points against the baseline" in reason for reason in found["reasons"])
    assert verdicts(compare(result_of(1), result_of(2, errors=0.05), error_tolerance="10%"))["browse", "error_rate"] \
        == "pass"


def test_a_stall_in_one_second_is_no_proof():
    """One slow second of 20 moves the 95th percentile; that it was one second keeps it from being sure."""
    found = compare(result_of(1), result_of(2, stall=1))
    assert verdicts(found)["browse", "p95_ms"] == "inconclusive"
    without_seconds = result_of(2, stall=1)
    del without_seconds["samples"]["series"]
    assert verdicts(compare(result_of(1), without_seconds))["browse", "p95_ms"] == "fail"


def test_scenarios_are_compared_by_name_and_all_together():
    before, after = result_of(1, names=("a", "b")), result_of(2, names=("a", "b"))
    assert {scope for scope, _metric in verdicts(compare(before, after))} == {"", "a", "b"}
    found = compare(before, result_of(2, names=("a", "c")))
    assert {scope for scope, _metric in verdicts(found)} == {"a"}
    assert found["not_compared"] == ["b", "c"]


def test_false_alarms_are_rare():
    """At 95 % at most one in twenty comparisons of the same service may fail; with a tolerance it is far fewer."""
    found = [compare(result_of(2 * seed), result_of(2 * seed + 1), tolerance="0%")["verdict"] for seed in range(60)]
    assert found.count("fail") <= 5


@pytest.mark.parametrize(("options", "field"), [
    ({"percentiles": ["95"]}, "baseline.percentiles"),
    ({"percentiles": ["p0"]}, "baseline.percentiles"),
    ({"percentiles": ["p95x"]}, "baseline.percentiles"),
    ({"tolerance": "a bit"}, "baseline.tolerance"),
    ({"error_tolerance": "200%"}, "baseline.error_tolerance"),
    ({"confidence": 1.0}, "baseline.confidence"),
])
def test_bad_options_are_named(options, field):
    with pytest.raises(InputError) as caught:
        Limits.parse(**options)
    assert caught.value.field == field
    assert "Example: " in str(caught.value)


@pytest.mark.parametrize("result", [None, {"metrics": {"p95_ms": 3}}])
def test_what_is_no_result_is_refused(result):
    with pytest.raises(InputError, match=r"baseline\.result: expected an earlier result of load_probe"):
        Baseline(result, Limits.parse())


def test_nothing_in_common_is_said_before_any_traffic():
    with pytest.raises(InputError, match="at least one of the scenarios search"):
        Baseline(result_of(1, seconds=1), Limits.parse()).require(["search"])


def test_a_scenario_without_answers_has_nothing_to_compare():
    after = result_of(2)
    after["samples"]["histograms"]["browse"] = Histogram().to_dict()
    found = compare(result_of(1), after)
    assert verdicts(found)["browse", "p95_ms"] == "inconclusive"
    assert "browse: p95_ms: nothing to compare with the baseline" in found["reasons"]
