# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scaling over levels of load: the efficiency of each, and the knee.

The knee is the level with the greatest power, the rate of right answers divided by the mean latency. Below it more
load brings more answers for little more latency, above it latency without answers. Source: L. Kleinrock, "Power and
deterministic rules of thumb for probabilistic problems in computer communications", ICC 1979; R. Jain, "The Art of
Computer Systems Performance Analysis", 1991, section 3.3 (nominal, usable and knee capacity).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence


@dataclass(frozen=True)
class Level:
    """What one level of load gave: right answers per second, and their mean latency in ms (None without any)."""

    load: float
    rps: float
    mean_ms: float | None

    @classmethod
    def of(cls, load: float, metrics: Mapping[str, Any]) -> Level:
        """Return the level that the metrics of a phase describe."""
        right = (metrics["rps"] or 0.0) * (1 - (metrics["error_rate"] or 0.0))
        return cls(load, round(right, 3), metrics["mean_ms"])

    @property
    def power(self) -> float:
        """Right answers per second and per second of latency."""
        return self.rps / self.mean_ms * 1000 if self.mean_ms else 0.0


def efficiencies(levels: Sequence[Level]) -> list[float | None]:
    """Return for each level its rate per unit of load, as a share of that of the first level with any answer."""
    base = next((level.rps / level.load for level in levels if level.rps), None)
    return [round(level.rps / level.load / base, 4) if base else None for level in levels]


def knee(levels: Sequence[Level]) -> dict[str, Any] | None:
    """Return the knee of levels in rising order; None when there are fewer than two, or no right answer.

    ``reached`` is false when the highest level is the best one, so that the knee may be beyond it.
    """
    best = max(levels, key=lambda level: level.power, default=None)
    if best is None or len(levels) < 2 or not best.power:
        return None
    return {"level": best.load, "rps": best.rps, "mean_ms": best.mean_ms, "power": round(best.power, 1),
            "reached": best is not levels[-1]}
