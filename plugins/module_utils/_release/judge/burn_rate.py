# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Burn rate: how many times faster than allowed a service uses its error budget up, over two windows at once.

An SLO of 99.9 % over 30 days leaves a budget of 0.1 % of the requests. A burn rate of 1 uses it up in exactly those 30
days; ``burn rate = error rate / (1 - SLO)``. Spending the share ``s`` of the budget within a window of length ``w``
takes a burn rate of ``s * period / w``: 2 % in one hour of 30 days is 14.4. The long window says that it is serious, a
short one of a twelfth of it that it is still going on; both have to be at the limit.

Source: Google, The Site Reliability Workbook, 2018, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ..._core.errors import InputError
from ..._core.units import parse_seconds, parse_share
from .canary import Counts

SHORT = 12  # a short window is that part of the long one


@dataclass(frozen=True)
class Reading:
    """What a load balancer had counted at a time, in seconds."""

    time_s: float
    counts: Counts


@dataclass(frozen=True)
class Budget:
    """What may be spent how fast.

    :arg slo: share of the requests that has to succeed. :arg period_s: over this many seconds.
    :arg window_s: length of the long window. :arg share: how much of the budget may be spent within it.
    :raises InputError: for a number outside its range.
    """

    slo: float = 0.999
    period_s: float = 30 * 86400.0
    window_s: float = 3600.0
    share: float = 0.02

    def __post_init__(self) -> None:
        for name, example in (("slo", "99.9%"), ("share", "2%")):
            if not 0 < getattr(self, name) < 1:
                raise InputError(name, getattr(self, name), "a share above 0 and below 1", example)
        if not 0 < self.window_s < self.period_s:
            raise InputError("window", self.window_s, f"above 0 s and below the period of {self.period_s:g} s", "1h")

    @classmethod
    def of(cls, given: Mapping[str, Any], name: str = "budget") -> Budget:
        """Return the budget as people write it: ``{slo: 99.9%, period: 30d, window: 1h, share: 2%}``, all optional.

        :arg name: what they call it, for the field of an error.
        """
        try:
            return cls(parse_share(given.get("slo", cls.slo), "slo"),
                       parse_seconds(given.get("period", cls.period_s), "period"),
                       parse_seconds(given.get("window", cls.window_s), "window"),
                       parse_share(given.get("share", cls.share), "share"))
        except InputError as error:
            value = given.get(error.field, error.value)
            raise InputError(f"{name}.{error.field}", value, error.expected, error.example) from None

    @property
    def limit(self) -> float:
        """The burn rate from which on it is too much."""
        return self.share * self.period_s / self.window_s

    def burn_rate(self, counts: Counts) -> float | None:
        """Return the burn rate of what was counted; None without requests."""
        return None if counts.rate is None else counts.rate / (1 - self.slo)


def continuous(readings: Sequence[Reading]) -> list[Reading]:
    """Return the newest readings whose counters only grew: those before a restart of the balancer say nothing."""
    kept: list[Reading] = []
    for reading in readings:
        change = reading.counts - kept[-1].counts if kept else Counts()
        if min(change.requests, change.errors) < 0:
            kept = []
        kept.append(reading)
    return kept


def within(readings: Sequence[Reading], window_s: float) -> Counts:
    """Return what was counted in the window that ends with the last reading.

    It begins at the last reading that is at least that old, or at the first one where none is.
    """
    if not readings:
        return Counts()
    begin = readings[-1].time_s - window_s
    old = [reading for reading in readings if reading.time_s <= begin]
    return readings[-1].counts - (old[-1] if old else readings[0]).counts


def burned(readings: Sequence[Reading], budget: Budget) -> tuple[float | None, float | None]:
    """Return the burn rates of the long and of the short window; None where there was no request."""
    kept = continuous(readings)
    return (budget.burn_rate(within(kept, budget.window_s)), budget.burn_rate(within(kept, budget.window_s / SHORT)))
