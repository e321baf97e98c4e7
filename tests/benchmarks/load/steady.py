# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens while a load generator runs, seen from outside: the same clock, counter and window for all of them.

A generator is started, and once it has its connections and its rate has settled, a window is measured: answers by the
server's own counter, CPU time and memory by ``/proc``. So neither start-up nor opening connections counts for or
against anyone, and no tool's own word is taken.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Callable, Iterator, Sequence

from benchmarks.common import on_core

#: The cores of servers and of generators.
SERVER_CORE, GENERATOR_CORE = 0, 1

SETTLE_S = 0.5
WINDOW_S = 2.5
READY_DEADLINE_S = 60.0

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process with all its threads, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def rss_mib(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


@contextlib.contextmanager
def running(command: Sequence[str], core: int | None = GENERATOR_CORE, **options: object,
            ) -> Iterator[subprocess.Popen[str]]:
    """Run a generator for the time of a ``with`` block; it ends as by Ctrl-C."""
    process = subprocess.Popen(on_core(core, command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def window(process: subprocess.Popen[str], ready: Callable[[], bool], count: Callable[[], int],
           window_s: float = WINDOW_S) -> dict[str, float]:
    """Wait until a generator is at work, then return what it did per second of a window.

    :returns: ``rps``, ``cpu_us`` per answer, ``cpu_share`` of a core, ``rss_mib`` at the end.
    """
    deadline = time.monotonic() + READY_DEADLINE_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"{process.args}: did not get to work: {process.communicate()}")
        time.sleep(0.05)
    time.sleep(SETTLE_S)
    began, cpu_before, before = time.monotonic(), cpu_s(process.pid), count()
    time.sleep(window_s)
    ended, cpu_after, after = time.monotonic(), cpu_s(process.pid), count()
    if process.poll() is not None:
        raise RuntimeError(f"{process.args}: ended too early: {process.communicate()}")
    cpu, seconds = cpu_after - cpu_before, ended - began
    return {"rps": (after - before) / seconds, "cpu_us": cpu / (after - before) * 1e6, "cpu_share": cpu / seconds,
            "rss_mib": rss_mib(process.pid)}


def require_no_errors(process: subprocess.Popen[str]) -> None:
    """Stop our probe and look at what it counted."""
    process.terminate()
    output, trouble = process.communicate(timeout=60)
    errors = json.loads(output)["samples"]["errors"] if output else trouble
    if errors:
        raise RuntimeError(f"the probe counted errors: {errors}")


class NginxCounter:
    """The counters of nginx' ``stub_status``, at ``/status``."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/status"
        self._tls = ssl._create_unverified_context() if url.startswith("https") else None
        self._first = self._read()[1]

    def _read(self) -> tuple[int, int]:
        """Return open connections and requests so far, without those that ask for them."""
        with urllib.request.urlopen(self._url, timeout=30, context=self._tls) as answer:
            words = answer.read().split()
        return int(words[2]) - 1, int(words[9])

    def requests(self) -> int:
        """Return how many requests there have been."""
        return self._read()[1]

    def busy(self, connections: int) -> Callable[[], bool]:
        """Return what tells whether that many connections are open, and requests on their way."""
        def ready() -> bool:
            active, requests = self._read()
            return active >= connections and requests - self._first > 2 * connections + 100

        return ready
