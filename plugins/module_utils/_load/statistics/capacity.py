# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The search for the highest rate that a service bears: bracketing, then bisection.

From the first rate on, the rate is doubled while it is borne and halved while it is not, until one that is borne and
one that is not enclose the answer. Then their geometric mean is tried, until they differ by less than the precision.
A rate is not borne when it fails twice in a row, so that a hiccup decides nothing.
"""

from __future__ import annotations

import math

#: By which factor the rate changes until the answer is enclosed.
STRIDE = 2.0

#: How often a rate has to fail.
FAILURES = 2


class Search:
    """One search. Ask for ``rate``, try it, ``tell`` what came of it, until ``rate`` is None.

    :arg first: the first rate, between the others.
    :arg least: the lowest rate that is tried.
    :arg most: the highest rate that is tried.
    :arg precision: the relative width of the answer, such as 0.05.

    ``low`` is the highest rate that was borne (None when there is none), ``high`` the lowest one that was not.
    """

    def __init__(self, first: float, least: float, most: float, precision: float) -> None:
        self.rate: float | None = first
        self.low: float | None = None
        self.high: float | None = None
        self._least, self._most, self._precision = least, most, precision
        self._failures = 0

    def tell(self, borne: bool) -> None:
        """Take in the trial at ``rate``, and choose the next one."""
        if self.rate is None:
            raise ValueError("the search is over")
        if borne:
            self.low = self.rate
        else:
            self._failures += 1
            if self._failures < FAILURES:
                return
            self.high = self.rate
        self._failures = 0
        self.rate = self._next()

    def _next(self) -> float | None:
        if self.low is not None and self.high is not None:
            return math.sqrt(self.low * self.high) if self.high > self.low * (1 + self._precision) else None
        if self.low is not None:
            return min(self._most, self.low * STRIDE) if self.low < self._most else None
        if self.high is not None:
            return max(self._least, self.high / STRIDE) if self.high > self._least else None
        return self.rate


def most_trials(first: float, least: float, most: float, precision: float) -> int:
    """Return how many trials a search needs at most."""
    strides = math.ceil(math.log(max(most / first, first / least), STRIDE)) + 1
    halvings = max(0, math.ceil(math.log2(math.log(STRIDE) / math.log(1 + precision))))
    return FAILURES * (strides + halvings)
