# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A result against an earlier one: how much worse, how sure, and is that too much?

Each percentile is compared by its ratio, the error rate by its difference, each with a confidence interval. ``pass``
when the whole interval is within the tolerance, ``fail`` when it is surely worse and the estimate is beyond the
tolerance, else ``inconclusive``: too few requests to tell. The error probability is shared among all rows
(Bonferroni), and variances are raised by what the seconds of each run show (design effect).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ..._core.errors import InputError
from ..._core.units import parse_share
from ..._core.verdict import FAIL, INCONCLUSIVE, PASS, worst
from ..result.metrics import Part
from .histogram import Histogram
from .intervals import Interval, cliffs_delta, design_effect, difference, proportion, quantile, ratio, unevenness, z_of

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")

EXAMPLE = "{result_name: nightly, tolerance: 10%}"

#: Sizes of Cliff's delta. Source: J. Romano et al., "Exploring methods for evaluating group differences", 2006.
_SIZES = ((0.147, "negligible"), (0.33, "small"), (0.474, "medium"), (2.0, "large"))


@dataclass(frozen=True)
class Limits:
    """What is compared and what is tolerated; ``percentiles`` are shares by the name of their metric."""

    percentiles: Mapping[str, float]
    tolerance: float
    error_tolerance: float
    confidence: float

    @classmethod
    def parse(cls, percentiles: Sequence[str] = ("p50", "p95"), tolerance: str = "10%", error_tolerance: str = "1%",
              confidence: float = 0.95) -> Limits:
        """Check what was asked for.

        :arg tolerance: how much longer a percentile may be.
        :arg error_tolerance: by how much the share of errors may be larger, in percentage points.
        :raises InputError: names the field.
        """
        if not 0.5 <= confidence < 1:
            raise InputError("baseline.confidence", confidence, "a number from 0.5 to below 1", "0.95")
        return cls(parse_percentiles(percentiles, "baseline.percentiles"), _share(tolerance, "tolerance"),
                   _share(error_tolerance, "error_tolerance"), confidence)


def parse_percentiles(names: Sequence[str], field: str) -> dict[str, float]:
    """Return shares by the name of their metric, ``{"p95_ms": 0.95}``.

    :raises InputError: names the field.
    """
    shares = {}
    for name in names:
        match = _PERCENTILE.fullmatch(str(name))
        if not match or not float(match.group(1)):
            raise InputError(field, name, "the name of a percentile", "[p50, p95, p99.9]")
        shares[f"{name}_ms".replace(".", "_")] = float(match.group(1)) / 100
    return shares


@dataclass(frozen=True)
class Baseline:
    """An earlier result, and the limits within which a later one has to be.

    :raises InputError: when the result is none of a probe.
    """

    result: Mapping[str, Any]
    limits: Limits

    def __post_init__(self) -> None:
        if not isinstance(self.result, Mapping) or not _histograms(self.result):
            raise InputError("baseline.result", type(self.result).__name__, "an earlier result of load_probe, with "
                             "samples.histograms", EXAMPLE)

    def require(self, scenarios: Sequence[str]) -> None:
        """Check that there is anything to compare.

        :raises InputError: when the baseline has none of these scenarios.
        """
        there = _histograms(self.result)
        if not set(there) & set(scenarios):
            raise InputError("baseline.result", list(there), f"at least one of the scenarios {', '.join(scenarios)}",
                             EXAMPLE)

    def compare(self, after: Mapping[str, Any]) -> dict[str, Any]:
        """Compare a result with the baseline.

        :returns: ``verdict``, ``reasons``, ``rows`` (one per scope and metric) and ``effects`` (Cliff's delta of all
            latencies, by scope). The scope "" is everything; it is there when both have the same scenarios.
        """
        first, second = _parts(self.result), _parts(after)
        scopes = [scope for scope in second if scope in first and (scope or set(first) == set(second))]
        z = z_of(1 - (1 - self.limits.confidence) / (len(scopes) * (len(self.limits.percentiles) + 1)))
        seconds = [_seconds(one) for one in (self.result, after)]
        rows = []
        for scope in scopes:
            pair = (first[scope], second[scope])
            rows += [self._latency(scope, metric, pair, seconds, z) for metric in self.limits.percentiles]
            rows.append(self._errors(scope, pair, seconds, z))
        return {
            "verdict": worst([row["verdict"] for row in rows]),
            "reasons": [self._reason(row) for row in rows if row["verdict"] != PASS],
            "started_at": self.result.get("started_at", ""),
            "confidence": self.limits.confidence,
            "tolerance": self.limits.tolerance,
            "error_tolerance": self.limits.error_tolerance,
            "rows": rows,
            "effects": {scope: _effect(first[scope], second[scope]) for scope in scopes},
            "not_compared": sorted({*first, *second} - {*scopes, ""}),
        }

    def _latency(self, scope: str, metric: str, pair: tuple[Part, Part], seconds: Sequence[Sequence[Part]],
                 z: float) -> dict[str, Any]:
        share = self.limits.percentiles[metric]
        intervals = [quantile(part.latency, share, z, unevenness([row.latency for row in rows], share))
                     for part, rows in zip(pair, seconds)]
        before, after = (None if one is None else round(one.estimate / 1000, 4) for one in intervals)
        change = ratio(intervals[0], intervals[1]) if intervals[0] and intervals[1] else None
        return {"scope": scope, "metric": metric, "before": before, "after": after, "effect": "ratio",
                **_told(change), "verdict": _decide(change, 1.0, 1 + self.limits.tolerance)}

    def _errors(self, scope: str, pair: tuple[Part, Part], seconds: Sequence[Sequence[Part]],
                z: float) -> dict[str, Any]:
        intervals = [proportion(part.errors, part.requests, z,
                                design_effect([(row.errors, row.requests) for row in rows]))
                     for part, rows in zip(pair, seconds)]
        before, after = (None if one is None else round(one.estimate, 8) for one in intervals)
        change = difference(intervals[0], intervals[1]) if intervals[0] and intervals[1] else None
        return {"scope": scope, "metric": "error_rate", "before": before, "after": after, "effect": "difference",
                **_told(change), "verdict": _decide(change, 0.0, self.limits.error_tolerance)}

    def _reason(self, row: Mapping[str, Any]) -> str:
        limits = self.limits
        where = f"{row['scope']}: " if row["scope"] else ""
        if row["estimate"] is None:
            return f"{where}{row['metric']}: nothing to compare with the baseline"
        if row["effect"] == "ratio":
            unit, most = "×", f"{1 + limits.tolerance:.4g}×"
            found = f"{row['estimate']:.3g}× the baseline's"
        else:
            unit, most = " points", f"{100 * limits.error_tolerance:.4g} points"
            found = f"{100 * row['estimate']:+.3g} points against the baseline"
        factor = 1 if row["effect"] == "ratio" else 100
        low, high = ("?" if row[key] is None else f"{factor * row[key]:.3g}" for key in ("low", "high"))
        told = f"{where}{row['metric']}: {found} ({low} to {high}{unit} at {limits.confidence:.0%}), tolerated {most}"
        return told if row["verdict"] == FAIL else f"{told}: too few requests, or too uneven, to tell"


def compare_results(after: Mapping[str, Any], before: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Compare a result with an earlier one, with the options of :meth:`Limits.parse`."""
    baseline = Baseline(before, Limits.parse(**options))
    baseline.require(list(after["scenarios"]))
    return baseline.compare(after)


def _share(text: str, field: str) -> float:
    try:
        return parse_share(text, field)
    except InputError as error:
        raise InputError(f"baseline.{field}", text, "a share of 0% to 100%", "10%") from error


def _histograms(result: Mapping[str, Any]) -> Mapping[str, Any]:
    return (result.get("samples") or {}).get("histograms") or {}


def _parts(result: Mapping[str, Any]) -> dict[str, Part]:
    """Return everything (as "") and each scenario; a single scenario is everything."""
    histograms = _histograms(result)
    parts = {name: Part.from_result(metrics, histograms[name]) for name, metrics in result["scenarios"].items()}
    if len(parts) == 1:
        return parts
    whole = Part()
    for part in parts.values():
        whole.merge(part)
    return {"": whole, **parts}


def _seconds(result: Mapping[str, Any]) -> list[Part]:
    """Return what ended in each second."""
    return [Part(row["requests"], row["errors"], None,
                 Histogram.from_dict(row["histogram"]) if "histogram" in row else Histogram())
            for row in result["samples"].get("series") or []]


def _told(change: Interval | None) -> dict[str, Any]:
    values = (None, None, None) if change is None else change
    return {key: None if value is None else round(value, 6) for key, value in zip(("estimate", "low", "high"), values)}


def _decide(change: Interval | None, neutral: float, most: float) -> str:
    if change is None:
        return INCONCLUSIVE
    if change.high is not None and change.high <= most:
        return PASS
    if change.low is not None and change.low > neutral and change.estimate > most:
        return FAIL
    return INCONCLUSIVE


def _effect(before: Part, after: Part) -> dict[str, Any]:
    delta = cliffs_delta(before.latency, after.latency)
    size = next(name for limit, name in _SIZES if abs(delta or 0) < limit)
    return {"cliffs_delta": delta, "size": None if delta is None else size}
