# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is per kind of request: its bytes, its last answer, the tally that it counts in.

A phase is a part of a run with a tally of its own. Kinds 1…n are the plan's requests in phase 0, n+1…2n the same
ones in phase 1, and so on: a request counts in the phase in which it began. Kind 0 is none.
"""

from __future__ import annotations

from typing import Callable, Sequence

from ..._core.clock import utc_now
from ..result.tally import Outcome, Tally
from ..scenario.request import Request


def _nowhere(_latency: int) -> None:
    """Take the latency of kind 0, which has none."""


class Counting:
    """Lists indexed by kind, and the tallies of all phases.

    ``size`` and ``same`` are the size and the beginning of the last answer, ``record`` takes the latency of the
    next one like it.
    """

    def __init__(self, requests: Sequence[Request]) -> None:
        self.plan = requests
        self.tallies: list[Tally] = []
        self.requests = [requests[0]]
        self.payload = [b""]
        self.length = [0]
        self.size = [-1]
        self.same = [b""]
        self.record: list[Callable[[int], None]] = [_nowhere]

    def begin_phase(self, started_ns: int) -> int:
        """Add a phase, return its number."""
        number = len(self.plan)
        self.tallies.append(Tally(started_ns))
        self.requests += self.plan
        self.payload += [request.payload for request in self.plan]
        self.length += [len(request.payload) for request in self.plan]
        self.size += [-1] * number
        self.same += [b""] * number
        self.record += [_nowhere] * number
        return len(self.tallies) - 1

    def kinds(self, pattern: Sequence[int], phase: int) -> list[int]:
        """Return the kinds for a pattern of places in the plan's requests."""
        offset = 1 + phase * len(self.plan)
        return [offset + place for place in pattern]

    def tally_of(self, kind: int) -> Tally:
        """Return the tally in which a kind counts."""
        return self.tallies[(kind - 1) // len(self.plan)]

    def count(self, kind: int, status: int, error: str, detail: str, header: str | None, now: int,
              begun: int) -> Callable[[int], None]:
        """Count a request, keep an example of its error; return what takes the latency of the next one like it."""
        tally = self.tally_of(kind)
        sink = tally.sink(Outcome((kind - 1) % len(self.plan), status, error, header))
        sink(now - begun)
        if error and tally.wants_example(error):
            request = self.requests[kind]
            tally.example(error, {
                "scenario": request.scenario, "step": request.step, "request": f"{request.method} {request.path}",
                "status": status, "detail": detail, "t_s": round((now - tally.started_ns) / 1e9, 3),
                "at": utc_now()})
        return sink

    def fold(self, now: int) -> None:
        """Fold all tallies."""
        for tally in self.tallies:
            tally.fold(now)
