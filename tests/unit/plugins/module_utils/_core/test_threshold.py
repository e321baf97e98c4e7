# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.threshold import Threshold
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "metric", "comparison", "limit"),
    [
        ("p95 < 50ms", "p95_ms", "<", 50),
        ("p95<0.05s", "p95_ms", "<", 50),
        ("  p99.9 <= 1s ", "p99_9_ms", "<=", 1000),
        ("p95 < 50", "p95_ms", "<", 50),
        ("max < 2s", "max_ms", "<", 2000),
        ("mean < 10ms", "mean_ms", "<", 10),
        ("p95_ms < 50", "p95_ms", "<", 50),
        ("error_rate < 0.1%", "error_rate", "<", 0.001),
        ("error_rate == 0", "error_rate", "==", 0),
        ("rps > 500", "rps", ">", 500),
        ("rps >= 500/s", "rps", ">=", 500),
        ("requests >= 1000", "requests", ">=", 1000),
        ("recovery_s < 1m", "recovery_s", "<", 60),
    ],
)
def test_parse(text, metric, comparison, limit):
    threshold = Threshold.parse(text)
    assert (threshold.text, threshold.metric, threshold.comparison) == (text, metric, comparison)
    assert threshold.limit == pytest.approx(limit)


@pytest.mark.parametrize(
    "text",
    ["", "p95", "p95 50ms", "p95 < ", "< 50ms", "p95 != 50ms", "p95 < fast", "p95 < 50mb", "error_rate < 5",
     "error_rate < 5ms", "rps > 500ms", "rps > 500 or abort after",
     "rps > 500 or abort after -1s", "or abort", "P95 < 50ms", None, 5],
)
def test_parse_refuses_and_names_the_option(text):
    with pytest.raises(InputError, match=r"^thresholds: expected .*Example: "):
        Threshold.parse(text)


@pytest.mark.parametrize(("text", "after_s"), [
    ("p95 < 50ms", None), ("p95 < 50ms or abort", 0), ("p95<50ms  or  abort  after  1m ", 60)])
def test_a_breach_may_abort(text, after_s):
    threshold = Threshold.parse(text)
    assert (threshold.abort_after_s, threshold.limit) == (after_s, 50)


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [("<", True, False, False), ("<=", True, True, False), (">", False, False, True), (">=", False, True, True),
     ("==", False, True, False)],
)
def test_judge_compares_the_measured_with_the_limit(comparison, below, equal, above):
    threshold = Threshold.parse(f"p95 {comparison} 50ms")
    assert [threshold.judge({"p95_ms": measured})["ok"] for measured in (49.9, 50, 50.1)] == [below, equal, above]


def test_judge_returns_the_rule_and_what_it_found():
    row = Threshold.parse("p95 < 50ms").judge({"p95_ms": 61.5, "rps": 3})
    assert row == {"threshold": "p95 < 50ms", "metric": "p95_ms", "limit": 50.0, "measured": 61.5, "ok": False}


@pytest.mark.parametrize("measured", [None, "12", True, float("nan")])
def test_what_is_not_a_number_is_neither_ok_nor_not(measured):
    metrics = {"p95_ms": measured}
    assert Threshold.parse("p95 < 50ms").judge(metrics)["ok"] is None
    assert Threshold.parse("p95 > 50ms").judge(metrics)["ok"] is None


def test_a_metric_that_is_missing_is_neither_ok_nor_not():
    assert Threshold.parse("p95 < 50ms").judge({"p99_ms": 12})["ok"] is None


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_limit_and_its_opposite_never_agree(limit, measured):
    metrics = {"rps": measured}
    below, not_below = Threshold.parse(f"rps < {limit!r}"), Threshold.parse(f"rps >= {limit!r}")
    assert below.judge(metrics)["ok"] is not not_below.judge(metrics)["ok"]


@given(st.text())
def test_any_text_is_parsed_or_refused_as_input(text):
    try:
        threshold = Threshold.parse(text)
    except InputError:
        return
    assert threshold.text == text
