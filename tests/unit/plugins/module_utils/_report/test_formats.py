# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The formats of load_report, read by those who know them; texts that are hostile in each of them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.metrics import Part, row_of
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.rules import judge_rules, parse_rules
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.formats import (
    ENDINGS,
    check_names,
    check_results,
    write_formats,
)
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.controller

ROLE = Path(__file__).parents[5] / "roles/report"
K6 = json.loads((Path(__file__).parent / "fixtures/k6-summary-export.json").read_text(encoding="utf-8"))
HOSTILE = ['"><script>alert(1)</script>', "a\"b\\c\nd", "]]>\x00\x1b\ufffe", "</script><!--", "{{ 7 * 7 }}", "=1+1,x"]


def result_of(scenario: str = "browse", verdict: str = "", detail: str = "status 500") -> dict[str, Any]:
    """Return a result of 200 requests in two seconds, two of them wrong."""
    rows, whole, step = [], Part(rps=100.0), Part(rps=50.0)
    for number in range(2):
        second = Part(100, 1)
        second.latency.record(range(1000, 101_000, 1000))
        whole.merge(second)
        rows.append(row_of(number, 100, 1, second.latency))
    step.requests, step.latency = 100, rows and second.latency
    metrics = whole.metrics([50.0, 90.0, 95.0, 99.0, 99.9])
    rules = parse_rules(["p95 < 50ms", f"{scenario}: error_rate < 2%", "p99.9 < 1s", "mean < 1s", "rps > 10",
                         "requests >= 10", "recovery_s < 10"], [scenario])
    judged = judge_rules(rules, metrics, {scenario: metrics})
    return {
        "verdict": verdict or judged.verdict, "reasons": judged.reasons, "thresholds": judged.thresholds,
        "metrics": metrics, "scenarios": {scenario: metrics}, "steps": {f"{scenario}/login": step.metrics([50.0])},
        "grade": "D", "started_at": "2026-11-21T08:00:00.250Z", "duration_s": 2.5, "phases": [],
        "samples": {
            "series": rows, "histograms": {scenario: whole.latency.to_dict()}, "errors": {"status": 2}, "statuses": {},
            "error_examples": [{"class": "status", "request": "GET /", "detail": detail, "t_s": 0.5}],
            "measured_from": "2026-11-21T08:00:00.500Z", "generator": {"measured_s": 2.0},
            "target": {"url": "http://edge1"}, "stopped": "",
        },
    }


def files(results: dict[str, Any], *formats: str, **labels: str) -> dict[str, str]:
    return write_formats(results, list(formats), "Load probes", labels, ROLE)


def test_json_is_the_results_themselves() -> None:
    assert json.loads(files({"one": result_of()}, "json")[".json"]) == {"one": result_of()}


def test_junit_as_a_reader_of_junit_counts_it() -> None:
    from junitparser import JUnitXml

    unsure = {**result_of(verdict="inconclusive"), "thresholds": [], "reasons": ["too few requests"]}
    text = files({"one": result_of(), "two": unsure, "three": {**result_of(verdict="pass"), "thresholds": []}},
                 "junit")[".junit.xml"]
    report = JUnitXml.fromstring(text.encode())
    suites = {suite.name: suite for suite in report}
    assert {name: (suite.tests, suite.failures, suite.errors) for name, suite in suites.items()} == {
        "one": (8, 2, 1), "two": (1, 0, 1), "three": (1, 0, 0)}
    assert (report.tests, report.failures, report.errors) == (10, 2, 2)
    cases = {case.name: case for case in suites["one"]}
    assert cases["p95 < 50ms"].result[0].message == "measured 94.9755"
    assert cases["browse: error_rate < 2%"].is_passed
    assert cases["recovery_s < 10"].result[0].message == "recovery_s was not measured"
    assert suites["one"].timestamp == "2026-11-21T08:00:00"
    assert [one.message for case in suites["two"] for one in case.result] == ["too few requests"]


@pytest.mark.parametrize("name", ["password_reset", "token_refresh", "cookies", "auth-token"])
def test_a_result_with_the_name_of_a_secret_is_there_with_its_rules(name: str) -> None:
    from junitparser import JUnitXml

    results = {name: result_of(name, verdict="fail")}
    made = files(results, "json", "junit")
    assert json.loads(made[".json"]) == results
    (suite,) = JUnitXml.fromstring(made[".junit.xml"].encode())
    assert (suite.name, suite.tests, suite.failures) == (name, 8, 2)
    assert f"{name}: error_rate < 2%" in [case.name for case in suite]


def test_prometheus_as_its_own_parser_reads_it() -> None:
    from prometheus_client.parser import text_string_to_metric_families

    text = files({"one": result_of()}, "prometheus", service="shop")[".prom"]
    families = {family.name: family for family in text_string_to_metric_families(text)}
    samples = {(one.name, *sorted(one.labels.items())): one.value for family in families.values()
               for one in family.samples}
    where = (("probe", "one"), ("scenario", "browse"), ("service", "shop"))
    assert samples[("evenkeel_load_probe_requests", *where)] == 200
    assert samples[("evenkeel_load_probe_latency_seconds_count", *where)] == 200
    assert families["evenkeel_load_probe_latency_seconds"].type == "histogram"
    buckets = [one for one in families["evenkeel_load_probe_latency_seconds"].samples if one.name.endswith("_bucket")]
    counts = [one.value for one in buckets]
    assert counts == sorted(counts)
    assert counts[-1] == 200
    assert {one.labels["le"]: one.value for one in buckets}["0.05"] == pytest.approx(100, abs=2)
    verdicts = {one.labels["verdict"]: one.value for one in families["evenkeel_load_probe_verdict"].samples}
    assert verdicts == {"pass": 0, "fail": 1, "inconclusive": 0}
    assert all(family.documentation for family in families.values())
    assert samples["evenkeel_load_probe_started_timestamp_seconds", ("probe", "one"), ("service", "shop")] \
        == 1795248000.25


def test_k6_has_the_shape_of_a_real_export() -> None:
    ours = json.loads(files({"one": result_of()}, "k6")[".k6.json"])
    assert set(ours["root_group"]) == set(K6["root_group"])
    for name, values in K6["metrics"].items():
        assert set(values) - {"thresholds"} <= set(ours["metrics"][name])
    metrics = ours["metrics"]
    assert metrics["http_req_failed"] == {"passes": 2, "fails": 198, "value": 0.01}
    assert metrics["http_req_duration"]["thresholds"] == {"p(95)<50": True, "p(99.9)<1000": False, "avg<1000": False}
    assert metrics["http_req_failed{scenario:browse}"]["thresholds"] == {"rate<0.02": False}
    assert metrics["http_reqs"]["thresholds"] == {"rate>10": False, "count>=10": False}
    assert metrics["http_req_duration{group:::browse::login}"]["min"] == 1.0
    assert set(files({"one": result_of(), "two/x": result_of()}, "k6")) == {"-one.k6.json", "-two_x.k6.json"}


def test_csv_has_a_line_per_second() -> None:
    rows = list(csv.DictReader(io.StringIO(files({"one": result_of(), "two": result_of()}, "csv")[".csv"])))
    assert [(row["probe"], row["t_s"], row["requests"]) for row in rows] == [
        ("one", "0", "100"), ("one", "1", "100"), ("two", "0", "100"), ("two", "1", "100")]


def test_the_histogram_log_as_hdrhistogram_reads_it(tmp_path: Path) -> None:
    from hdrh.histogram import HdrHistogram
    from hdrh.log import HistogramLogReader

    path = tmp_path / "load.hlog"
    path.write_text(files({"one": result_of()}, "hdr")[".hlog"], encoding="utf-8")
    reader = HistogramLogReader(str(path), HdrHistogram(1, 3_600_000_000, 2))
    histogram = reader.get_next_interval_histogram()
    reader.input_file.close()
    assert (histogram.get_total_count(), histogram.get_tag()) == (200, "one/browse")
    assert histogram.get_value_at_percentile(95) == pytest.approx(95_000, rel=0.01)
    assert histogram.get_end_time_stamp() - histogram.get_start_time_stamp() == 2000


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_details_stay_texts(text: str) -> None:
    from junitparser import JUnitXml
    from prometheus_client.parser import text_string_to_metric_families

    scenario = text.replace(":", "").replace("=", "").replace("<", "").replace(">", "") or "x"
    results = {text: result_of(scenario, detail=text)}
    made = files(results, *ENDINGS)
    assert [suite.tests for suite in JUnitXml.fromstring(made[".junit.xml"].encode())] == [8]
    probes = {one.labels["probe"] for family in text_string_to_metric_families(made[".prom"])
              for one in family.samples}
    assert probes == {text}
    assert [row["probe"] for row in csv.DictReader(io.StringIO(made[".csv"], newline=""))] == [text, text]
    assert "<script>alert" not in made[".html"]
    assert made[".html"].count("</script>") == 3


@given(st.text(min_size=1))
def test_any_text_makes_documents_that_can_be_parsed(text: str) -> None:
    from junitparser import JUnitXml
    from prometheus_client.parser import text_string_to_metric_families

    made = files({text: result_of(detail=text)}, "junit", "prometheus", service=text)
    JUnitXml.fromstring(made[".junit.xml"].encode())
    assert list(text_string_to_metric_families(made[".prom"]))


@pytest.mark.parametrize(("results", "field"), [
    ({}, "results"), ({"one": {"verdict": "inconclusive", "metrics": {}}}, "results.one"), ({"one": 3}, "results.one"),
    ({"one": {"metrics": {"rps": 3}}}, "results.one")])
def test_what_is_no_result_is_named(results: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        check_results(results)
    assert caught.value.field == field


@pytest.mark.parametrize(("name", "labels", "field"), [
    ("../x", {}, "name"), ("", {}, "name"), ("a", {"le": "x"}, "labels"), ("a", {"a-b": "x"}, "labels")])
def test_names_of_files_and_labels(name: str, labels: dict[str, str], field: str) -> None:
    with pytest.raises(InputError) as caught:
        check_names(name, labels)
    assert caught.value.field == field
