# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far another clock is off, from readings of it between two readings of our own."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from ..._core.errors import FleetError

#: Seconds since 1970 in 64 bits are exact to 0.24 microseconds; differences of two of them to twice that.
ROUNDING_S = 1e-6


class Reading(NamedTuple):
    """Our clock before, the other clock, our clock after; in seconds since 1970."""

    before_s: float
    there_s: float
    after_s: float


def clock_offset_s(readings: Sequence[Reading]) -> tuple[float, float]:
    """Return by how much the other clock is ahead and how far that may be wrong, both in seconds.

    Each reading was taken at some time between before and after, which bounds the offset; all readings together bound
    it closer (Marzullo's intersection). Clocks that are kept in step are closer to each other than a connection lets us
    see, so the answer is 0 where the bounds allow it, and else the bound that is nearest to it.

    :raises FleetError: when the readings contradict each other, because a clock was set in the meantime.
    """
    low = max(reading.there_s - reading.after_s for reading in readings)
    high = min(reading.there_s - reading.before_s for reading in readings)
    if low > high + ROUNDING_S:
        raise FleetError("expected a clock that runs evenly, found one that was set while it was being read.",
                         "Keep the clocks of controller and load hosts in step (chrony), and try again.")
    offset = min(max(0.0, low), high)
    return offset, max(high - offset, offset - low, 0.0)
