# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run: batches of phases, sent by one or several processes."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import Callable, Generator, Sequence

from .crew import Crew, signals
from .engine.contract import Plan
from .engine.exchange import now_ns
from .phase import Phase
from .result.report import Report
from .result.tally import Tally
from .worker import Worker

#: Batches of phases: gets the reports of each before it is asked for the next.
Batches = Generator[list[Phase], list[Report], None]

#: From the word to start to the common start, in ns.
_START_DELAY_NS = 20_000_000


@dataclass(frozen=True)
class Progress:
    """How far a run is: the phase, since when it is measured in seconds, and what all processes have counted in it."""

    phase: str
    elapsed_s: float
    tally: Tally


#: Called once per second while something is measured; what it returns, if anything, is the reason to stop.
Observe = Callable[[Progress], str]


@dataclass(frozen=True)
class Load:
    """How a run is spread, and when it starts and ends.

    ``share`` is this host's place and how many hosts share the load. ``start_at`` is when to start, in seconds since
    1970 on this host's clock, 0 for at once. ``deadline_s`` is how long after the start it ends in any case.
    """

    processes: int = 1
    deadline_s: float = 60.0
    share: tuple[int, int] = (0, 1)
    start_at: float = 0.0

    @property
    def shares(self) -> list[tuple[int, int]]:
        """The share of each process, over all hosts."""
        place, count = self.share
        return [(place * self.processes + number, count * self.processes) for number in range(self.processes)]


@dataclass
class Run:
    """What came of a run: the phases that were begun, and how late it started."""

    parts: list[tuple[Phase, Report]] = field(default_factory=list)
    late_s: float = 0.0

    @property
    def measured(self) -> list[tuple[Phase, Report]]:
        """The phases without the warm-up."""
        return [(phase, report) for phase, report in self.parts if phase.measured]

    @property
    def stopped(self) -> str:
        """Why it ended early, or empty."""
        return next((report.stopped for _phase, report in self.parts if report.stopped), "")

    def sum(self) -> Report:
        """Return everything that was measured as one report."""
        return sum_of([report for _phase, report in self.measured], self.stopped)


def sum_of(reports: Sequence[Report], stopped: str) -> Report:
    """Return the sum of phases that follow each other."""
    whole = Report(stopped=stopped)
    for report in reports:
        whole.follow(report)
    return whole


def run(plan: Plan, load: Load, batches: Batches, watched: Sequence[int] = (), observe: Observe | None = None) -> Run:
    """Send the batches, return what came of them.

    :arg watched: file descriptors of pipes to whoever started the probe; it stops when they close.
    :raises FleetError: when a process died.
    """
    result = Run()

    def tell(phase: Phase, elapsed_s: float, tally: Tally) -> None:
        reason = observe(Progress(phase.name, elapsed_s, tally)) if observe else ""
        if reason:
            crew.stop(reason)

    told = tell if observe else None
    crew: Worker | Crew = Worker(plan, load.shares[0], told) if load.processes == 1 else Crew(plan, load.shares, told)
    with crew, signals(crew.stop), contextlib.closing(batches):
        if isinstance(crew, Worker):
            for fd in watched:
                crew.watch(fd)
        deadline = 0
        batch = next(batches, None)
        while batch is not None:
            crew.prepare(batch)
            started = now_ns() + _START_DELAY_NS
            if not deadline:
                if load.start_at:
                    agreed = now_ns() + round((load.start_at - time.time()) * 1e9)
                    result.late_s = max(0, started - agreed) / 1e9
                    started = max(started, agreed)
                deadline = started + round(load.deadline_s * 1e9)
            reports = crew.run(batch, started, deadline)
            result.parts += zip(batch, reports)
            if result.stopped:
                break
            try:
                batch = batches.send(reports)
            except StopIteration:
                break
    return result
