# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The numbers of a run: series and samples from what was counted."""

from __future__ import annotations

from collections import Counter
from typing import Any, Mapping, Sequence

from ..scenario.request import Request
from ..statistics.histogram import Histogram
from .metrics import Part, row_of
from .parts import Parts
from .report import Report
from .tally import Tally


def series(tally: Tally, mergeable: bool = False) -> list[dict[str, Any]]:
    """Return a row per second (or wider ones, see ``Series``) of what ended in it; ``t_s`` is where it begins.

    :arg mergeable: with the histogram of each second.
    """
    width_s = tally.series.width_s
    rows: list[dict[str, Any]] = []
    for second, row in tally.series:
        rows += [row_of(missed, 0, 0, Histogram()) for missed in range(len(rows) * width_s, second, width_s)]
        rows.append(row_of(second, row.requests, row.errors, row.latency))
        if mergeable:
            rows[-1]["histogram"] = row.latency.to_dict()
    return rows


def samples(report: Report, requests: Sequence[Request], parts: Parts, percentiles: Sequence[float],
            mergeable: bool = False) -> dict[str, Any]:
    """Return what the metrics came from: counts by class, status and header, examples, tags, series, histograms.

    :arg mergeable: with all that it takes to add the results of several hosts without a loss.
    """
    errors: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    headers: Counter[str] = Counter()
    for outcome, count in report.tally.counts.items():
        if outcome.error:
            errors[outcome.error] += count.count
        if outcome.status:
            statuses[str(outcome.status)] += count.count
        if outcome.header is not None:
            headers[outcome.header] += count.count
    result = {
        "errors": dict(sorted(errors.items())),
        "statuses": dict(sorted(statuses.items())),
        "header_counts": dict(sorted(headers.items())),
        "error_examples": [one for _error, examples in sorted(report.tally.examples.items()) for one in examples],
        "tags": {tag: part.metrics(percentiles) for tag, part in sorted(parts.tags.items())},
        "series": series(report.tally, mergeable),
        "histograms": _histograms(parts.scenarios),
    }
    if report.tally.journeys:
        result["journeys"] = journeys(report.tally)
    if mergeable:
        result["step_histograms"] = _histograms(parts.steps)
        result["tag_histograms"] = _histograms(parts.tags)
    return result


def journeys(tally: Tally) -> dict[str, dict[str, Any]]:
    """Return how the journeys of each scenario ended, and which of their steps were skipped how often."""
    found: dict[str, dict[str, Any]] = {}
    for (scenario, end, step), number in sorted(tally.journeys.items()):
        mine = found.setdefault(scenario, {"begun": 0, "completed": 0, "failed": 0, "skipped": {}})
        if step:
            mine[end][step] = number
        else:
            mine[end] = number
    return found


def _histograms(parts: Mapping[str, Part]) -> dict[str, Any]:
    return {name: part.latency.to_dict() for name, part in parts.items()}
