# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Confidence intervals for what a probe measures, without assumptions about the form of a distribution.

Sources:

- quantiles: order statistics, normal approximation of the binomial ranks. W. J. Conover, "Practical Nonparametric
  Statistics", 3rd ed. 1999, section 3.2.
- proportions: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
- differences of two estimates from their own intervals (MOVER): G. Y. Zou, A. Donner, "Construction of confidence
  limits about effect measures", 2008; for proportions it is R. G. Newcombe's method 10, 1998.
- requests of the same second are alike: the design effect of cluster samples. L. Kish, "Survey Sampling", 1965,
  section 5.4 (variance of a ratio of cluster totals).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple, Sequence

from .histogram import Histogram, bounds_of, bucket_of


class Interval(NamedTuple):
    """An estimate with its limits; a limit is None where the data are too few to tell."""

    estimate: float
    low: float | None
    high: float | None


def z_of(confidence: float) -> float:
    """Return the two-sided quantile of the normal distribution: 1.96 for 0.95."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def quantile(histogram: Histogram, share: float, z: float, design_effect: float = 1.0) -> Interval | None:
    """Return the interval of a quantile in µs; None without values.

    :arg share: 0.95 for the 95th percentile.
    :arg design_effect: by how much the variance is larger than that of independent values.
    """
    number = histogram.count
    if not number:
        return None
    half = z * math.sqrt(number * share * (1 - share) * design_effect)
    low, high = math.floor(number * share - half), math.ceil(number * share + half) + 1
    return Interval(_at_rank(histogram, max(1, math.ceil(number * share))),
                    _at_rank(histogram, low) if low >= 1 else None,
                    _at_rank(histogram, high) if high <= number else None)


def _at_rank(histogram: Histogram, rank: int) -> float:
    """Return the value with this rank, from 1: the middle of its bucket."""
    seen, bucket = 0, 0
    for bucket in sorted(histogram.counts):
        seen += histogram.counts[bucket]
        if seen >= rank:
            break
    low, high = bounds_of(bucket)
    return (low + high) / 2


def proportion(hits: int, number: int, z: float, design_effect: float = 1.0) -> Interval | None:
    """Return Wilson's interval of a share; None without any."""
    if not number:
        return None
    size = number / design_effect
    share = hits / number
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    return Interval(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def difference(before: Interval, after: Interval) -> Interval:
    """Return ``after - before`` with its interval, from those of both."""
    change = after.estimate - before.estimate
    low = high = None
    if after.low is not None and before.high is not None:
        low = change - math.hypot(after.estimate - after.low, before.high - before.estimate)
    if after.high is not None and before.low is not None:
        high = change + math.hypot(after.high - after.estimate, before.estimate - before.low)
    return Interval(change, low, high)


def ratio(before: Interval, after: Interval) -> Interval | None:
    """Return ``after / before`` with its interval: the difference of the logarithms; None where one is 0."""
    if not (before.estimate > 0 and after.estimate > 0):
        return None
    change = difference(_log(before), _log(after))
    return Interval(math.exp(change.estimate), None if change.low is None else math.exp(change.low),
                    None if change.high is None else math.exp(change.high))


def _log(interval: Interval) -> Interval:
    def log(value: float | None) -> float | None:
        return math.log(value) if value else None

    return Interval(math.log(interval.estimate), log(interval.low), log(interval.high))


def design_effect(clusters: Sequence[tuple[int, int]]) -> float:
    """Return by how much the variance of a share exceeds that of independent trials, never below 1.

    :arg clusters: hits and number of trials, by second.
    """
    full = [(hits, number) for hits, number in clusters if number]
    total, hit = sum(number for _hits, number in full), sum(hits for hits, _number in full)
    if len(full) < 2 or not 0 < hit < total:
        return 1.0
    share = hit / total
    spread = sum((hits - share * number) ** 2 for hits, number in full) * len(full) / (len(full) - 1)
    return max(1.0, spread / (total * share * (1 - share)))


def unevenness(clusters: Sequence[Histogram], share: float) -> float:
    """Return the design effect of a quantile: how unevenly values above it are spread over clusters such as seconds."""
    whole = Histogram()
    for cluster in clusters:
        whole.merge(cluster)
    limit = whole.percentile_us(100 * share)
    if limit is None:
        return 1.0
    last = bucket_of(int(limit))
    return design_effect([(sum(number for bucket, number in cluster.counts.items() if bucket <= last), cluster.count)
                          for cluster in clusters])


def cliffs_delta(before: Histogram, after: Histogram) -> float | None:
    """Return P(after > before) − P(after < before), from −1 to 1; None without values on a side.

    Values of the same bucket count as equal. Source: N. Cliff, "Dominance statistics", 1993.
    """
    if not before.count or not after.count:
        return None
    below = greater = less = 0
    for bucket in sorted({*before.counts, *after.counts}):
        mine, theirs = after.counts.get(bucket, 0), before.counts.get(bucket, 0)
        greater += mine * below
        below += theirs
        less += mine * (before.count - below)
    return round((greater - less) / (before.count * after.count), 4)
