# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.threshold import Threshold
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.verdict import (
    FAIL,
    INCONCLUSIVE,
    PASS,
    Verdict,
    judge,
    worst,
)
from hypothesis import given
from hypothesis import strategies as st

VERDICTS = st.sampled_from([PASS, FAIL, INCONCLUSIVE])
THRESHOLDS = [Threshold.parse("p95 < 50ms"), Threshold.parse("error_rate < 1%")]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], INCONCLUSIVE),
        ([PASS, PASS], PASS),
        ([PASS, INCONCLUSIVE], INCONCLUSIVE),
        ([INCONCLUSIVE, FAIL, PASS], FAIL),
    ],
)
def test_worst(verdicts, expected):
    assert worst(verdicts) == expected


@given(st.lists(VERDICTS), st.lists(VERDICTS))
def test_worst_does_not_depend_on_order_and_never_gets_better(some, more):
    assert worst(some + more) == worst(more + some)
    if some:
        assert worst([worst(some), *more]) == worst(some + more)


def test_pass_has_no_reasons():
    verdict = judge({"p95_ms": 12.0, "error_rate": 0.0}, THRESHOLDS, sample_count=100)
    assert (verdict.verdict, verdict.reasons) == (PASS, [])
    assert [row["ok"] for row in verdict.thresholds] == [True, True]


def test_fail_says_which_rule_and_what_was_measured():
    verdict = judge({"p95_ms": 81.25, "error_rate": 0.0}, THRESHOLDS, sample_count=100)
    assert (verdict.verdict, verdict.reasons) == (FAIL, ["p95 < 50ms: measured 81.25"])


def test_a_metric_that_was_not_measured_is_inconclusive():
    verdict = judge({"error_rate": 0.0}, THRESHOLDS, sample_count=100)
    assert (verdict.verdict, verdict.reasons) == (INCONCLUSIVE, ["p95 < 50ms: p95_ms was not measured"])


def test_no_sample_is_never_a_pass():
    verdict = judge({"p95_ms": 0.0, "error_rate": 0.0}, THRESHOLDS, sample_count=0)
    assert (verdict.verdict, verdict.reasons) == (INCONCLUSIVE, ["nothing was measured"])
    assert judge({}, [], sample_count=0).verdict == INCONCLUSIVE


def test_a_failed_rule_outweighs_a_missing_metric():
    assert judge({"error_rate": 0.5}, THRESHOLDS, sample_count=10).verdict == FAIL


def test_samples_without_rules_pass():
    assert judge({"p95_ms": 900.0}, [], sample_count=1).verdict == PASS


@given(
    st.dictionaries(st.sampled_from(["p95_ms", "error_rate"]), st.floats() | st.none()),
    st.integers(0, 5),
)
def test_every_verdict_but_a_pass_has_a_reason_and_a_pass_has_data(metrics, sample_count):
    verdict = judge(metrics, THRESHOLDS, sample_count)
    assert (verdict.verdict == PASS) == (not verdict.reasons)
    if verdict.verdict == PASS:
        assert sample_count > 0
        assert all(row["ok"] for row in verdict.thresholds)


def test_result_has_the_shape_that_gates_read_and_is_json():
    result = Verdict(PASS, metrics={"p95_ms": 1.5}, started_at="2026-11-21T08:00:00.000Z", duration_s=2.5).to_result()
    assert list(result) == ["verdict", "reasons", "thresholds", "metrics", "samples", "started_at", "duration_s"]
    assert json.loads(json.dumps(result)) == result


def test_a_new_verdict_is_inconclusive_and_shares_nothing():
    one, two = Verdict(), Verdict()
    one.reasons.append("a reason")
    assert (one.verdict, two.reasons) == (INCONCLUSIVE, [])
