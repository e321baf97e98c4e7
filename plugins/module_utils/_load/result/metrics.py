# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metrics of requests that belong together: of a run, a scenario, a step, a tag."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Sequence

from ..statistics.histogram import Histogram

#: The percentiles that every result has.
PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9)

_PERCENTILE = re.compile(r"^p(\d{1,2}(?:_\d+)?)_ms$")


def percentiles_of(metrics: Iterable[str]) -> list[float]:
    """Return the percentiles that every result has and those that these metrics name, such as ``p75_ms``."""
    named = [float(match.group(1).replace("_", ".")) for match in map(_PERCENTILE.match, metrics) if match]
    return sorted({*PERCENTILES, *named})


@dataclass
class Part:
    """Requests that belong together.

    ``requests`` are all that began in the measured time, ``errors`` those without the right answer, ``rps`` how many
    per second also ended in it (None when nothing was measured). ``latency`` has all requests that were answered,
    rightly or wrongly, and time-outs with their full length.
    """

    requests: int = 0
    errors: int = 0
    rps: float | None = None
    latency: Histogram = field(default_factory=Histogram)

    def metrics(self, percentiles: Sequence[float]) -> dict[str, Any]:
        """Return the numbers that a result has."""
        latency = self.latency
        return {
            "requests": self.requests,
            "errors": self.errors,
            "error_rate": round(self.errors / self.requests, 8) if self.requests else None,
            "rps": None if self.rps is None else round(self.rps, 3),
            "mean_ms": latency.mean_ms,
            "min_ms": None if latency.min_us is None else latency.min_us / 1000,
            "max_ms": None if latency.max_us is None else latency.max_us / 1000,
            **{f"p{percent:g}_ms".replace(".", "_"): latency.percentile_ms(percent) for percent in percentiles},
        }

    def merge(self, other: Part) -> None:
        """Add another part of the same time."""
        self.requests += other.requests
        self.errors += other.errors
        if other.rps is not None:
            self.rps = (self.rps or 0.0) + other.rps
        self.latency.merge(other.latency)

    @classmethod
    def from_result(cls, metrics: Mapping[str, Any], histogram: Mapping[str, Any] | None) -> Part:
        """Return the part that a result describes; without its histogram it has no latencies."""
        return cls(metrics["requests"], metrics["errors"], metrics["rps"],
                   Histogram.from_dict(histogram) if histogram else Histogram())


def row_of(number: int, requests: int, errors: int, latency: Histogram) -> dict[str, Any]:
    """Return a row of the series."""
    return {"t_s": number, "requests": requests, "errors": errors, "p50_ms": latency.percentile_ms(50),
            "p95_ms": latency.percentile_ms(95), "p99_ms": latency.percentile_ms(99)}
