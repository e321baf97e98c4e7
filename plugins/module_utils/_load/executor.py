# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Executors: who sends what and when, on top of the engine.

``ConstantVus`` is the closed model: each virtual user sends its next request when it has the answer to
the last one. ``ConstantArrivalRate`` is the open model: requests are due at fixed times, whatever the
target does, and a latency counts from the time when its request was due.
"""

from __future__ import annotations

import itertools
import math
import select
from collections import deque
from typing import Callable, Iterator, Sequence

from .engine import Engine
from .exchange import now_ns
from .histogram import Histogram

#: How many connections are being opened at the same time, at most.
BURST = 512

#: How long a virtual user rests after a connection that could not be opened, in ns.
PAUSE_NS = 100_000_000

#: The longest wait, so that ticks come, in seconds.
LONGEST_WAIT_S = 0.05


def _none() -> int:
    return 0


class Opening:
    """Open connections before the first request, so that none pays for it; failures are left to the requests."""

    def __init__(self, engine: Engine, number: int) -> None:
        self.ready: list[int] = []
        self.following = _none
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


class ConstantVus:
    """A constant number of virtual users (closed model).

    :arg ready: connections that are open; users beyond them open their own.
    """

    def __init__(self, engine: Engine, ready: Sequence[int], vus: int) -> None:
        self.following: Callable[[], int] = _none
        self._engine = engine
        self._users = deque(ready)
        self._resting: deque[int] = deque([0] * (vus - len(ready)))

    def start(self, kinds: Sequence[int], started_ns: int, duration_s: float) -> None:
        """Send these kinds in turn from now on, until the stop."""
        self.following = itertools.cycle(kinds).__next__
        while self._users:
            self._engine.begin(self._users.popleft(), self.following(), now_ns())

    def stop(self, now: int) -> None:
        """Send nothing more."""
        self.following = _none

    def idle(self, fd: int, now: int) -> None:
        """A user has its answer."""
        kind = self.following()
        if kind:
            self._engine.begin(fd, kind, now)
        else:
            self._users.append(fd)

    def lost(self, fd: int, now: int, failed: bool) -> None:
        """A user goes on with a new connection: at once, or after a rest when it could not connect."""
        if fd in self._users:
            self._users.remove(fd)
        self._resting.append(now + PAUSE_NS if failed else 0)

    def wait(self, now: int) -> float:
        """Wake up who has rested."""
        for _turn in range(len(self._resting)):
            due = self._resting.popleft()
            kind = self.following() if due <= now else 0
            if kind:
                self._engine.open(kind, now)
            else:
                self._resting.append(due)
        return LONGEST_WAIT_S

    def expire(self, limit: int) -> None:
        """Nothing waits."""

    def finished(self) -> bool:
        """Whether all answers are there, after the stop."""
        return self.following is _none and not self._engine.busy()


class ConstantArrivalRate:
    """A constant number of requests per second (open model).

    :arg ready: connections that are open.
    :arg vus: how many connections there may be; a request that is due waits when all are busy.
    :arg share: this process' number and how many there are: it takes every ``share[1]``-th arrival.

    ``lateness`` are the delays that this machine added between a request being due and being sent
    although a connection was free, ``waited`` is how many requests found all connections busy.
    """

    def __init__(self, engine: Engine, ready: Sequence[int], vus: int, rate_rps: float,
                 share: tuple[int, int] = (0, 1)) -> None:
        self.following = _none
        self.lateness = Histogram()
        self.waited = 0
        self._engine = engine
        self._free = deque(ready)
        self._vus = vus
        self._interval_ns = 1e9 / rate_rps
        self._share = share
        self._kinds: Iterator[int] = iter(())
        self._started = 0
        self._next = 0
        self._last = 0
        self._due = 0
        self._backlog: deque[tuple[int, int]] = deque()
        self._late: list[int] = []
        self._selectable = [engine.epoll]

    def start(self, kinds: Sequence[int], started_ns: int, duration_s: float) -> None:
        """Make ``rate · duration`` requests of these kinds due, the first one at the start."""
        self._kinds = itertools.cycle(kinds)
        self._started = started_ns
        self._last = round(duration_s * 1e9 / self._interval_ns)
        self._next = self._share[0]
        self._due = self._due_at(self._next)
        self.lateness, self._late, self.waited = Histogram(), [], 0

    def _due_at(self, number: int) -> int:
        return self._started + round(number * self._interval_ns)

    def stop(self, now: int) -> None:
        """Make no more requests due than those that are by now."""
        self._last = min(self._last, math.ceil((now - self._started) / self._interval_ns))

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
        while self._next < self._last and self._due <= now:
            self._arrive(now)
        while self._backlog and len(self._engine.connections) < self._vus:
            begun, kind = self._backlog.popleft()
            self._engine.open(kind, begun)
        if len(self._late) > 4096:
            self._fold()
        until_due = (self._due - now_ns()) / 1e9 if self._next < self._last else LONGEST_WAIT_S
        if until_due > 0:
            select.select(self._selectable, (), (), min(until_due, LONGEST_WAIT_S))
        return 0.0

    def _arrive(self, now: int) -> None:
        due, kind = self._due, next(self._kinds)
        self._next += self._share[1]
        self._due = self._due_at(self._next)
        if self._free:
            self._late.append((now_ns() - due) // 1000)
            self._engine.begin(self._free.popleft(), kind, due)
        else:
            self.waited += len(self._engine.connections) >= self._vus
            self._backlog.append((due, kind))

    def _fold(self) -> None:
        self.lateness.record(self._late)
        self._late.clear()

    def expire(self, limit: int) -> None:
        """Give up requests that found no free connection within the time-out."""
        self._fold()
        while self._backlog and self._backlog[0][0] < limit:
            begun, kind = self._backlog.popleft()
            self._engine.fail(kind, begun, "timeout", "no connection was free within the time-out")

    def finished(self) -> bool:
        """Whether all requests were due, sent and answered."""
        return self._next >= self._last and not self._backlog and not self._engine.busy()
