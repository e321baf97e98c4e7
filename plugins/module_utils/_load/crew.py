# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several processes that share a load.

Parent and child talk in JSON messages over a socket pair. It is also the child's lifeline: when the parent goes, the
child stops. All processes of a machine share the monotonic clock, so that the parent can name a common start.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import struct
import time
import traceback
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Callable, Iterator, Sequence

from .._core.errors import FleetError
from .engine.contract import Plan
from .phase import Phase
from .result.report import Report
from .result.tally import Tally
from .worker import Tell, Worker

#: What stops a run and still gives a partial result.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

#: How long the parent waits for the partial results of processes that it told to stop, in seconds.
_GRACE_S = 5.0

_LENGTH = struct.Struct("!I")


@contextlib.contextmanager
def signals(stop: Callable[[str], None]) -> Iterator[None]:
    """Call ``stop`` with a signal's name instead of dying."""
    before = {number: signal.signal(number, lambda number, _frame: stop(signal.Signals(number).name))
              for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Line:
    """Messages over a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def send(self, **message: Any) -> None:
        """Send a message."""
        data = json.dumps(message).encode()
        self.sock.sendall(_LENGTH.pack(len(data)) + data)

    def receive(self) -> dict[str, Any]:
        """Return the next message; an empty one when the other side is gone, in the middle of a message too."""
        head = self._exactly(_LENGTH.size)
        data = self._exactly(_LENGTH.unpack(head)[0]) if head else b""
        message: dict[str, Any] = json.loads(data) if data else {}
        return message

    def _exactly(self, size: int) -> bytes:
        """Return that many bytes, nothing when there are no more; a signal may cut what one call returns."""
        parts: list[bytes] = []
        while size:
            part = self.sock.recv(size)
            if not part:
                return b""
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


@dataclass
class Child:
    """A process and its line."""

    pid: int
    line: Line
    tally: Tally


class Crew:
    """Workers in processes of their own; works like one of them.

    :arg shares: the share of each.
    :arg tell: called about once per second with what all have counted; None when nobody asks.
    """

    def __init__(self, plan: Plan, shares: Sequence[tuple[int, int]], tell: Tell | None) -> None:
        self._plan = plan
        self._shares = shares
        self._tell = tell
        self._children: list[Child] = []
        self._stopped = ""
        self._give_up = float("inf")

    def __enter__(self) -> Crew:
        for share in self._shares:
            self._children.append(self._fork(share))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Leave no process behind."""
        for child in self._children:
            child.line.sock.close()
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)

    def stop(self, reason: str) -> None:
        """Let all workers stop at once."""
        if not self._stopped:
            self._stopped, self._give_up = reason, time.monotonic() + _GRACE_S
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)

    def prepare(self, phases: Sequence[Phase]) -> None:
        """Let all open the connections for a batch."""
        self._say(phases=[phase.to_dict() for phase in phases])
        self._hear(phases)

    def run(self, phases: Sequence[Phase], started: int, deadline: int) -> list[Report]:
        """Let all run the batch that they are prepared for; return one report of each phase that was begun."""
        self._say(started=started, deadline=deadline)
        reports: list[Report] = []
        for message in self._hear(phases):
            for place, data in enumerate(message["reports"]):
                report = Report.from_dict(data)
                if report.stopped and self._stopped:
                    report.stopped = self._stopped
                if place < len(reports):
                    reports[place].merge(report)
                else:
                    reports.append(report)
        return reports

    def _say(self, **message: Any) -> None:
        for child in self._children:
            with contextlib.suppress(OSError):
                child.line.send(**message)

    def _hear(self, phases: Sequence[Phase]) -> list[dict[str, Any]]:
        """Return one message of each child.

        :raises FleetError: at once when a child died; the others have no part in a result then.
        """
        heard: dict[int, dict[str, Any]] = {}
        with selectors.DefaultSelector() as selector:
            for place, child in enumerate(self._children):
                selector.register(child.line.sock, selectors.EVENT_READ, place)
            while selector.get_map() and time.monotonic() < self._give_up:
                for key, _mask in selector.select(0.1):
                    message = self._children[key.data].line.receive()
                    if "tally" in message:
                        self._progress(key.data, phases, message)
                        continue
                    if not message or "traceback" in message:
                        raise _death(message)
                    heard[key.data] = message
                    selector.unregister(key.fileobj)
        if len(heard) < len(self._children):
            raise _death({})
        return [heard[place] for place in sorted(heard)]

    def _progress(self, place: int, phases: Sequence[Phase], message: dict[str, Any]) -> None:
        """Keep what a child has counted; with the first child's word, tell the sum of all."""
        self._children[place].tally = Tally.from_dict(message["tally"])
        if place or not self._tell:
            return
        whole = Tally()
        for child in self._children:
            whole.merge(child.tally)
        phase = next(phase for phase in phases if phase.name == message["phase"])
        self._tell(phase, message["elapsed_s"], whole)

    def _fork(self, share: tuple[int, int]) -> Child:
        """Start a process; its end of the socket pair closes with it."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid:
            theirs.close()
            return Child(pid, Line(ours), Tally())
        status = 1
        try:
            ours.close()
            for other in self._children:
                other.line.sock.close()
            self._work(Line(theirs), share)
            status = 0
        finally:
            os._exit(status)

    def _work(self, line: Line, share: tuple[int, int]) -> None:
        """Do what the parent says until it goes."""
        def tell(phase: Phase, elapsed_s: float, tally: Tally) -> None:
            line.send(phase=phase.name, elapsed_s=elapsed_s, tally=tally.to_dict(series=False))

        try:
            worker = Worker(self._plan, share, tell if self._tell else None)
            with signals(worker.stop), worker:
                worker.watch(line.sock.fileno())
                while True:
                    batch = line.receive()
                    if not batch:
                        return
                    phases = [Phase.from_dict(data) for data in batch["phases"]]
                    worker.prepare(phases)
                    line.send(ready=True)
                    word = line.receive()
                    if not word:
                        return
                    reports = worker.run(phases, word["started"], word["deadline"])
                    line.send(reports=[report.to_dict() for report in reports])
        except Exception:  # noqa: BLE001 - the parent shows it
            line.send(traceback=traceback.format_exc())


def _death(message: dict[str, Any]) -> FleetError:
    """Return the error for a process' last message."""
    return FleetError("A process of the load generator died.", "Look at the memory that is left on this host.",
                      traceback=message.get("traceback", ""))
