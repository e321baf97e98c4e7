# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""k6's options, as `k6 inspect` (v1.1.0) printed them for the scripts beside this file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.k6.duration import parse_duration
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.k6.options import translate
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.k6.threshold import (
    Untranslatable,
    scope_of,
    translate_threshold,
)

RECORDED = Path(__file__).parent


def recorded(name):
    return translate(json.loads((RECORDED / f"{name}.json").read_text()))


def test_stages_and_thresholds_become_variables():
    assert recorded("stages")["variables"] == {
        "load_test_shape": "k6",
        "load_test_extra_shapes": {"k6": {"executor": "ramping_vus", "stages": [
            {"duration_s": 0.0, "vus": 1}, {"duration_s": 30.0, "vus": 20}, {"duration_s": 90.0, "vus": 20},
            {"duration_s": 0.5, "vus": 0}]}},
        "load_test_thresholds": [
            "error_rate < 0.01", "p95 < 500ms", "p50 <= 80ms", "p99.9 < 1500ms or abort after 10s",
            "error_rate < 0.01 or abort", "requests > 100", "rps > 50"],
        "load_test_validate_certs": False,
        "load_test_headers": {"User-Agent": "shop-probe/1.0"},
    }


def test_what_stages_could_not_be_translated_is_said():
    said = recorded("stages")
    assert [text.partition(": ")[0] for text in said["untranslated"]] == [
        "thresholds.http_req_duration{kind:warm} p(95)<150", "thresholds.http_req_waiting avg<200",
        "thresholds.my_trend p(95)<15", "batch", "default function"]
    assert [text.partition(": ")[0] for text in said["approximations"]] == ["thresholds.checks"]


def test_each_scenario_becomes_a_shape():
    said = recorded("scenarios")
    assert said["variables"] == {"load_test_extra_shapes": {
        "browse": {"executor": "ramping_arrival_rate", "vus": 100, "thresholds": ["error_rate < 0.01"], "stages": [
            {"duration_s": 0.0, "rate_rps": 5.0}, {"duration_s": 30.0, "rate_rps": 20.0},
            {"duration_s": 3600.0, "rate_rps": 20.0}]},
        "each": {"executor": "constant_vus", "vus": 10, "iterations": 200, "duration_s": 600.0},
        "ramp": {"executor": "ramping_vus", "stages": [{"duration_s": 120.0, "vus": 50}]},
        "some": {"executor": "constant_vus", "vus": 10, "iterations": 200, "duration_s": 30.0},
        "steady": {"executor": "constant_arrival_rate", "vus": 20, "rate_rps": 200.0, "duration_s": 45.0},
        "users": {"executor": "constant_vus", "vus": 50, "duration_s": 2700.0},
    }}
    assert {text.partition(": ")[0] for text in said["untranslated"]} == {
        "scenarios.browse.gracefulStop", "scenarios.browse.startTime", "scenarios.browse.env",
        "scenarios.browse.tags", "scenarios.browse.exec", "scenarios.by_hand.executor",
        "scenarios.ramp.gracefulRampDown", "thresholds.http_req_duration{scenario:by_hand} avg<9", "default function"}
    assert any("at the same time" in text for text in said["approximations"])


@pytest.mark.parametrize(("shortcuts", "shape"), [
    ({}, {"executor": "constant_vus", "vus": 1, "iterations": 1, "duration_s": 600.0}),
    ({"vus": 5, "duration": "1m"}, {"executor": "constant_vus", "vus": 5, "duration_s": 60.0}),
    ({"vus": 5, "iterations": 70}, {"executor": "constant_vus", "vus": 5, "iterations": 70, "duration_s": 600.0}),
    ({"iterations": 70, "duration": "9s"}, {"executor": "constant_vus", "vus": 1, "iterations": 70, "duration_s": 9.0}),
])
def test_shortcuts_mean_what_they_mean_in_k6(shortcuts, shape):
    assert translate(shortcuts)["variables"]["load_test_extra_shapes"]["k6"] == shape


def test_shortcuts_beside_scenarios_are_left():
    said = translate({"vus": 3, "scenarios": {"a": {"executor": "constant-vus", "duration": "1s"}}})
    assert list(said["variables"]["load_test_extra_shapes"]) == ["a"]
    assert said["untranslated"][0].startswith("vus: ")


@pytest.mark.parametrize(("text", "seconds"), [
    ("30s", 30), ("1h30m0s", 5400), ("500ms", 0.5), ("1.5m", 90), (500, 0.5), ("20", 0.02), ("2d", 172800)])
def test_durations(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "10 s", "10x", "-5s", True, None])
def test_wrong_durations_are_refused(text):
    with pytest.raises(InputError, match="1m30s"):
        parse_duration(text)


@pytest.mark.parametrize(("metric", "threshold", "reason"), [
    ("http_req_duration", "p(95)!=3", "!="), ("http_req_duration", "p95<3", "form"),
    ("http_reqs", "avg<3", "http_reqs"), ("data_sent", "rate<3", "data_sent"), ("http_req_failed", "count<3", "count"),
    ("http_reqs", None, "form")])
def test_thresholds_without_a_counterpart(metric, threshold, reason):
    with pytest.raises(Untranslatable, match=reason):
        translate_threshold(metric, threshold)


def test_selectors():
    assert scope_of("http_reqs{scenario:a}") == ("http_reqs", "a")
    assert scope_of(" http_reqs {}") == ("http_reqs", "")
    with pytest.raises(Untranslatable, match="by the tag kind"):
        scope_of("http_reqs{scenario:a,kind:b}")
    with pytest.raises(Untranslatable, match="name"):
        scope_of("http reqs")


@pytest.mark.parametrize(("options", "field"), [
    ([], "options"), ({"scenarios": [1]}, "scenarios"), ({"scenarios": {"a": 1}}, "scenarios.a"),
    ({"stages": "30s"}, "scenarios.k6.stages"), ({"stages": [{"duration": "1s"}]}, r"scenarios.k6.stages\[0\].target"),
    ({"vus": "many", "duration": "1s"}, "scenarios.k6.vus"), ({"duration": "soon"}, "scenarios.k6.duration"),
    ({"vus": "inf", "duration": "1s"}, "scenarios.k6.vus"),
    ({"scenarios": {"a": {"executor": "constant-arrival-rate", "rate": 1, "timeUnit": "0s", "duration": "1s"}}},
     "scenarios.a.timeUnit"),
    ({"thresholds": ["x"]}, "thresholds")])
def test_malformed_options_name_the_field(options, field):
    with pytest.raises(InputError, match=f"^{field}: expected"):
        translate(options)
