# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the engine: phases in one process, several processes side by side.

A process opens its connections, says that it is ready, gets the common start (on the monotonic clock,
which all processes of a machine share), warms up, measures, and waits for the last answers. Its socket to the
parent is also its lifeline: when the parent goes, it stops.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import struct
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

from .._core.errors import FleetError
from .contract import Plan
from .engine import ABANDONED, STOP_PATH, Engine
from .exchange import now_ns
from .executor import ConstantArrivalRate, ConstantVus, Opening
from .histogram import Histogram
from .scenario import mix
from .tally import Tally

#: What stops a run and still gives a partial result.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

#: The reason to stop when the run's own time is over.
DEADLINE = "deadline"

#: From the parent's word to the common start, in ns.
_START_DELAY_NS = 20_000_000

#: How long the parent waits for the partial results of processes that it told to stop, in seconds.
_GRACE_S = 5.0


@dataclass(frozen=True)
class Load:
    """How much is sent; times in seconds, ``rate_rps`` 0 for constant virtual users."""

    vus: int
    rate_rps: float
    duration_s: float
    warmup_s: float
    deadline_s: float
    processes: int


@dataclass
class Report:
    """What came of it. ``measured_s`` is the measured time without the wait for the last answers.

    ``cpu_share`` is the largest share of a core that a process used in that time, ``cpu_wait_share`` the share
    of the time that it waited for a core.
    """

    tally: Tally = field(default_factory=Tally)
    lateness: Histogram = field(default_factory=Histogram)
    measured_s: float = 0.0
    cpu_share: float = 0.0
    cpu_wait_share: float = 0.0
    waited: int = 0
    retried: int = 0
    stopped: str = ""

    def merge(self, other: Report) -> None:
        """Add another process."""
        self.tally.merge(other.tally)
        self.lateness.merge(other.lateness)
        self.measured_s = max(self.measured_s, other.measured_s)
        self.cpu_share = max(self.cpu_share, other.cpu_share)
        self.cpu_wait_share = max(self.cpu_wait_share, other.cpu_wait_share)
        self.waited += other.waited
        self.retried += other.retried
        self.stopped = self.stopped or other.stopped

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can carry."""
        return {**vars(self), "tally": self.tally.to_dict(), "lateness": self.lateness.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Report:
        """Return the report that ``to_dict`` described."""
        return cls(**{**data, "tally": Tally.from_dict(data["tally"]),
                      "lateness": Histogram.from_dict(data["lateness"])})


def run(plan: Plan, load: Load, watched: Sequence[int] = ()) -> Report:
    """Send the load, return what came of it.

    :arg watched: file descriptors of pipes to whoever started the probe; it stops when they close.
    :raises FleetError: when a process died.
    """
    if load.processes == 1:
        return _run_process(plan, load, 0, now_ns, watched)
    return _run_processes(plan, load)


def _run_process(plan: Plan, load: Load, number: int, start: Callable[[], int], watched: Sequence[int]) -> Report:
    """Run one process' part: its share of the users and of the arrivals.

    :arg start: called when the connections are open; returns when to start, in ns.
    """
    report = Report()
    vus = load.vus // load.processes + (number < load.vus % load.processes)
    deadline = now_ns() + round(load.deadline_s * 1e9)
    engine = Engine(plan)
    with _signals(lambda name: setattr(engine, "stopped", name)), _without_delays(), engine:
        for fd in watched:
            engine.watch(fd)
        opening = Opening(engine, vus)
        engine.serve(opening, min(deadline, now_ns() + round(plan.timeout_s * 1e9)))
        executor: ConstantVus | ConstantArrivalRate
        if load.rate_rps:
            executor = ConstantArrivalRate(engine, opening.ready, vus, load.rate_rps, (number, load.processes))
        else:
            executor = ConstantVus(engine, opening.ready, vus)
        pattern = mix(plan.requests, number)
        started = start()
        time.sleep(max(0, started - now_ns()) / 1e9)
        if load.warmup_s and not engine.stopped:
            executor.start(engine.kinds(pattern, engine.begin_phase(started)), started, load.warmup_s)
            started += round(load.warmup_s * 1e9)
            engine.serve(executor, min(deadline, started))
        if engine.stopped:
            report.stopped = engine.stopped
            return report
        started = now_ns()
        phase = engine.begin_phase(started)
        cpu, waiting = time.process_time(), _waited_for_cpu_s()
        executor.start(engine.kinds(pattern, phase), started, load.duration_s)
        engine.serve(executor, min(deadline, started + round(load.duration_s * 1e9)))
        engine.tallies[phase].end_of_time()
        ended = now_ns()
        report.measured_s = (ended - started) / 1e9 if engine.stopped else load.duration_s
        report.cpu_share = (time.process_time() - cpu) * 1e9 / (ended - started)
        report.cpu_wait_share = (_waited_for_cpu_s() - waiting) * 1e9 / (ended - started)
        report.stopped = _finish(engine, executor, ended, deadline, plan.timeout_s)
        report.tally, report.retried = engine.tallies[phase], engine.retried
        if isinstance(executor, ConstantArrivalRate):
            report.lateness, report.waited = executor.lateness, executor.waited
    return report


def _finish(engine: Engine, executor: ConstantVus | ConstantArrivalRate, ended: int, deadline: int,
            timeout_s: float) -> str:
    """Wait for the last answers, unless someone wants the result at once; return why it stopped early, if it did."""
    stopped = engine.stopped
    if stopped not in ("", STOP_PATH):
        return stopped
    engine.stopped = engine.stop_path = ""
    executor.stop(ended)
    engine.serve(executor, min(deadline, ended + round((timeout_s + 2) * 1e9)))
    if engine.stopped:
        return engine.stopped
    if now_ns() >= deadline:
        stopped = DEADLINE
    engine.give_up()
    return stopped


@contextlib.contextmanager
def _signals(stop: Callable[[str], None]) -> Iterator[None]:
    """Call ``stop`` with a signal's name instead of dying."""
    before = {number: signal.signal(number, lambda number, _frame: stop(signal.Signals(number).name))
              for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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


@dataclass
class _Child:
    pid: int
    line: socket.socket
    received: bytearray = field(default_factory=bytearray)


def _run_processes(plan: Plan, load: Load) -> Report:
    children: list[_Child] = []

    def stop(name: str) -> None:
        interrupted.append(name)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)

    interrupted: list[str] = []
    try:
        with _signals(stop):
            for number in range(load.processes):
                children.append(_fork(plan, load, number, [child.line for child in children]))
            _collect(children, len(b"r"), interrupted)
            start = struct.pack("!q", now_ns() + _START_DELAY_NS)
            for child in children:
                with contextlib.suppress(OSError):
                    child.line.sendall(start)
            _collect(children, None, interrupted)
    finally:
        for child in children:
            child.line.close()
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)
    report = Report()
    for child in children:
        data = json.loads(child.received[1:] or b"{}")
        if "tally" not in data:
            raise FleetError("A process of the load generator died.", "Look at the memory that is left on this host.",
                             traceback=data.get("traceback", ""))
        report.merge(Report.from_dict(data))
    report.stopped = interrupted[0] if interrupted else report.stopped
    return report


def _collect(children: Sequence[_Child], size: int | None, interrupted: Sequence[str]) -> None:
    """Read from all children: ``size`` bytes of each, or everything up to the end."""
    give_up: float | None = None
    with selectors.DefaultSelector() as selector:
        for child in children:
            selector.register(child.line, selectors.EVENT_READ, child)
        while selector.get_map():
            for key, _mask in selector.select(0.1):
                child = key.data
                data = child.line.recv(1 << 20 if size is None else size)
                child.received += data
                if not data or len(child.received) == size:
                    selector.unregister(child.line)
            if interrupted and give_up is None:
                give_up = time.monotonic() + _GRACE_S
            if give_up is not None and time.monotonic() > give_up:
                return


def _fork(plan: Plan, load: Load, number: int, others: Sequence[socket.socket]) -> _Child:
    """Start a process; its end of the socket pair closes with it."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return _Child(pid, ours)
    status = 1
    try:
        ours.close()
        for other in others:
            other.close()

        def start() -> int:
            theirs.sendall(b"r")
            word = theirs.recv(8, socket.MSG_WAITALL)
            if len(word) < 8:
                os._exit(1)
            return int(struct.unpack("!q", word)[0])

        try:
            report = _run_process(plan, load, number, start, [theirs.fileno()])
            result = report.to_dict() if report.stopped != ABANDONED else {}
        except Exception:  # noqa: BLE001 - the parent shows it
            result = {"traceback": traceback.format_exc()}
        theirs.sendall(json.dumps(result).encode())
        status = 0
    finally:
        os._exit(status)
