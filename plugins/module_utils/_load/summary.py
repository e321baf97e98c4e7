# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The numbers of a run: metrics, series and samples from what was counted."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Callable, Iterable, Sequence

from .histogram import Histogram
from .run import Report
from .scenario import Request
from .tally import Outcome, Tally

#: The percentiles that every result has.
PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9)

_PERCENTILE = re.compile(r"^p(\d{1,2}(?:_\d+)?)_ms$")


def percentiles_of(metrics: Iterable[str]) -> list[float]:
    """Return the percentiles that every result has and those that these metrics name, such as ``p75_ms``."""
    named = [float(match.group(1).replace("_", ".")) for match in map(_PERCENTILE.match, metrics) if match]
    return sorted({*PERCENTILES, *named})


def metrics(tally: Tally, seconds: float, percentiles: Sequence[float],
            belongs: Callable[[Outcome], bool] = lambda _outcome: True) -> dict[str, Any]:
    """Return the metrics of the outcomes that belong.

    :arg seconds: the measured time.

    ``requests`` counts all that began in it, ``errors`` those without the right answer, ``rps`` those that also
    ended in it. Latencies are those of all requests that were answered, rightly or wrongly, and of time-outs with
    their full length.
    """
    requests = errors = in_time = 0
    latency = Histogram()
    for outcome, count in tally.counts.items():
        if belongs(outcome):
            requests += count.count
            errors += count.count if outcome.error else 0
            in_time += count.in_time
            latency.merge(count.histogram)
    result: dict[str, Any] = {
        "requests": requests,
        "errors": errors,
        "error_rate": round(errors / requests, 8) if requests else None,
        "rps": round(in_time / seconds, 3) if seconds else None,
        "mean_ms": latency.mean_ms,
        "min_ms": None if latency.min_us is None else latency.min_us / 1000,
        "max_ms": None if latency.max_us is None else latency.max_us / 1000,
    }
    for percent in percentiles:
        result[f"p{percent:g}_ms".replace(".", "_")] = latency.percentile_ms(percent)
    return result


def series(tally: Tally) -> list[dict[str, Any]]:
    """Return a row per second of what ended in it; ``t_s`` is where the second begins."""
    last = max(tally.seconds, default=-1)
    rows = []
    for number in range(last + 1):
        second = tally.seconds.get(number)
        latency = second.histogram if second else Histogram()
        rows.append({"t_s": number, "requests": second.requests if second else 0,
                     "errors": second.errors if second else 0, "p50_ms": latency.percentile_ms(50),
                     "p95_ms": latency.percentile_ms(95), "p99_ms": latency.percentile_ms(99)})
    return rows


def samples(report: Report, requests: Sequence[Request], percentiles: Sequence[float]) -> dict[str, Any]:
    """Return what the metrics came from: counts by class, status, header and tag, examples, series, histograms."""
    errors: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    headers: Counter[str] = Counter()
    histograms: dict[str, Histogram] = {request.scenario: Histogram() for request in requests}
    for outcome, count in report.tally.counts.items():
        if outcome.error:
            errors[outcome.error] += count.count
        if outcome.status:
            statuses[str(outcome.status)] += count.count
        if outcome.header is not None:
            headers[outcome.header] += count.count
        histograms[requests[outcome.kind].scenario].merge(count.histogram)

    def tagged(tag: str) -> dict[str, Any]:
        return metrics(report.tally, report.measured_s, percentiles,
                       lambda outcome: tag in requests[outcome.kind].tags)

    return {
        "errors": dict(sorted(errors.items())),
        "statuses": dict(sorted(statuses.items())),
        "header_counts": dict(sorted(headers.items())),
        "error_examples": [one for _error, examples in sorted(report.tally.examples.items()) for one in examples],
        "tags": {tag: tagged(tag) for tag in sorted({tag for request in requests for tag in request.tags})},
        "series": series(report.tally),
        "histograms": {name: histogram.to_dict() for name, histogram in histograms.items()},
    }
