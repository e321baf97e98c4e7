# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe without traffic: bad options, and the numbers of what was counted."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load import probe as probing
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.parts import take_apart
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.report import Report
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.summary import series
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.tally import Outcome, Tally
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.task import perform

MS = 1_000_000
REQUESTS = [SimpleNamespace(scenario="default", step="", tags=())]


def metrics(tally, seconds, percentiles):
    return take_apart(tally, REQUESTS, seconds).overall.metrics(percentiles)


def probe(**options):
    return probing.probe(target="http://127.0.0.1:9/", check_mode=True, **options)


def test_check_mode_sends_nothing():
    result = probe()
    assert (result["changed"], result["verdict"], result["reasons"]) == (
        False, "inconclusive", ["check mode: no traffic was sent"])


@pytest.mark.parametrize(("options", "field"), [
    ({"executor": "ramping"}, "executor"),
    ({"executor": "constant_arrival_rate"}, "rate_rps"),
    ({"executor": "constant_arrival_rate", "rate_rps": 0}, "rate_rps"),
    ({"rate_rps": 10}, "rate_rps"),
    ({"duration_s": 0}, "duration_s"),
    ({"duration_s": float("nan")}, "duration_s"),
    ({"warmup_s": -1}, "warmup_s"),
    ({"timeout_s": 0}, "timeout_s"),
    ({"processes": 0}, "processes"),
    ({"vus": 0}, "vus"),
    ({"vus": 3, "processes": 4}, "vus"),
    ({"vus": 10**9}, "vus"),
    ({"deadline_s": 5}, "deadline_s"),
    ({"executor": "capacity", "rate_rps": 10, "share": "1/2"}, "share"),
    ({"thresholds": ["fast"]}, "thresholds"),
    ({"thresholds": ["browse: p95 < 1s"]}, "thresholds"),
    ({"thresholds": ["recovery_s < 5"]}, "thresholds"),
    ({"executor": "capacity", "rate_rps": 10, "thresholds": ["recovery_s < 5"]}, "thresholds"),
    ({"executor": "capacity", "rate_rps": 10, "thresholds": ["default: capacity_rps > 5"]}, "thresholds"),
    ({"allowed_targets": ["edge1:80"]}, "target"),
    ({"scenarios": [{"name": "a", "requests": [{"path": "b"}]}]}, "scenarios[0].requests[0].path"),
])
def test_bad_options_stop_before_any_traffic(options, field):
    with pytest.raises(InputError) as caught:
        probe(**options)
    assert caught.value.field == field
    assert "Example: " in str(caught.value)


@pytest.mark.parametrize("options", [
    {"executor": "spike", "duration_s": 40, "thresholds": ["recovery_s < 5"]},
    {"executor": "capacity", "rate_rps": 10, "thresholds": ["capacity_rps > 5", "default: p95 < 5ms"]},
])
def test_an_executor_has_metrics_of_its_own(options):
    assert probe(**options)["verdict"] == "inconclusive"


def test_limits_of_a_baseline_are_checked_before_its_target_gets_any_traffic():
    with pytest.raises(InputError, match=r"baseline\.tolerance"):
        perform(target="http://nowhere.invalid", baseline={"target": "http://nowhere.invalid", "tolerance": "x"})


def tally_of(*outcomes):
    """Record (kind, error, latency in ms) at 0.1 s, 1.1 s, 2.1 s …"""
    tally = Tally()
    for number, (kind, error, latency) in enumerate(outcomes):
        tally.fold(number * 1000 * MS + 1)
        tally.sink(Outcome(kind, 0 if error == "refused" else 200, error, None))(latency * MS)
        tally.fold(number * 1000 * MS + 200 * MS)
    return tally


def test_refused_requests_have_no_latency_but_time_outs_have():
    result = metrics(tally_of((0, "", 10), (0, "refused", 0), (0, "timeout", 5000)), 1.0, [50.0])
    assert (result["requests"], result["errors"], result["min_ms"], result["max_ms"]) == (3, 2, 10.0, 5000.0)


def test_rps_counts_what_ended_in_the_measured_time():
    tally = tally_of((0, "", 10), (0, "", 10))
    tally.end_of_time()
    tally.sink(Outcome(0, 200, "", None))(10 * MS)
    tally.fold(2500 * MS)
    assert {name: metrics(tally, 2.0, [])[name] for name in ("requests", "rps")} == {"requests": 3, "rps": 1.0}


def test_the_series_has_every_second():
    rows = series(tally_of((0, "", 10), (0, "status", 20), (0, "", 30)))
    assert [(row["t_s"], row["requests"], row["errors"], round(row["p50_ms"])) for row in rows] == [
        (0, 1, 0, 10), (1, 1, 1, 20), (2, 1, 0, 30)]


def test_reports_of_processes_merge_by_addition():
    parts = [Report(tally_of((0, "", 10), (0, "status", 20)), measured_s=2.0, cpu_share=0.5, cpu_wait_share=0.4,
                    retried=1),
             Report(tally_of((0, "", 30)), measured_s=2.1, cpu_share=0.7, stopped="SIGTERM")]
    merged = Report()
    for part in parts:
        merged.merge(Report.from_dict(json.loads(json.dumps(part.to_dict()))))
    assert metrics(merged.tally, 1.0, [100.0])["requests"] == 3
    assert [row["requests"] for row in series(merged.tally)] == [2, 1]
    assert (merged.measured_s, merged.retried, merged.stopped) == (2.1, 1, "SIGTERM")
    assert (merged.cpu_share, merged.cpu_wait_share) == (0.5, 0.4), "of one process, the busiest"
