# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The thresholds of a probe: for the whole run, for a scenario, or for one step of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ..._core.errors import InputError
from ..._core.threshold import EXAMPLE, Threshold
from ..._core.verdict import Verdict, judge, worst
from .metrics import percentiles_of
from .parts import Parts

_SCOPED = re.compile(r"^\s*([^:<>=]+?)\s*:\s*(\S.*)$", re.DOTALL)
_METRIC = re.compile(r"^(requests|errors|error_rate|rps|capacity_rps|recovery_s|(mean|min|max|p\d{1,2}(_\d+)?)_ms)$")


@dataclass(frozen=True)
class Rule:
    """A threshold and what it is for: ``scope`` is "" (everything), a scenario, or ``scenario/step``."""

    scope: str
    threshold: Threshold

    @property
    def text(self) -> str:
        """The rule as people write it."""
        return f"{self.scope}: {self.threshold.text}" if self.scope else self.threshold.text


def parse_rules(texts: Sequence[str], scopes: Sequence[str]) -> list[Rule]:
    """Parse thresholds of a probe.

    :arg texts: ``p95 < 50ms`` for the whole run, ``browse: p95 < 50ms`` for a scenario, ``browse/login: …`` for a
        step of it.
    :arg scopes: the scenarios and steps that there are.
    :raises InputError: when a text is malformed, its scope is not there or its metric is none of a probe's.
    """
    rules = []
    for text in texts:
        match = _SCOPED.match(str(text))
        scope, rule = match.groups() if match else ("", str(text))
        if scope and scope not in scopes:
            raise InputError("thresholds", text, f"one of the scenarios {', '.join(dict.fromkeys(scopes))} "
                             "before the colon", f"{scopes[0]}: {EXAMPLE}")
        threshold = Threshold.parse(rule)
        if not _METRIC.match(threshold.metric):
            raise InputError("thresholds", text, "one of the metrics p50, p99.9 or another percentile, mean, min, max, "
                             "rps, requests, errors, error_rate, capacity_rps, recovery_s", EXAMPLE)
        rules.append(Rule(scope, threshold))
    return rules


def judge_rules(rules: Sequence[Rule], overall: Mapping[str, Any],
                by_scope: Mapping[str, Mapping[str, Any]]) -> Verdict:
    """Judge the whole run, and each scenario and step that has rules of its own.

    :arg by_scope: metrics of scenarios and steps.
    """
    verdict = judge(overall, [rule.threshold for rule in rules if not rule.scope], overall["requests"])
    for scope in dict.fromkeys(rule.scope for rule in rules if rule.scope):
        part = judge(by_scope[scope], [rule.threshold for rule in rules if rule.scope == scope],
                     by_scope[scope]["requests"])
        verdict.verdict = worst([verdict.verdict, part.verdict])
        verdict.reasons += [f"{scope}: {reason}" for reason in part.reasons]
        verdict.thresholds += [{**row, "threshold": f"{scope}: {row['threshold']}"} for row in part.thresholds]
    return verdict


def breach(rules: Sequence[Rule], parts: Parts, elapsed_s: float) -> str:
    """Return why a measurement that is under way has to end, or nothing.

    :arg parts: what was counted until now.
    :arg elapsed_s: since the measurement began.
    """
    for rule in rules:
        after_s = rule.threshold.abort_after_s
        if after_s is None or elapsed_s < after_s:
            continue
        part = {"": parts.overall, **parts.scenarios, **parts.steps}[rule.scope]
        row = rule.threshold.judge(part.metrics(percentiles_of([rule.threshold.metric])))
        if row["ok"] is False:
            return f"{rule.text}: measured {row['measured']:.6g} after {elapsed_s:.1f} s"
    return ""
