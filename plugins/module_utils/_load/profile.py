# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A load over time: users or requests per second, in straight lines from point to point."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Iterable, Sequence

#: Below this part of a request a rounding error is no arrival.
_ROUNDING = 1e-6


class Profile:
    """Straight lines, one after the other; it never falls below 0.

    :arg lines: of each its duration in seconds, its level at its beginning and at its end.
    :arg before: the area under the lines of the profile that this one goes on from.

    As rates, the lines make requests due: number ``n``, counted from 0, at the latest time ``t`` for which the area
    under the lines from 0 to ``t`` is ``n``. With a constant rate ``r`` that is ``n / r``, the first one at the start.
    """

    def __init__(self, lines: Iterable[tuple[float, float, float]], before: float = 0.0) -> None:
        self.lines = tuple(lines)
        self.before = before
        self._starts = [0.0]
        self._areas = [before]
        for duration, begin, end in self.lines:
            self._starts.append(self._starts[-1] + duration)
            self._areas.append(self._areas[-1] + duration * (begin + end) / 2)

    @classmethod
    def constant(cls, level: float, duration_s: float) -> Profile:
        """Return a profile with one level."""
        return cls([(duration_s, level, level)])

    @classmethod
    def ramp(cls, stages: Sequence[tuple[float, float]]) -> Profile:
        """Return a profile that begins at 0 and goes in each stage (duration in s, level) straight to its level.

        A stage without duration is a jump.
        """
        levels = [0.0, *(level for _duration, level in stages)]
        return cls((duration, levels[number], level) for number, (duration, level) in enumerate(stages))

    def split(self) -> list[Profile]:
        """Return a profile of each line; together they make the same requests due as this one."""
        return [Profile([line], area) for line, area in zip(self.lines, self._areas)]

    @property
    def duration_s(self) -> float:
        """The whole duration in seconds."""
        return self._starts[-1]

    @property
    def highest(self) -> float:
        """The highest level."""
        return max((max(begin, end) for duration, begin, end in self.lines if duration), default=0.0)

    @property
    def moves(self) -> bool:
        """Whether there is more than one level."""
        return len({level for duration, begin, end in self.lines if duration for level in (begin, end)}) > 1

    def at(self, time_s: float) -> float:
        """Return the level at a time; where it jumps the one after the jump, after the end the last one."""
        number = min(max(0, bisect_right(self._starts, time_s) - 1), len(self.lines) - 1)
        duration, begin, end = self.lines[number]
        share = (time_s - self._starts[number]) / duration if duration else 1.0
        return begin + (end - begin) * min(1.0, max(0.0, share))

    def area(self, time_s: float) -> float:
        """Return the area under the lines up to a time: as rates, the requests that it amounts to."""
        if time_s >= self.duration_s:
            return self._areas[-1]
        number = max(0, bisect_right(self._starts, time_s) - 1)
        begin = self.lines[number][1]
        return self._areas[number] + (time_s - self._starts[number]) * (begin + self.at(time_s)) / 2

    @property
    def first(self) -> int:
        """The number of the first request that is due here."""
        return math.ceil(self.before - _ROUNDING)

    def due_before(self, time_s: float) -> int:
        """Return how many requests are due before a time, those of the profile before included."""
        return max(self.first, math.ceil(self.area(time_s) - _ROUNDING))

    def due_s(self, number: int) -> float:
        """Return when a request is due, in seconds from the start; infinite after the last one.

        Within a line from rate ``a`` with slope ``s``, request ``m`` of it is due at the root of
        ``a·x + s·x²/2 = m``, here in the form ``2·m / (a + √(a² + 2·s·m))``, which also holds for ``s = 0``.
        """
        place = max(0, bisect_right(self._areas, number) - 1)
        if place >= len(self.lines):
            return math.inf
        duration, begin, end = self.lines[place]
        left = number - self._areas[place]
        if left <= 0:
            return self._starts[place]
        slope = (end - begin) / duration
        return self._starts[place] + 2 * left / (begin + math.sqrt(max(0.0, begin * begin + 2 * slope * left)))
