# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The open model: requests are due at given times, whatever the target does.

A latency counts from the time when its request was due.
"""

from __future__ import annotations

import itertools
import math
import select
from collections import deque
from typing import Iterable, Iterator, Sequence

from ..engine.exchange import now_ns
from ..engine.loop import Engine
from ..phase import Phase, part_of
from ..profile import Profile
from ..statistics.histogram import Histogram
from .common import LONGEST_WAIT_S, nothing


class Arrivals:
    """Requests at the rate that the phase has at the time.

    A request that is due while all connections are busy waits for the first one that is free.

    :arg share: this process' place and how many processes there are: it takes every so many-th arrival.

    Of the phase, ``lateness`` are the delays that this machine added between a request being due and being sent
    although there was a connection for it, ``waited`` is how many requests found all connections busy, ``due`` how
    many were due, and ``behind`` how many of them this machine had not got to when the phase was over.
    """

    paces = False

    def __init__(self, engine: Engine, share: tuple[int, int] = (0, 1)) -> None:
        self.following = nothing
        self.lateness = Histogram()
        self.waited = self.due = self.behind = 0
        self._engine = engine
        self._share = share
        self._free: deque[int] = deque()
        self._limit = 0
        self._backlog: deque[tuple[int, int]] = deque()
        self._late: list[int] = []
        self._kinds: Iterator[int] = iter(())
        self._profile = Profile.constant(0.0, 0.0)
        self._started = self._ends = 0
        self._next = self._last = 0
        self._next_due: float = math.inf
        self._over = True
        self._selectable = [engine.epoll]

    def missing(self, phase: Phase) -> int:
        """Return how many connections a phase may use beyond those that there are."""
        return max(0, part_of(phase.connections, self._share) - len(self._engine.connections))

    def take(self, connections: Iterable[int]) -> None:
        """Take over connections that are open."""
        self._free.extend(connections)

    def start(self, kinds: Sequence[int], started_ns: int, phase: Phase) -> None:
        """Make the requests of a phase due, of these kinds in turn."""
        self._kinds, self._profile, self._started = itertools.cycle(kinds), phase.profile, started_ns
        self._limit = part_of(phase.connections, self._share)
        self._ends = started_ns + round(phase.profile.duration_s * 1e9)
        place, count = self._share
        first = phase.profile.first
        self._next = first + (place - first) % count
        self._last = phase.profile.due_before(phase.profile.duration_s)
        self._next_due = self._due_at(self._next)
        self.lateness, self._late = Histogram(), []
        self.waited = self.due = self.behind = 0
        self._over = False

    def stop(self, now: int) -> None:
        """Make no more requests due than those that are by now, and send these."""
        self._last = min(self._last, self._profile.due_before((now - self._started) / 1e9))
        before = self.due
        self._arrive(now)
        self.behind = self.due - before
        self._over = True
        self._fold()

    def idle(self, fd: int, now: int) -> None:
        """A connection is free: the request that waits longest gets it."""
        if self._backlog:
            begun, kind = self._backlog.popleft()
            self._engine.begin(fd, kind, begun)
        else:
            self._free.append(fd)

    def lost(self, fd: int, now: int, failed: bool) -> None:
        """A connection is gone; the next request in need opens another."""
        if fd in self._free:
            self._free.remove(fd)

    def wait(self, now: int) -> float:
        """Send what is due, then wait for the next request to be due or for the engine to have something to do.

        ``epoll`` waits for whole milliseconds, ``select`` on it for microseconds.
        """
        if self._next_due <= now:
            self._arrive(now)
        while self._backlog and len(self._engine.connections) < self._limit:
            begun, kind = self._backlog.popleft()
            self._engine.open(kind, begun)
        now = now_ns()
        until = min(self._next_due, self._engine.alarm, self._ends if self._ends > now else math.inf)
        if until > now:
            select.select(self._selectable, (), (), min((until - now) / 1e9, LONGEST_WAIT_S))
        return 0.0

    def expire(self, limit: int) -> None:
        """Give up requests that found no free connection within the time-out."""
        self._fold()
        while self._backlog and self._backlog[0][0] < limit:
            begun, kind = self._backlog.popleft()
            self._engine.fail(kind, begun, "timeout", "no connection was free within the time-out")

    def finished(self) -> bool:
        """Whether all requests are answered, after the stop."""
        return self._over and not self._backlog and not self._engine.busy()

    def _due_at(self, number: int) -> float:
        return self._started + round(self._profile.due_s(number) * 1e9) if number < self._last else math.inf

    def _arrive(self, now: int) -> None:
        """Send all that is due by now."""
        engine, free, backlog = self._engine, self._free, self._backlog
        while self._next < self._last and self._next_due <= now:
            due, kind = int(self._next_due), next(self._kinds)
            self._next += self._share[1]
            self._next_due = self._due_at(self._next)
            self.due += 1
            if free:
                self._late.append((now_ns() - due) // 1000)
                engine.begin(free.popleft(), kind, due)
            elif backlog or len(engine.connections) >= self._limit:
                self.waited += 1
                backlog.append((due, kind))
            else:
                self._late.append((now_ns() - due) // 1000)
                engine.open(kind, due)

    def _fold(self) -> None:
        self.lateness.record(self._late)
        self._late.clear()
