# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The numbers of a run: parts, series and samples from what was counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from .histogram import Histogram
from .metrics import Part, row_of
from .run import Report
from .scenario import Request
from .tally import Tally


@dataclass
class Parts:
    """A run taken apart: everything, and by scenario, by step (``scenario/step``) and by tag (``key=value``)."""

    overall: Part = field(default_factory=Part)
    scenarios: dict[str, Part] = field(default_factory=dict)
    steps: dict[str, Part] = field(default_factory=dict)
    tags: dict[str, Part] = field(default_factory=dict)


def take_apart(tally: Tally, requests: Sequence[Request], seconds: float) -> Parts:
    """Sum up what was counted.

    :arg seconds: the measured time.
    """
    parts = Parts()
    of_kind = []
    for request in requests:
        mine = [parts.overall, parts.scenarios.setdefault(request.scenario, Part())]
        if request.step:
            mine.append(parts.steps.setdefault(f"{request.scenario}/{request.step}", Part()))
        of_kind.append(mine + [parts.tags.setdefault(tag, Part()) for tag in request.tags])
    for outcome, count in tally.counts.items():
        fresh = Part(count.count, count.count if outcome.error else 0, count.in_time, count.histogram)
        for part in of_kind[outcome.kind]:
            part.merge(fresh)
    for part in {id(part): part for mine in of_kind for part in mine}.values():
        part.rps = (part.rps or 0) / seconds if seconds else None
    return parts


def series(tally: Tally, mergeable: bool = False) -> list[dict[str, Any]]:
    """Return a row per second of what ended in it; ``t_s`` is where the second begins.

    :arg mergeable: with the histogram of each second.
    """
    last = max(tally.seconds, default=-1)
    rows = []
    for number in range(last + 1):
        second = tally.seconds.get(number)
        row = row_of(number, second.requests if second else 0, second.errors if second else 0,
                     second.histogram if second else Histogram())
        if mergeable and second:
            row["histogram"] = second.histogram.to_dict()
        rows.append(row)
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
    if mergeable:
        result["step_histograms"] = _histograms(parts.steps)
        result["tag_histograms"] = _histograms(parts.tags)
    return result


def _histograms(parts: Mapping[str, Part]) -> dict[str, Any]:
    return {name: part.latency.to_dict() for name, part in parts.items()}
