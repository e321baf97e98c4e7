# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The thresholds of a probe: their scopes, and what each of them decides."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.rules import judge_rules, parse_rules

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
