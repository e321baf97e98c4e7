# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of hosts: merged they are what one host would have measured, and a missing host is no pass."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.clock import utc
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.merge import merge_results
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.metrics import percentiles_of
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.parts import take_apart
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.report import Report
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.summary import samples
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.tally import Outcome, Tally
from hypothesis import given
from hypothesis import strategies as st

SECOND = 1_000_000_000
REQUESTS = [SimpleNamespace(scenario="read", step="one", tags=("page=a",)),
            SimpleNamespace(scenario="read", step="two", tags=()),
            SimpleNamespace(scenario="write", step="", tags=("page=a",))]
GENERATOR = {"processes": 1, "measured_s": 3.0, "intended_s": 3.0, "cpu_share": 0.2, "cpu_wait_share": 0.1,
             "intended_rps": None, "lateness_p99_ms": 0.1, "lateness_max_ms": 0.2, "waited_for_connection": 1,
             "retried_stale": 0}

#: Kind, error, latency in µs, by second.
RECORDED = st.lists(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["", "status", "refused", "timeout"]),
                                       st.integers(0, 20_000_000)), max_size=8), min_size=1, max_size=3)


def result_of(recorded, started=1000.0, **generator):
    """Return what a host that recorded this returns."""
    tally = Tally(SECOND)
    for number, second in enumerate(recorded, 1):
        for kind, error, latency in second:
            tally.sink(Outcome(kind, 0 if error == "refused" else 200, error, "v1"))(latency * 1000)
        tally.fold((number + 1) * SECOND)
    tally.end_of_time()
    parts, percentiles = take_apart(tally, REQUESTS, 3.0), percentiles_of([])
    result = {
        "verdict": "pass", "reasons": [], "thresholds": [], "started_at": utc(started - 1), "duration_s": 4.0,
        "metrics": parts.overall.metrics(percentiles),
        "scenarios": {name: part.metrics(percentiles) for name, part in parts.scenarios.items()},
        "steps": {name: part.metrics(percentiles) for name, part in parts.steps.items()},
        "samples": {**samples(Report(tally), REQUESTS, parts, percentiles, mergeable=True),
                    "generator": {**GENERATOR, **generator}, "stopped": "", "measured_from": utc(started),
                    "target": {"url": "http://edge1"}},
    }
    return json.loads(json.dumps(result))


def without_rps(parts):
    """Each host rounds its own rps."""
    return {name: {**metrics, "rps": None} for name, metrics in parts.items()}


@given(st.lists(RECORDED, min_size=1, max_size=4))
def test_merged_results_are_those_of_one_host_that_saw_everything(hosts):
    everything = [[one for recorded in hosts for one in (recorded[number] if number < len(recorded) else [])]
                  for number in range(max(map(len, hosts)))]
    merged = merge_results({f"load{number}": result_of(recorded) for number, recorded in enumerate(hosts)})
    alone = merge_results({"load1": result_of(everything)})
    assert merged["metrics"]["rps"] == pytest.approx(alone["metrics"].pop("rps"), abs=0.0005 * len(hosts) + 1e-9)
    for key in ("scenarios", "steps"):
        assert without_rps(merged[key]) == without_rps(alone[key])
    assert merged["metrics"].items() >= alone["metrics"].items()
    assert without_rps(merged["samples"].pop("tags")) == without_rps(alone["samples"].pop("tags"))
    for key in ("errors", "statuses", "header_counts", "series", "histograms", "step_histograms",
                "tag_histograms"):
        assert merged["samples"][key] == alone["samples"][key]


def test_the_series_is_aligned_by_the_start_of_each_host():
    first, second = result_of([[(0, "", 1000)], [(0, "", 1000)]]), result_of([[(0, "", 3000)]], started=1001.04)
    merged = merge_results({"a": first, "b": second})
    assert [(row["requests"], round(row["p99_ms"])) for row in merged["samples"]["series"]] == [(1, 1), (2, 3)]
    assert merged["verdict"] == "inconclusive"
    assert merged["reasons"] == ["the hosts began 1.040 s apart: compare their clocks"]


@pytest.mark.parametrize(("started", "ahead_ms", "reasons"), [
    (1005.04, 5000.0, []),
    (1005.06, 5000.0, ["the hosts began 0.060 s apart: give them more time to get ready before start_at"]),
    (1000.0, -80.0, ["the hosts began 0.080 s apart: give them more time to get ready before start_at"]),
])
def test_starts_are_compared_on_the_controllers_clock(started, ahead_ms, reasons):
    results = {"a": result_of([[(0, "", 1000)]]), "b": result_of([[(0, "", 3000)]], started=started)}
    for result, offset_ms in zip(results.values(), (0.0, ahead_ms)):
        result["samples"]["clock"] = {"offset_ms": offset_ms, "uncertainty_ms": 9.0}
    merged = merge_results(results)
    assert merged["reasons"] == reasons
    assert merged["verdict"] == ("inconclusive" if reasons else "pass")
    assert [row["requests"] for row in merged["samples"]["series"]] == [2]
    began = {host: part["began_ms"] for host, part in merged["samples"]["hosts"].items()}
    assert min(began.values()) == 0
    assert began["b"] - began["a"] == pytest.approx((started - 1000) * 1000 - ahead_ms, abs=1)


def test_a_host_that_drops_out_is_never_a_pass():
    good = result_of([[(0, "", 1000)]])
    assert merge_results({"a": good, "b": good}, expected=["a", "b"])["verdict"] == "pass"
    for results, reason in [({"a": good}, "no result of b"),
                            ({"a": good, "b": {"failed": True, "msg": "gone"}}, "no result of b: gone")]:
        merged = merge_results(results, expected=["a", "b"])
        assert (merged["verdict"], merged["reasons"]) == ("inconclusive", [reason])
    failed = merge_results({"a": result_of([[(0, "status", 1000)]])}, expected=["a", "b"])
    assert failed["verdict"] == "fail"
    nobody = merge_results({"a": {"metrics": {}}}, expected=["a"])
    assert (nobody["verdict"], nobody["reasons"]) == ("inconclusive", ["no result of a"])


def test_phases_are_added_in_their_order():
    parts = take_apart(Tally(), REQUESTS, 1.0).overall
    parts.latency.record([1000, 3000])
    row = {**parts.metrics([50.0]), "requests": 2, "name": "level 1", "offered": {"vus": 10}, "measured_s": 2.0,
           "verdict": "pass", "histogram": parts.latency.to_dict()}
    results = {host: {**result_of([[(0, "", 1000)]]), "phases": [row]} for host in ("a", "b")}
    results["b"]["phases"] = [{**row, "verdict": "fail"}, row]
    merged, = merge_results(results)["phases"]
    assert (merged["name"], merged["offered"], merged["requests"]) == ("level 1", {"vus": 20}, 4)
    assert merged["verdict"] == "fail"
    assert (merged["min_ms"], merged["max_ms"]) == (1.0, 3.0)


def test_journeys_are_added():
    first, second = result_of([[(0, "", 1000)]]), result_of([[(0, "", 1000)]])
    first["samples"]["journeys"] = {"read": {"begun": 3, "completed": 2, "failed": 1, "skipped": {"two": 1}}}
    second["samples"]["journeys"] = {"read": {"begun": 4, "completed": 4, "failed": 0, "skipped": {}}}
    assert merge_results({"a": first, "b": second})["samples"]["journeys"] == {
        "read": {"begun": 7, "completed": 6, "failed": 1, "skipped": {"two": 1}}}


def test_one_generator_at_its_limit_makes_the_whole_inconclusive():
    results = {"a": result_of([[(0, "", 1000)]]), "b": result_of([[(0, "", 1000)]], cpu_share=0.97)}
    merged = merge_results(results)
    assert merged["verdict"] == "inconclusive"
    assert merged["samples"]["generator"]["waited_for_connection"] == 2
    assert set(merged["samples"]["hosts"]) == {"a", "b"}


def test_a_result_without_all_histograms_is_refused():
    result = result_of([[(0, "", 1000)]])
    del result["samples"]["step_histograms"]
    with pytest.raises(FleetError, match="mergeable: true"):
        merge_results({"a": result})
