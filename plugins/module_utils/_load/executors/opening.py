# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that are opened in advance."""

from __future__ import annotations

from ..engine.loop import Engine
from .common import LONGEST_WAIT_S, nothing

#: How many connections are being opened at the same time, at most.
BURST = 512


class Opening:
    """Open connections before the first request, so that none pays for it; failures are left to the requests.

    ``ready`` are those that are open.
    """

    paces = False

    def __init__(self, engine: Engine, number: int) -> None:
        self.ready: list[int] = []
        self.following = nothing
        self._engine = engine
        self._left = number
        self._opening = 0

    def idle(self, fd: int, now: int) -> None:
        """A connection is open."""
        self.ready.append(fd)
        self._opening -= 1

    def lost(self, fd: int, now: int, failed: bool) -> None:
        """A connection could not be opened, or was closed again."""
        if fd in self.ready:
            self.ready.remove(fd)
        else:
            self._opening -= 1

    def wait(self, now: int) -> float:
        """Keep a burst of them on their way."""
        while self._left and self._opening < BURST:
            self._left -= 1
            self._opening += 1
            self._engine.open(0, -1)
        return LONGEST_WAIT_S if self._opening else 0.0

    def expire(self, limit: int) -> None:
        """Nothing waits."""

    def finished(self) -> bool:
        """Whether all have been tried."""
        return not self._left and not self._opening
