# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The thresholds of a probe: their scopes, and what each of them decides."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.metrics import Part
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.parts import Parts
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.rules import breach, judge_rules, parse_rules

SCOPES = ["auth", "browse", "auth/login"]


def test_thresholds_are_for_all_for_a_scenario_or_for_a_step():
    rules = parse_rules(["p95 < 50ms", "auth:p99.9 < 1s", "auth/login : errors == 0 or abort after 2s"], SCOPES)
    assert [(rule.scope, rule.threshold.metric, rule.threshold.abort_after_s) for rule in rules] == [
        ("", "p95_ms", None), ("auth", "p99_9_ms", None), ("auth/login", "errors", 2.0)]


@pytest.mark.parametrize(("text", "told"), [
    ("cart: p95 < 1s", "one of the scenarios auth, browse, auth/login before the colon"),
    ("auth/logout: p95 < 1s", "auth: p95 < 50ms"),
    ("latency < 5", "one of the metrics p50"),
    ("p95 <", "<metric> <comparison> <limit>"),
    (": p95 < 1s", "Example: p95 < 50ms"),
])
def test_what_is_wrong_is_told_with_a_right_example(text, told):
    with pytest.raises(InputError) as caught:
        parse_rules(["rps > 1", text], SCOPES)
    assert caught.value.field == "thresholds"
    assert told in str(caught.value)
    assert "Example: " in str(caught.value)


def test_each_scope_is_judged_by_its_own_metrics():
    verdict = judge_rules(parse_rules(["p95 < 50ms", "auth: p95 < 50ms", "auth/login: p95 < 50ms"], SCOPES),
                          {"requests": 3, "p95_ms": 10}, {"auth": {"requests": 2, "p95_ms": 60},
                                                          "auth/login": {"requests": 0, "p95_ms": None}})
    assert verdict.verdict == "fail"
    assert verdict.reasons == ["auth: p95 < 50ms: measured 60", "auth/login: nothing was measured",
                               "auth/login: p95 < 50ms: p95_ms was not measured"]
    assert [row["threshold"] for row in verdict.thresholds] == [
        "p95 < 50ms", "auth: p95 < 50ms", "auth/login: p95 < 50ms"]


@pytest.mark.parametrize(("text", "elapsed_s", "reason"), [
    ("error_rate < 10%", 60, ""),
    ("error_rate < 10% or abort", 0.5,
     "error_rate < 10% or abort: measured 0.25 after 0.5 s"),
    ("error_rate < 10% or abort after 10s", 9.9, ""),
    ("error_rate < 10% or abort after 10s", 10.0, "error_rate < 10% or abort after 10s: measured 0.25 after 10.0 s"),
    ("error_rate < 30% or abort", 5, ""),
    ("auth: errors < 1 or abort", 5, "auth: errors < 1 or abort: measured 1 after 5.0 s"),
    ("p95 < 1ms or abort", 5, ""),  # nothing was measured yet
])
def test_a_breach_ends_the_measurement_when_the_rule_says_so(text, elapsed_s, reason):
    parts = Parts(Part(4, 1), {"auth": Part(2, 1), "browse": Part(2, 0)})
    assert breach(parse_rules([text], SCOPES), parts, elapsed_s) == reason
