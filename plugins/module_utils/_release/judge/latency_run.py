# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The latency of the users' own requests, as HAProxy logs each of them into its ring while the canary has traffic."""

from __future__ import annotations

import contextlib
from typing import Collection

from ..._balancer.access_log import RING, follow, parse_answers
from ..._balancer.runtime_socket import RuntimeSocket
from ..._core.clock import Deadline
from ..._core.errors import FleetError
from .latency import Latency

_NO_RING = "No such event sink"
_SECOND_S = 1.0


class LatencyWatch:
    """Feeds what the servers of both releases answer, second by second.

    :raises FleetError: when HAProxy does not answer.
    """

    def __init__(self, latency: Latency, socket: RuntimeSocket, backend: str, new: Collection[str],
                 old: Collection[str]) -> None:
        self.latency = latency
        self._socket = socket
        self._backend = backend
        self._sides = (new, old)
        self._lines = socket.follow(follow())
        self._values: tuple[list[int], list[int]] = ([], [])
        self._second = Deadline(_SECOND_S)

    def look(self) -> None:
        """Take what has come since the last time.

        :raises FleetError: when HAProxy has no ring to log into.
        """
        lines = self._lines.read()
        if _NO_RING in lines:
            raise FleetError(
                f"latency: expected a ring {RING!r} in HAProxy's configuration, found none.",
                "The role load_balancer declares it, and logs every answer into it; without it leave latency out.")
        for server, taken_us in parse_answers(lines, self._backend):
            for side, values in zip(self._sides, self._values):
                if server in side:
                    values.append(taken_us)
        if self._second.expired:
            self.latency.feed(*self._values)
            self._values, self._second = ([], []), Deadline(_SECOND_S)
        if self._lines.over:  # HAProxy is being restarted: what it answers meanwhile is not missed
            self.close()
            with contextlib.suppress(FleetError):
                self._lines = self._socket.follow(follow())

    def close(self) -> None:
        """Ask for no more."""
        self._lines.close()
