# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A virtual user on its journey: what it knows, what it sends next, what it makes of the answers."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Callable, Mapping

from .content import Content, Unreadable
from .cookies import Jar
from .feeder import Feeder, Reader, Row

if TYPE_CHECKING:
    from ..protocol.base import Answer, Dialect
    from ..result.tally import Tally
    from .journey import Journey


class VirtualUser:
    """One virtual user. It has one journey at a time and makes its requests at run time.

    :arg number: its own among all processes and hosts, from 0.
    :arg seed: with the number, it decides what the user draws at random.
    :arg on_answer: called with the user, the connection and the time when an answer was counted.
    :arg on_loss: called with the user, the time, and whether there never was a connection.

    ``payload`` is what it sends, ``place`` the step that it is at, ``settled`` whether that one was answered, ``error``
    the class of what was wrong with it. ``tally`` is where the journey counts, ``fd`` the connection on which the user
    thinks: -1 when it has none.
    """

    __slots__ = ("_answered", "_dialect", "_iteration", "_jar", "_kept", "_lost", "_path", "_rng", "_seed", "_values",
                 "error", "fd", "journey", "number", "payload", "place", "settled", "tally", "thinking")

    def __init__(self, number: int, seed: int, dialect: Dialect, jar: Jar,
                 on_answer: Callable[[VirtualUser, int, int], None],
                 on_loss: Callable[[VirtualUser, int, bool], None]) -> None:
        self.number = number
        self.payload = b""
        self.place = 0
        self.settled = False
        self.thinking = False
        self.fd = -1
        self.error = ""
        self.journey: Journey
        self.tally: Tally
        self._answered = on_answer
        self._lost = on_loss
        self._dialect = dialect
        self._seed = seed
        self._rng: random.Random | None = None
        self._jar = jar
        self._kept: dict[Feeder, Row] = {}
        self._values: dict[str, Any] = {}
        self._iteration = 0
        self._path = ""

    @property
    def over(self) -> bool:
        """Whether the journey has no other step: it was the last one, or something was wrong."""
        return bool(self.error) or self.place + 1 == len(self.journey.steps)

    def begin(self, journey: Journey, readers: Mapping[Feeder, Reader], tally: Tally) -> None:
        """Begin a journey: draw a row of each feeder, take no cookies along unless they are kept."""
        self.journey, self.tally, self.place, self.error, self.settled = journey, tally, 0, "", False
        values: dict[str, Any] = {"vu": self.number, "iteration": self._iteration}
        for feeder in journey.feeders:
            values.update(readers[feeder].row(self.number, self._random, self._kept))
        self._values = values
        self._iteration += 1
        if not journey.keep_cookies:
            self._jar.clear()

    def prepare(self) -> None:
        """Make the payload of the step that it is at.

        :raises FleetError: when the protocol cannot carry a value.
        """
        step = self.journey.steps[self.place]
        encoded = step.encoded
        if step.render:
            values = self._values
            encoded = self._dialect.encode({key: render(values) for key, render in step.render.items()}, step.where)
        self._path, self.payload, self.settled = encoded.path, encoded.payload, False
        cookies = "" if step.own_cookies else self._jar.header(encoded.path)
        if cookies:
            line, end, rest = encoded.payload.partition(b"\r\n")
            self.payload = b"".join((line, end, b"Cookie: ", cookies.encode("latin-1"), end, rest))

    def think_s(self) -> float:
        """Return how long it thinks after the step that it is at, in seconds."""
        shortest, longest = self.journey.steps[self.place].think_s
        return shortest if shortest == longest else self._random().uniform(shortest, longest)

    def _random(self) -> random.Random:
        """Return the user's own random numbers."""
        if self._rng is None:
            self._rng = random.Random(f"{self._seed}/{self.number}")
        return self._rng

    # What the engine calls

    def judge(self, kind: int, answer: Answer, latency_ns: int) -> tuple[str, str]:
        """Take cookies and captures of an answer; return class and detail of what is wrong with it, or blanks."""
        step = self.journey.steps[self.place]
        self._jar.take(answer.fields, self._path)
        content = Content(answer)
        error, detail = step.checks.judge_content(content, latency_ns)
        if not error:
            try:
                for capture in step.captures:
                    self._values[capture.name] = capture.take(content)
            except Unreadable as problem:
                error, detail = "check", problem.msg
        self.settled, self.error = True, error
        return error, detail

    def answered(self, fd: int, now: int) -> None:
        """The answer was counted and the connection is free."""
        self._answered(self, fd, now)

    def lost(self, now: int, failed: bool) -> None:
        """The connection is gone."""
        self._lost(self, now, failed)
