# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time: UTC for people and ledgers, the monotonic clock for everything that waits."""

from __future__ import annotations

import datetime
import random
import time
from typing import Callable, Iterator


def utc_now() -> str:
    """Return the time in UTC, ISO 8601 with milliseconds: ``2026-11-21T08:00:00.000Z``."""
    return utc(time.time())


def utc(epoch_s: float) -> str:
    """Return a time in seconds since 1970 in the same form."""
    then = datetime.datetime.fromtimestamp(epoch_s, datetime.timezone.utc)
    return then.strftime("%Y-%m-%dT%H:%M:%S.") + f"{then.microsecond // 1000:03d}Z"


def epoch_s(text: str) -> float:
    """Return the seconds since 1970 of a time in UTC, ISO 8601, with or without fractions."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def seconds_between(start: str, end: str) -> float:
    """Return the seconds between two times in UTC, ISO 8601, to the millisecond."""
    return round(epoch_s(end) - epoch_s(start), 3)


class Deadline:
    """A point on the monotonic clock, ``seconds`` from now."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.started = clock()
        self.seconds = seconds

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return self._clock() - self.started

    @property
    def remaining_s(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.seconds - self.elapsed_s)

    @property
    def expired(self) -> bool:
        """Whether no time is left."""
        return self.remaining_s <= 0.0


def full_jitter(base_s: float = 0.2, cap_s: float = 10.0, rng: Callable[[], float] = random.random) -> Iterator[float]:
    """Yield waits in seconds for ever: ``random(0, min(cap, base * 2**n))``.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
    """
    ceiling = base_s
    while True:
        yield rng() * min(cap_s, ceiling)
        ceiling = min(cap_s, ceiling * 2)
