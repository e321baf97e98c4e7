# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Soak: a steady load for a long time, and whether the service drifts."""

from __future__ import annotations

import math
from typing import Any, Callable, Sequence

from ..._core.verdict import FAIL, INCONCLUSIVE
from ..run import Run
from ..statistics.drift import LEAST, trend
from ..statistics.histogram import Histogram
from .base import Conclusion, Judge, Shape

#: Into how many intervals the time is divided at the most.
INTERVALS = 60

#: A trend matters when the last quarter is worse than the first by more than this: p95, relative …
MATTERS_SHARE = 0.1
#: … and in ms; the rate of errors, absolute.
MATTERS_MS, MATTERS_ERRORS = 1.0, 0.001

#: Of a row of the series: the second in which it begins, requests, errors, latencies.
Row = tuple[int, int, int, Histogram]


class Soak(Shape):
    """One batch: warm-up and load."""

    def conclude(self, run: Run, judge: Judge) -> Conclusion:
        """Look for drift."""
        report = run.sum()
        return drift([(second, row.requests, row.errors, row.latency) for second, row in report.tally.series],
                     report.measured_s)


def drift(rows: Sequence[Row], measured_s: float) -> Conclusion:
    """Look for drift in a series."""
    length_s = max(1, math.ceil(measured_s / INTERVALS))
    latencies, errors = _intervals(rows, int(measured_s // length_s), length_s)
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


def _intervals(rows: Sequence[Row], number: int, length_s: int) -> tuple[list[float], list[float]]:
    """Return p95 in ms and error rate of each interval that has any."""
    latency = [Histogram() for _interval in range(number)]
    counts = [[0, 0] for _interval in latency]
    for second, requests, failed, latencies in rows:
        place = second // length_s
        if place < number:
            latency[place].merge(latencies)
            counts[place][0] += requests
            counts[place][1] += failed
    p95 = [histogram.percentile_ms(95) for histogram in latency]
    return [value for value in p95 if value is not None], [failed / requests for requests, failed in counts if requests]


def _trend(values: Sequence[float], length_s: int, matters: Callable[[float], float]) -> dict[str, Any] | None:
    found = trend(values)
    if found is None:
        return None
    drifts = found.direction == "rising" and found.after - found.before > matters(found.before)
    return {"trend": found.direction, "p_value": round(found.p_value, 6), "drifts": drifts,
            "slope_per_hour": round(found.slope * 3600 / length_s, 6),
            "before": round(found.before, 6), "after": round(found.after, 6)}
