# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The canary judge: is the new release worse than the one beside it, by the errors that users get?

Nothing here reads a clock or a socket: counts in, verdict out. Two sequential tests run over the same counts.

*Against the limit.* Wald's sequential probability ratio test of a Bernoulli rate, H0: ``p <= p0`` against
H1: ``p >= p1``, with ``p1 = max_error_rate`` (the least rate that does harm) and ``p0 = p1 / ratio``. After ``n``
requests of which ``x`` failed, ``limit = x ln(p1/p0) + (n - x) ln((1-p1)/(1-p0))``.

*Against the baseline.* What the old release's error rate is, nobody knows; that it is served in the same seconds by the
same balancer takes it out of the test. Given the failed requests of an interval, H0 "the new release is no worse" says
that each fell on the new one with the chance of its share of the requests, ``s = n_new / (n_new + n_old)``, and H1
"``ratio`` times as bad" with ``t = ratio n_new / (ratio n_new + n_old)``: ``baseline = sum over intervals of
x_new ln(t/s) + x_old ln((1-t)/(1-s))``. The share is the counted one of each interval, so a trouble that hits both, or
a weight that changes, does not count against the new release.

*Decision.* ``pass`` when ``limit <= ln(beta)``; ``fail`` when ``limit >= ln(1/alpha)`` and ``baseline >= ln(1/alpha)``;
``inconclusive`` otherwise. A release that fails as often as ``max_error_rate`` passes with a chance of at most
``beta``. A release that is no worse than the baseline, or fails at most ``p0`` of its requests, fails with a chance of
at most ``alpha``, however often one looks: both ratios are supermartingales under their H0, and Ville's inequality
bounds the chance that one ever reaches ``1/alpha``. For the second one this holds at any error rate, because given
the totals of an interval the count is hypergeometric, and the expectation of a convex function of it is not above the
binomial's that the ratio is made for. Both having to reject is an intersection-union test, so alpha is not shared out.

Sources: A. Wald, Sequential Analysis, 1947, 3.2 (boundaries), 5.3 (binomial), 6 (two rates by conditioning).
J. Ville, Étude critique de la notion de collectif, 1939. W. Hoeffding, JASA 58 (1963), theorem 4. R. L. Berger,
Technometrics 24 (1982) (intersection-union). M. Kulldorff et al., Sequential Analysis 30 (2011) (conditional
sequential test of a rate against concurrent controls).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from ..._core.errors import InputError
from ..._core.units import parse_share
from ..._core.verdict import FAIL, INCONCLUSIVE, PASS


@dataclass(frozen=True)
class Counts:
    """Requests and how many of them failed."""

    requests: int = 0
    errors: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.requests + other.requests, self.errors + other.errors)

    def __sub__(self, other: Counts) -> Counts:
        return Counts(self.requests - other.requests, self.errors - other.errors)

    @property
    def rate(self) -> float | None:
        """Share of the requests that failed; None without any."""
        return self.errors / self.requests if self.requests else None


def total(counts: Iterable[Counts]) -> Counts:
    """Return their sum."""
    return sum(counts, Counts())


@dataclass(frozen=True)
class Rules:
    """What is harm, and how often the judge may be wrong.

    :arg max_error_rate: least share of failed requests that does harm, above 0 and below 1.
    :arg ratio: how many times as bad as the baseline is worse, above 1; also between the limit and what is harmless.
    :arg alpha: chance to send a healthy release back. :arg beta: chance to let a harmful one through.
    :raises InputError: for a number outside its range.
    """

    max_error_rate: float = 0.01
    ratio: float = 10.0
    alpha: float = 0.001
    beta: float = 0.01

    def __post_init__(self) -> None:
        for name, example in (("max_error_rate", "1%"), ("alpha", "0.001"), ("beta", "0.01")):
            if not 0 < getattr(self, name) < 1:
                raise InputError(name, getattr(self, name), "a share above 0 and below 1", example)
        if not 1 < self.ratio < math.inf:
            raise InputError("ratio", self.ratio, "a number above 1", "10")

    @property
    def harmless(self) -> float:
        """Share of failed requests that no release is sent back for."""
        return self.max_error_rate / self.ratio

    @property
    def reject(self) -> float:
        """Logarithm of the likelihood ratio from which on H0 is rejected."""
        return -math.log(self.alpha)

    @property
    def accept(self) -> float:
        """Logarithm of the likelihood ratio up to which H1 is rejected."""
        return math.log(self.beta)


def check(rules: Mapping[str, Any]) -> Rules:
    """Return the rules as people write them, ``max_error_rate`` as ``2%`` or 0.02; what is not there has its default.

    :raises InputError: for one that means nothing.
    """
    given = {name: float(rules[name]) for name in ("ratio", "alpha", "beta") if name in rules}
    return Rules(parse_share(rules.get("max_error_rate", Rules.max_error_rate), "max_error_rate"), **given)


@dataclass
class Judge:
    """The evidence so far. Judges of several load balancers with the same rules merge by :meth:`merge`."""

    rules: Rules
    new: Counts = Counts()
    old: Counts = Counts()
    baseline: float = 0.0

    def feed(self, new: Counts, old: Counts) -> None:
        """Add what was counted in one interval, of both releases in the same one."""
        self.new += new
        self.old += old
        self.baseline += relative(new, old, self.rules.ratio)

    def merge(self, other: Judge) -> Judge:
        """Return the evidence of both, counted at different places."""
        return Judge(self.rules, self.new + other.new, self.old + other.old, self.baseline + other.baseline)

    @property
    def limit(self) -> float:
        """Logarithm of the likelihood ratio of ``p1`` to ``p0`` for what the new release has done."""
        good = self.new.requests - self.new.errors
        return self.new.errors * math.log(self.rules.ratio) - good * self._step

    @property
    def _step(self) -> float:
        """How much one good request takes off :attr:`limit`."""
        return math.log((1 - self.rules.harmless) / (1 - self.rules.max_error_rate))

    @property
    def harmful(self) -> bool:
        """Whether the new release fails too often, whatever the old one does."""
        return self.limit >= self.rules.reject

    @property
    def worse(self) -> bool:
        """Whether the new release is worse than the old one, however often that fails."""
        return self.baseline >= self.rules.reject

    @property
    def verdict(self) -> str:
        """Return pass, fail or inconclusive."""
        if self.limit <= self.rules.accept:
            return PASS
        return FAIL if self.harmful and self.worse else INCONCLUSIVE

    @property
    def wanted(self) -> int:
        """How many more requests without an error would make it pass."""
        return max(0, math.ceil((self.limit - self.rules.accept) / self._step))


def relative(new: Counts, old: Counts, ratio: float) -> float:
    """Return the logarithm of the likelihood ratio "``ratio`` times as bad" to "the same" for one interval.

    An interval in which only one of them had requests says nothing about the other: 0.
    """
    if not new.requests or not old.requests:
        return 0.0
    requests = new.requests + old.requests
    weighted = ratio * new.requests + old.requests
    return new.errors * math.log(ratio * requests / weighted) + old.errors * math.log(requests / weighted)
