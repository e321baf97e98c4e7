# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine for plans with journeys: it gives each beginning to a virtual user, and wakes who has thought enough.

Executors know nothing of it. They begin a kind of request on a connection, and get the connection back when the
journey that it belongs to is over.
"""

from __future__ import annotations

import heapq
import itertools
import math

from ..._core.errors import FleetError
from ..scenario.cookies import Jar
from ..scenario.feeder import Reader
from ..scenario.journey import Journey
from ..scenario.virtual_user import VirtualUser
from .contract import Plan, User
from .exchange import now_ns
from .loop import Engine

#: How long a user rests whose request could not be made, in ns.
PAUSE_NS = 100_000_000


class JourneyEngine(Engine):
    """An engine whose requests may be steps of journeys.

    :arg share: this process' place and how many processes there are, over all hosts.
    """

    direct = False

    def __init__(self, plan: Plan, share: tuple[int, int] = (0, 1)) -> None:
        super().__init__(plan)
        self._first = {request.journey: place for place, request in enumerate(plan.requests) if request.journey}
        self._readers = {feeder: Reader(feeder, *share) for journey in self._first for feeder in journey.feeders}
        self._numbers = itertools.count(*share)
        self._resting: list[VirtualUser] = []
        self._thinking: list[tuple[int, int, VirtualUser]] = []
        self._ended = False

    def begin_phase(self, started_ns: int) -> int:
        """Add a phase; the journeys that are under way go on in it."""
        self._ended = False
        return super().begin_phase(started_ns)

    def begin(self, fd: int, kind: int, begun: int) -> None:
        """Send a request on an idle connection, or let a journey begin there."""
        journey = self.counting.requests[kind].journey
        if journey is None:
            super().begin(fd, kind, begun)
        else:
            self._ask(self._traveller(journey, kind), fd, kind, begun)

    def open(self, kind: int, begun: int, user: User | None = None) -> None:
        """Open a connection for a request, for a journey, or to keep ready."""
        journey = self.counting.requests[kind].journey if kind and user is None else None
        if journey is None:
            super().open(kind, begun, user)
        else:
            self._ask(self._traveller(journey, kind), -1, kind, begun)

    def busy(self) -> bool:
        """Whether any request or journey is under way."""
        return bool(self._thinking) or super().busy()

    def end_journeys(self, now: int) -> None:
        """Let nobody begin another step, and those go who are thinking."""
        self._ended = True
        thinking, self._thinking, self.alarm = self._thinking, [], math.inf
        for dummy, dummy, user in thinking:
            self._part(user, user.fd, now)

    def ring(self, now: int) -> None:
        """Let those go on who have thought enough."""
        thinking = self._thinking
        while thinking and thinking[0][0] <= now:
            user = heapq.heappop(thinking)[2]
            self._go_on(user, user.fd, now)
        self.alarm = thinking[0][0] if thinking else math.inf

    def _traveller(self, journey: Journey, kind: int) -> VirtualUser:
        """Return a user at the beginning of a journey."""
        if self._resting:
            user = self._resting.pop()
        else:
            jar = Jar(self.plan.server_name, self.plan.tls is not None)
            user = VirtualUser(next(self._numbers), self.plan.seed, self.plan.dialect, jar, self._after, self._bereft)
        user.begin(journey, self._readers, self.counting.tally_of(kind))
        if journey.counted:
            user.tally.journeys[journey.scenario, "begun", ""] += 1
        return user

    def _ask(self, user: VirtualUser, fd: int, kind: int, begun: int) -> None:
        """Send the step that a user is at."""
        user.thinking = False
        try:
            user.prepare()
        except FleetError as error:
            user.error = "check"
            self.fail(kind, begun, user.error, error.msg)
            self._think(user, fd, now_ns() + PAUSE_NS)
            return
        if fd < 0:
            super().open(kind, begun, user)
        else:
            self.tell(fd, kind, begun, user)

    def _after(self, user: VirtualUser, fd: int, now: int) -> None:
        """Let a user think, or go on, after an answer."""
        pause_s = user.think_s() if self.executor.paces or not user.over else 0.0
        if pause_s and not self._ended:
            self._think(user, fd, now + round(pause_s * 1e9))
        else:
            self._go_on(user, fd, now)

    def _think(self, user: VirtualUser, fd: int, until: int) -> None:
        user.thinking, user.fd = True, fd
        if fd >= 0:
            self.connections[fd].user = user
        heapq.heappush(self._thinking, (until, user.number, user))
        self.alarm = self._thinking[0][0]

    def _bereft(self, user: VirtualUser, now: int, failed: bool) -> None:
        """A user has lost its connection: while it thinks, after an answer or instead of one."""
        if user.thinking:
            user.fd = -1
        elif user.settled:
            self._after(user, -1, now)
        else:
            user.error = "lost"
            self._part(user, -1, now, failed)

    def _go_on(self, user: VirtualUser, fd: int, now: int) -> None:
        """Send the next step, if there is one."""
        if user.over or self._ended:
            self._part(user, fd, now)
            return
        user.place += 1
        place = self._first[user.journey] + user.place
        self._ask(user, fd, self.kinds([place], len(self.tallies) - 1)[0], now)

    def _part(self, user: VirtualUser, fd: int, now: int, failed: bool = False) -> None:
        """Let a user's journey be over, and the executor have the connection."""
        user.thinking = False
        journey = user.journey
        if journey.counted and user.over:
            counts = user.tally.journeys
            counts[journey.scenario, "failed" if user.error else "completed", ""] += 1
            for step in journey.steps[user.place + 1:]:
                counts[journey.scenario, "skipped", step.name] += 1
        self._resting.append(user)
        if fd < 0:
            self.executor.lost(-1, now, failed)
        else:
            self.release(fd)
            self.executor.idle(fd, now)
