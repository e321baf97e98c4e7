# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One process of a run: it sends its part of each phase and tells what came of it."""

from __future__ import annotations

import contextlib
import gc
import time
from pathlib import Path
from types import TracebackType
from typing import Callable, Iterator, Sequence

from .engine.contract import Plan
from .engine.exchange import now_ns
from .engine.loop import STOP_PATH, Engine
from .executors.arrivals import Arrivals
from .executors.opening import Opening
from .executors.users import Users
from .phase import Phase
from .result.report import Report
from .result.tally import Tally
from .scenario.parse import mix

#: The reason to stop when the run's own time is over.
DEADLINE = "deadline"

#: How often a worker tells how far it is, in ns.
_TELL_NS = 1_000_000_000

#: What is told: the phase, since when it is measured in seconds, and what was counted in it.
Tell = Callable[[Phase, float, Tally], None]


class Worker:
    """Batches of phases, one after the other. The phases of a batch follow each other without a gap.

    :arg share: this process' place and how many processes there are, over all hosts.
    :arg tell: called once per second of a measured phase; None when nobody asks.
    """

    def __init__(self, plan: Plan, share: tuple[int, int], tell: Tell | None) -> None:
        self.engine = _engine(plan, share)
        self._opened = contextlib.ExitStack()
        self._plan = plan
        self._pattern = mix(plan.requests, share[0])
        self._users = Users(self.engine, share)
        self._arrivals = Arrivals(self.engine, share)
        self._phase: Phase | None = None
        self._next_tell = 0
        self._tell = tell
        if tell:
            self.engine.on_tick.append(self._tick)

    def __enter__(self) -> Worker:
        self._opened.enter_context(self.engine)
        self._opened.enter_context(_without_delays())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Close all connections."""
        self._opened.close()

    def watch(self, fd: int) -> None:
        """Stop when the other side of this descriptor goes away."""
        self.engine.watch(fd)

    def stop(self, reason: str) -> None:
        """Send nothing more, and return from ``run()`` at once."""
        self.engine.stopped = reason

    def prepare(self, phases: Sequence[Phase]) -> None:
        """Open the connections that the first phase needs at its beginning, within the time-out."""
        executor = self._executor(phases[0])
        opening = Opening(self.engine, executor.missing(phases[0]))
        self.engine.serve(opening, now_ns() + round(self._plan.timeout_s * 1e9))
        executor.take(opening.ready)

    def run(self, phases: Sequence[Phase], started: int, deadline: int) -> list[Report]:
        """Send the phases from a time on and wait for the last answers; return a report of each that was begun.

        :arg started: when to start, :arg deadline: when to end in any case; in ns on the monotonic clock.
        """
        engine = self.engine
        reports: list[Report] = []
        if engine.stopped:
            return [Report(stopped=engine.stopped)]
        time.sleep(max(0, started - now_ns()) / 1e9)
        for phase in phases:
            reports.append(self._run(phase, started, deadline))
            started += round(phase.profile.duration_s * 1e9)
            if engine.stopped or now_ns() >= deadline:
                break
        retried = engine.retried
        reports[-1].stopped = self._settle(self._executor(phase), deadline)
        reports[-1].retried += engine.retried - retried
        return reports

    def _executor(self, phase: Phase) -> Users | Arrivals:
        return self._arrivals if phase.arriving else self._users

    def _run(self, phase: Phase, started: int, deadline: int) -> Report:
        engine, executor = self.engine, self._executor(phase)
        number = engine.begin_phase(started)
        report = Report(engine.tallies[number], measured_s=phase.profile.duration_s)
        self._phase, self._next_tell = phase if phase.measured else None, started + _TELL_NS
        ends = started + round(report.measured_s * 1e9)
        cpu, waiting, retried = time.process_time(), _waited_for_cpu_s(), engine.retried
        begun = now_ns()
        executor.start(engine.kinds(self._pattern, number), started, phase)
        engine.serve(executor, min(deadline, ends))
        ended = now_ns()
        executor.stop(ended)
        report.tally.end_of_time()
        if ended < ends:
            report.measured_s = (ended - started) / 1e9
        took_s = max(1, ended - begun) / 1e9
        report.cpu_share = (time.process_time() - cpu) / took_s
        report.cpu_wait_share = (_waited_for_cpu_s() - waiting) / took_s
        report.retried = engine.retried - retried
        if isinstance(executor, Arrivals):
            report.lateness, report.waited = executor.lateness, executor.waited
            report.due, report.behind = executor.due, executor.behind
        self._phase = None
        return report

    def _settle(self, executor: Users | Arrivals, deadline: int) -> str:
        """Wait for the last answers, unless someone wants the result at once; return why it ended early, if it did."""
        engine = self.engine
        stopped = engine.stopped
        if stopped not in ("", STOP_PATH):
            return stopped
        engine.end_journeys(now_ns())
        engine.end_journeys(now_ns())
        stop_path, engine.stop_path = engine.stop_path, ""
        if stopped:
            engine.stopped = ""
        engine.serve(executor, min(deadline, now_ns() + round((self._plan.timeout_s + 2) * 1e9)))
        engine.stop_path = stop_path
        if engine.stopped:
            return engine.stopped
        if now_ns() >= deadline:
            stopped = DEADLINE
        engine.give_up()
        return stopped

    def _tick(self, now: int) -> None:
        if self._tell and self._phase and now >= self._next_tell:
            tally = self.engine.tallies[-1]
            self._next_tell += _TELL_NS
            self._tell(self._phase, (now - tally.started_ns) / 1e9, tally)


def _engine(plan: Plan, share: tuple[int, int]) -> Engine:
    """Return an engine that can do what the plan has."""
    if not any(request.journey for request in plan.requests):
        return Engine(plan)
    from .engine.journeys import JourneyEngine

    return JourneyEngine(plan, share)


@contextlib.contextmanager
def _without_delays() -> Iterator[None]:
    """No garbage collection in the meantime, and timers as exact as the kernel can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/timerslack_ns").write_text("1", encoding="ascii")
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _waited_for_cpu_s() -> float:
    """Return for how long this process was ready to run but had no core; 0 where the kernel does not tell."""
    try:
        return int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
