# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does the new release answer later than the one beside it? Histograms in, verdict out; no clock and no socket.

Each percentile is compared by its ratio and its difference, with confidence intervals from order statistics
(:mod:`..._load.statistics.intervals`) whose variance is raised by what the seconds show (design effect).

- ``fail`` when the new release is surely slower (the interval of the ratio is above 1), by more than ``tolerance`` and
  by ``min_effect_ms`` or more: what is certain but does not matter sends nobody back.
- ``pass`` when every percentile is surely within the tolerance, or its difference surely below ``min_effect_ms``.

It is looked at when the new release has :data:`FIRST` answers, and whenever their number has doubled. The chance of a
wrong ``fail``, ``alpha``, is shared out: half to the first look, a quarter to the second and so on, and evenly among
the percentiles (Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from ..._core.errors import InputError
from ..._core.units import parse_share
from ..._core.verdict import FAIL, INCONCLUSIVE, PASS, worst
from ..._load.statistics.baseline import parse_percentiles
from ..._load.statistics.histogram import Histogram
from ..._load.statistics.intervals import Interval, difference, quantile, ratio, unevenness, z_of

#: Answers of the new release at the first look: below, no interval of a high percentile has an end.
FIRST = 100

EXAMPLE = "{percentiles: [p95], tolerance: 50%, min_effect_ms: 10}"


@dataclass(frozen=True)
class LatencyRules:
    """What is slower, and how often the judge may be wrong; ``percentiles`` are shares by the name of their metric."""

    percentiles: Mapping[str, float]
    tolerance: float = 0.5
    min_effect_ms: float = 10.0
    alpha: float = 0.001

    @classmethod
    def parse(cls, rules: Mapping[str, Any], alpha: float) -> LatencyRules:
        """Return the rules as people write them.

        :raises InputError: for one that means nothing.
        """
        unknown = sorted(set(rules) - {"percentiles", "tolerance", "min_effect_ms"})
        if unknown:
            raise InputError("latency", unknown, "percentiles, tolerance and min_effect_ms only", EXAMPLE)
        shares = parse_percentiles(rules.get("percentiles") or ["p95"], "latency.percentiles")
        least_ms = float(rules.get("min_effect_ms", cls.min_effect_ms))
        if least_ms <= 0:
            raise InputError("latency.min_effect_ms", least_ms, "more than 0 ms", EXAMPLE)
        return cls(shares, parse_share(rules.get("tolerance", "50%"), "latency.tolerance"), least_ms, alpha)


@dataclass(frozen=True)
class Compared:
    """One percentile of both releases: ``new``, ``old`` and how much ``later`` in ms, ``times`` as a ratio."""

    new: Interval
    old: Interval
    later: Interval
    times: Interval
    verdict: str


class Latency:
    """The answers so far, and what they say.

    :arg before: :meth:`to_dict` of an earlier look at the same release; empty begins anew.
    """

    def __init__(self, rules: LatencyRules, before: Mapping[str, Any] | None = None) -> None:
        self.rules = rules
        self.new, self.old = (Histogram.from_dict(before[side]) if before else Histogram() for side in ("new", "old"))
        self._seconds: list[tuple[Histogram, Histogram]] = []
        self._looks = int(before["looks"]) if before else 0
        self.verdict = INCONCLUSIVE
        #: What the last look found, by metric.
        self.compared: dict[str, Compared] = {}

    def feed(self, new_us: Iterable[int], old_us: Iterable[int]) -> None:
        """Add the answers of about a second, of both releases in the same one; look when it is time."""
        second = Histogram(), Histogram()
        for side, values, whole in zip(second, (new_us, old_us), (self.new, self.old)):
            side.record(values)
            whole.merge(side)
        self._seconds.append(second)
        if self.verdict == INCONCLUSIVE and self.new.count >= self.wanted:
            self._look()

    @property
    def wanted(self) -> int:
        """How many answers of the new release the next look needs."""
        return FIRST << self._looks

    def _look(self) -> None:
        while self.new.count >= self.wanted:
            self._looks += 1
        z = z_of(1 - 2 * self.rules.alpha / (2 ** self._looks * len(self.rules.percentiles)))
        found = {metric: self._compare(share, z) for metric, share in self.rules.percentiles.items()}
        self.compared = {metric: one for metric, one in found.items() if one}
        self.verdict = worst([one.verdict if one else INCONCLUSIVE for one in found.values()])

    def _compare(self, share: float, z: float) -> Compared | None:
        new, old = (quantile(whole, share, z, unevenness([second[side] for second in self._seconds], share))
                    for side, whole in enumerate((self.new, self.old)))
        times = ratio(old, new) if new and old else None
        if not new or not old or not times:
            return None
        later = _in_ms(difference(old, new))
        return Compared(_in_ms(new), _in_ms(old), later, times, self._decide(later, times))

    def _decide(self, later: Interval, times: Interval) -> str:
        most, least_ms = 1 + self.rules.tolerance, self.rules.min_effect_ms
        if any(one.high is not None and one.high <= limit for one, limit in ((later, least_ms), (times, most))):
            return PASS
        surely = times.low is not None and times.low > 1
        return FAIL if surely and times.estimate > most and later.estimate >= least_ms else INCONCLUSIVE

    @property
    def reasons(self) -> list[str]:
        """Say what speaks against it, or what is missing."""
        said = [self._said(metric, one) for metric, one in self.compared.items() if one.verdict == FAIL]
        if said or self.verdict == PASS:
            return said
        return [f"latency: {self.new.count} answers of the new release and {self.old.count} of the old one are too "
                f"few, or too uneven, to tell; the next look is at {self.wanted} of the new one"]

    def _said(self, metric: str, one: Compared) -> str:
        low, high = ("?" if limit is None else f"{limit:.3g}" for limit in (one.times.low, one.times.high))
        return (f"{metric}: {one.new.estimate:.3g} of the new release, {one.old.estimate:.3g} of the old one beside "
                f"it: {one.times.estimate:.3g}x ({low} to {high}x), tolerated {1 + self.rules.tolerance:.4g}x")

    @property
    def metrics(self) -> dict[str, float]:
        """Return each percentile of both releases in ms, once there was a look."""
        return {name: round(value, 3) for metric, one in self.compared.items()
                for name, value in ((metric, one.new.estimate), (f"baseline_{metric}", one.old.estimate))}

    def thresholds(self) -> list[dict[str, Any]]:
        """Return one threshold per percentile; ``ok`` is None where it is not decided."""
        most = 1 + self.rules.tolerance
        return [{"threshold": f"{metric} < {most:.4g} x baseline_{metric}", "metric": metric,
                 "limit": round(most * one.old.estimate, 3) if one else None,
                 "measured": round(one.new.estimate, 3) if one else None,
                 "ok": {PASS: True, FAIL: False}.get(one.verdict) if one else None}
                for metric in self.rules.percentiles for one in [self.compared.get(metric)]]

    def to_dict(self) -> dict[str, Any]:
        """Return what a later look goes on with."""
        return {"new": self.new.to_dict(), "old": self.old.to_dict(), "looks": self._looks}


def _in_ms(interval: Interval) -> Interval:
    low, high = (None if limit is None else limit / 1000 for limit in (interval.low, interval.high))
    return Interval(interval.estimate / 1000, low, high)
