# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Soak: a steady load for a long time, and whether the service drifts."""

from __future__ import annotations

import math
from typing import Any, Callable, Sequence

from ..._core.verdict import FAIL, INCONCLUSIVE
from ..drift import LEAST, trend
from ..histogram import Histogram
from ..report import Report
from ..run import Run
from .base import Conclusion, Judge, Shape

#: Into how many intervals the time is divided at the most.
INTERVALS = 60

#: A trend matters when the last quarter is worse than the first by more than this: p95, relative …
MATTERS_SHARE = 0.1
#: … and in ms; the rate of errors, absolute.
MATTERS_MS, MATTERS_ERRORS = 1.0, 0.001


class Soak(Shape):
    """One batch: warm-up and load."""

    def conclude(self, run: Run, judge: Judge) -> Conclusion:
        """Look for drift."""
        report = run.sum()
        length_s = max(1, math.ceil(report.measured_s / INTERVALS))
        latencies, errors = intervals(report, length_s)
        p95 = _trend(latencies, length_s, lambda before: max(MATTERS_SHARE * before, MATTERS_MS))
        rate = _trend(errors, length_s, lambda before: MATTERS_ERRORS)
        conclusion = Conclusion(blocks={"drift": {"interval_s": length_s, "p95_ms": p95, "error_rate": rate}})
        if rate is None:
            conclusion.object(INCONCLUSIVE, f"too short to see drift: fewer than {LEAST} intervals")
        for name, found in (("p95_ms", p95), ("error_rate", rate)):
            if found and found["drifts"]:
                conclusion.object(FAIL, f"drift: {name} rises from {found['before']:g} in the first quarter to "
                                  f"{found['after']:g} in the last one (p = {found['p_value']:.2g})")
        return conclusion


def intervals(report: Report, length_s: int) -> tuple[list[float], list[float]]:
    """Return p95 in ms and error rate of each whole interval that has any."""
    latency = [Histogram() for _interval in range(int(report.measured_s // length_s))]
    counts = [[0, 0] for _interval in latency]
    for second, row in report.tally.series:
        place = second // length_s
        if place < len(latency):
            latency[place].merge(row.latency)
            counts[place][0] += row.requests
            counts[place][1] += row.errors
    p95 = [histogram.percentile_ms(95) for histogram in latency]
    return [value for value in p95 if value is not None], [errors / number for number, errors in counts if number]


def _trend(values: Sequence[float], length_s: int, matters: Callable[[float], float]) -> dict[str, Any] | None:
    found = trend(values)
    if found is None:
        return None
    drifts = found.direction == "rising" and found.after - found.before > matters(found.before)
    return {"trend": found.direction, "p_value": round(found.p_value, 6), "drifts": drifts,
            "slope_per_hour": round(found.slope * 3600 / length_s, 6),
            "before": round(found.before, 6), "after": round(found.after, 6)}
