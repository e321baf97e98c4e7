# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was counted to a verdict: metrics, judged by the thresholds and doubted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from ..._core.clock import utc
from ..._core.verdict import Verdict
from ..phase import Phase
from ..run import Run
from ..scenario.request import Request
from .metrics import percentiles_of
from .parts import take_apart
from .report import Report
from .rules import Rule, judge_rules
from .summary import samples
from .truth import doubt

#: Metrics that only the whole probe has.
OF_THE_WHOLE = ("capacity_rps", "recovery_s")


@dataclass
class Assessment:
    """A verdict, and the metrics by scenario and by step."""

    verdict: Verdict
    scenarios: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Assessor:
    """Judges reports.

    :arg processes: by how many processes they were made.
    :arg mergeable: see ``samples()``.
    :arg hosts: how many hosts share the load.
    """

    requests: Sequence[Request]
    rules: Sequence[Rule]
    processes: int = 1
    mergeable: bool = False
    hosts: int = 1

    def whole(self, report: Report, intended_s: float, metrics: Mapping[str, Any]) -> Assessment:
        """Judge the whole probe.

        :arg intended_s: how long should have been measured.
        :arg metrics: further ones.
        """
        return self._assess(report, self.rules, intended_s, metrics)

    def part(self, report: Report) -> Verdict:
        """Judge a phase, by the thresholds for what a phase has."""
        rules = [rule for rule in self.rules if rule.threshold.metric not in OF_THE_WHOLE]
        return self._assess(report, rules, report.measured_s, {}).verdict

    def phases(self, run: Run) -> list[dict[str, Any]]:
        """Return a row per measured phase."""
        return [self._row(phase, report) for phase, report in run.measured]

    def _row(self, phase: Phase, report: Report) -> dict[str, Any]:
        verdict = self.part(report)
        offered = {unit: level / self.hosts for unit, level in phase.offered.items()}
        row = {"name": phase.name, "offered": offered, "measured_s": round(report.measured_s, 3),
               **verdict.metrics, "verdict": verdict.verdict, "reasons": verdict.reasons}
        if self.mergeable:
            row["histogram"] = take_apart(report.tally, self.requests, 1.0).overall.latency.to_dict()
        return row

    def _assess(self, report: Report, rules: Sequence[Rule], intended_s: float,
                metrics: Mapping[str, Any]) -> Assessment:
        percentiles = percentiles_of([rule.threshold.metric for rule in self.rules])
        parts = take_apart(report.tally, self.requests, report.measured_s)
        scenarios = {name: part.metrics(percentiles) for name, part in parts.scenarios.items()}
        steps = {name: part.metrics(percentiles) for name, part in parts.steps.items()}
        overall = {**parts.overall.metrics(percentiles), **metrics}
        verdict = judge_rules(rules, overall, {**scenarios, **steps})
        verdict.samples = samples(report, self.requests, parts, percentiles, self.mergeable)
        verdict.samples["measured_from"] = utc(time.time() - (time.monotonic_ns() - report.tally.started_ns) / 1e9)
        verdict.samples["generator"] = _generator(report, self.processes, intended_s)
        verdict.samples["stopped"] = report.stopped
        doubt(verdict)
        return Assessment(verdict, scenarios, steps)


def _generator(report: Report, processes: int, intended_s: float) -> dict[str, Any]:
    """Return what the generator says about itself."""
    lateness, measured_s = report.lateness, report.measured_s

    def rate(number: int) -> float | None:
        return round(number / measured_s, 3) if report.due and measured_s else None

    return {
        "processes": processes,
        "measured_s": round(measured_s, 3),
        "intended_s": intended_s,
        "cpu_share": round(report.cpu_share, 4),
        "cpu_wait_share": round(report.cpu_wait_share, 4),
        "intended_rps": rate(report.due),
        "dispatched_rps": rate(report.due - report.behind),
        "lateness_p50_ms": lateness.percentile_ms(50),
        "lateness_p99_ms": lateness.percentile_ms(99),
        "lateness_p99_9_ms": lateness.percentile_ms(99.9),
        "lateness_max_ms": None if lateness.max_us is None else lateness.max_us / 1000,
        "waited_for_connection": report.waited,
        "retried_stale": report.retried,
    }
