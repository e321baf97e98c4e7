# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drift: does a series of measurements rise or fall in the long run?

Whether there is a trend is told by the Mann-Kendall test, how steep it is by the Theil-Sen estimator; both look at
ranks and medians, so that single outliers decide nothing. Sources: H. B. Mann, "Nonparametric tests against trend",
Econometrica 13, 1945; M. G. Kendall, "Rank Correlation Methods", 1975 (variance with ties, continuity correction);
P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63, 1968.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from statistics import mean, median
from typing import Sequence

#: Below this number of values the normal approximation of the test is poor, and there is no judgement (Kendall 1975).
LEAST = 10

#: A trend is one when chance alone would show one as strong with less than this probability, two-sided.
SIGNIFICANCE = 0.01


@dataclass(frozen=True)
class Trend:
    """A trend in values at equal distances.

    ``p_value`` is the two-sided probability of an S as large without a trend, ``slope`` the median change from one
    value to the next, ``before`` and ``after`` the means of the first and of the last quarter.
    """

    direction: str
    p_value: float
    slope: float
    before: float
    after: float


def mann_kendall(values: Sequence[float]) -> tuple[int, float]:
    """Return the test's S (pairs that rise minus pairs that fall) and its two-sided p-value."""
    number = len(values)
    score = sum((later > earlier) - (later < earlier) for earlier, later in combinations(values, 2))

    def spread(size: int) -> int:
        return size * (size - 1) * (2 * size + 5)

    variance = (spread(number) - sum(spread(ties) for ties in Counter(values).values())) / 18
    if not score or not variance:
        return score, 1.0
    return score, math.erfc((abs(score) - 1) / math.sqrt(2 * variance))


def theil_sen(values: Sequence[float]) -> float:
    """Return the median of the slopes between all pairs, per step; 0 for fewer than two values."""
    pairs = combinations(enumerate(values), 2)
    return median([(high - low) / (later - earlier) for (earlier, low), (later, high) in pairs] or [0.0])


def trend(values: Sequence[float]) -> Trend | None:
    """Return the trend of a series; None when it has fewer than ``LEAST`` values."""
    if len(values) < LEAST:
        return None
    score, p_value = mann_kendall(values)
    direction = "none" if p_value >= SIGNIFICANCE else "rising" if score > 0 else "falling"
    quarter = len(values) // 4
    return Trend(direction, p_value, theil_sen(values), mean(values[:quarter]), mean(values[-quarter:]))
