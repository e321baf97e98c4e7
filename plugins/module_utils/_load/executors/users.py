# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The closed model: each virtual user sends its next request when it has the answer to the last one."""

from __future__ import annotations

import itertools
from collections import deque
from typing import Callable, Iterable, Sequence

from ..engine.exchange import now_ns
from ..engine.loop import Engine
from ..phase import Phase, part_of
from .common import LONGEST_WAIT_S, nothing

#: How long a virtual user rests after a connection that could not be opened, in ns.
PAUSE_NS = 100_000_000

#: How often a number of users that changes is looked at, in seconds.
STEP_S = 0.01


class Users:
    """Virtual users, as many as the phase has at the time, each with a connection of its own.

    A user that has to go finishes what it is doing and closes its connection.

    :arg share: this process' place and how many processes there are.
    """

    paces = True

    def __init__(self, engine: Engine, share: tuple[int, int] = (0, 1)) -> None:
        self.following: Callable[[], int] = nothing
        self._engine = engine
        self._share = share
        self._level: Callable[[int], int] = lambda _now: 0
        self._moving = False
        self._over = True
        self._number = 0
        self._wanted = 0
        self._free: deque[int] = deque()
        self._resting: deque[int] = deque()
        self._leaving: set[int] = set()

    def missing(self, phase: Phase) -> int:
        """Return how many connections the beginning of a phase needs beyond those that there are."""
        return max(0, self._users(phase, 0.0) - len(self._engine.connections))

    def take(self, connections: Iterable[int]) -> None:
        """Take over connections that are open."""
        before = len(self._free)
        self._free.extend(connections)
        self._number += len(self._free) - before

    def start(self, kinds: Sequence[int], started_ns: int, phase: Phase) -> None:
        """Send these kinds in turn from now on, until the stop."""
        turns = itertools.cycle(kinds)
        if phase.iterations:
            some = itertools.islice(turns, part_of(phase.iterations, self._share))
            self.following = itertools.chain(some, itertools.repeat(0)).__next__
        else:
            self.following = turns.__next__
        self._level = lambda now: self._users(phase, (now - started_ns) / 1e9)
        self._moving, self._over = phase.profile.moves, False
        self._adjust(now_ns())
        for _turn in range(len(self._free)):
            self.idle(self._free.popleft(), now_ns())

    def stop(self, now: int) -> None:
        """Send nothing more."""
        self.following, self._moving, self._over = nothing, False, True

    def idle(self, fd: int, now: int) -> None:
        """A user has its answer."""
        self._leaving.discard(fd)
        if self._number > self._wanted:
            self._number -= 1
            self._engine.close(fd)
            return
        kind = self.following()
        if kind:
            self._engine.begin(fd, kind, now)
        else:
            self._over = True
            self._free.append(fd)

    def lost(self, fd: int, now: int, failed: bool) -> None:
        """A user goes on with a new connection: at once, or after a rest when it could not connect."""
        self._leaving.discard(fd)
        if fd in self._free:
            self._free.remove(fd)
        self._resting.append(now + PAUSE_NS if failed else 0)

    def wait(self, now: int) -> float:
        """Let users come and go, and wake up who has rested."""
        if self._moving:
            self._adjust(now)
        for _turn in range(len(self._resting)):
            due = self._resting.popleft()
            kind = self.following() if due <= now else 0
            if kind:
                self._engine.open(kind, now)
            else:
                self._resting.append(due)
        return STEP_S if self._moving else LONGEST_WAIT_S

    def expire(self, limit: int) -> None:
        """Nothing waits."""

    def finished(self) -> bool:
        """Whether all answers are there, after the stop or the last iteration."""
        return self._over and not self._engine.busy()

    def _users(self, phase: Phase, time_s: float) -> int:
        return part_of(int(phase.profile.at(time_s) + 0.5), self._share)

    def _adjust(self, now: int) -> None:
        """Let as many users come or go as it takes; who rests or has nothing to do goes first."""
        self._wanted = self._level(now)
        while self._number < self._wanted:
            self._number += 1
            self._resting.append(0)
        while self._number > self._wanted and (self._resting or self._free):
            self._number -= 1
            if self._resting:
                self._resting.pop()
            else:
                self._engine.close(self._free.pop())
        excess = self._number - self._wanted - len(self._leaving)
        if excess > 0:
            staying = [fd for fd in self._engine.connections if fd not in self._leaving]
            for fd in staying[:excess]:
                self._leaving.add(fd)
                self._engine.single_out(fd)
