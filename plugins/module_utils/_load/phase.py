# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A phase: a part of a run with a load and a tally of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .profile import Profile


@dataclass(frozen=True)
class Phase:
    """What is sent in a part of a run.

    ``profile`` is the number of virtual users over time, or in an ``arriving`` phase (open model) requests per second.
    ``connections`` is how many there may be at the most. ``measured`` is false for a warm-up. ``iterations`` ends the
    phase when so many requests are answered; 0 for no such end.
    """

    name: str
    profile: Profile
    connections: int
    arriving: bool = False
    measured: bool = True
    iterations: int = 0

    @property
    def offered(self) -> dict[str, float]:
        """The load at the end of the phase, and the highest one where it is another."""
        last, highest = self.profile.at(self.profile.duration_s), self.profile.highest
        unit = "rps" if self.arriving else "vus"
        return {unit: last} if last == highest else {unit: last, f"highest_{unit}": highest}

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can carry."""
        return {**vars(self), "profile": {"lines": self.profile.lines, "before": self.profile.before}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Phase:
        """Return the phase that ``to_dict`` described."""
        return cls(**{**data, "profile": Profile(**data["profile"])})


def part_of(number: int, share: tuple[int, int]) -> int:
    """Return a process' part of a number of things: its place and how many there are; the first ones get the rest."""
    place, count = share
    return number // count + (place < number % count)
