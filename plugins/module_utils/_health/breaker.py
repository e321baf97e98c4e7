# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The circuit breaker: do not ask a component that keeps failing, but try again after a while.

closed → open after ``failures`` failures in a row, or when at least ``share`` of the last ``calls`` outcomes failed;
open → half-open after ``open_s``; then one good look closes it and a bad one opens it for twice as long as before,
up to ``open_max_s``. The state machine has no clock of its own: the time is an argument.

Source: "CircuitBreaker", Martin Fowler, 2014, and M. Nygard, "Release It!", 2nd edition, 2018, chapter 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .._core.errors import InputError

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"


@dataclass(frozen=True)
class Limits:
    """When a breaker opens and for how long; times in seconds."""

    failures: int = 5
    share: float = 0.5
    calls: int = 20
    open_s: float = 30.0
    open_max_s: float = 300.0

    def __post_init__(self) -> None:
        for field in ("failures", "calls"):
            if getattr(self, field) < 1:
                raise InputError(f"breaker: {field}", getattr(self, field), "1 or more", f"{field}: 5")
        if not 0 < self.share <= 1:
            raise InputError("breaker: share", self.share, "more than 0 and at most 1", "share: 0.5")
        if not 0 < self.open_s <= self.open_max_s < float("inf"):
            found = (self.open_s, self.open_max_s)
            raise InputError("breaker: open_s, open_max_s", found, "0 < open_s <= open_max_s", "30, 300")


class Breaker:
    """The breaker of one component; ``now`` is in seconds on a clock that survives the process, such as the epoch.

    A clock that was set back behind the moment of opening makes the breaker half-open: better one look too many.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._close()

    def _close(self) -> None:
        self.streak = 0
        self.outcomes: list[bool] = []
        self.opened_at: float | None = None
        self.open_s = self.limits.open_s

    def state(self, now: float) -> str:
        """Return closed, open or half-open."""
        if self.opened_at is None:
            return CLOSED
        return OPEN if self.wait_s(now) > 0 else HALF_OPEN

    def wait_s(self, now: float) -> float:
        """Return the seconds until the next look may be taken; 0 when it may be taken now."""
        if self.opened_at is None or now < self.opened_at:
            return 0.0
        return max(0.0, self.opened_at + self.open_s - now)

    def record(self, good: bool, now: float) -> None:
        """Take the outcome of a look; what comes while it is open was begun before and counts no more."""
        state = self.state(now)
        if state == HALF_OPEN and good:
            self._close()
        elif state == HALF_OPEN:
            self.opened_at, self.open_s = now, min(self.open_s * 2, self.limits.open_max_s)
        elif state == CLOSED:
            self.streak = 0 if good else self.streak + 1
            self.outcomes = [*self.outcomes, good][-self.limits.calls :]
            full = len(self.outcomes) == self.limits.calls
            too_many = full and self.outcomes.count(False) >= self.limits.share * self.limits.calls
            if not good and (self.streak >= self.limits.failures or too_many):
                self.opened_at, self.open_s = now, self.limits.open_s

    def to_dict(self) -> dict[str, Any]:
        """Return the state for a file."""
        return {
            "streak": self.streak,
            "outcomes": self.outcomes,
            "opened_at": self.opened_at,
            "open_s": self.open_s,
        }

    @classmethod
    def from_dict(cls, limits: Limits, state: Mapping[str, Any]) -> Breaker:
        """Return the breaker as it was, under limits that may have changed since.

        :raises KeyError, TypeError, ValueError: when this is no such state.
        """
        breaker = cls(limits)
        breaker.streak = int(state["streak"])
        breaker.outcomes = [bool(outcome) for outcome in state["outcomes"]][-limits.calls :]
        breaker.opened_at = None if state["opened_at"] is None else float(state["opened_at"])
        breaker.open_s = min(max(float(state["open_s"]), limits.open_s), limits.open_max_s)
        return breaker
