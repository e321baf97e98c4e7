# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every benchmark uses: paired rounds, figures with computed goals, peers, temporary servers."""

from __future__ import annotations

import contextlib
import operator
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence, TypeVar

T = TypeVar("T")
U = TypeVar("U")

_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}
_GOAL = re.compile(r"^(<=|>=|==|<|>)\s*([\d.]+)")


def figure(name: str, goal: str, values: Sequence[float], unit: str = "") -> dict[str, Any]:
    """Return one line of the result: the median of ``values`` (one per round) against a goal.

    :arg name: what was measured, e.g. ``requests per second against wrk, 50 connections``.
    :arg goal: a comparison, e.g. ``>= 0.95``, ``< 50``, ``== 0``. ``met`` is computed from it.
    :arg values: at least one; ``spread`` is their smallest and largest.
    :arg unit: what the numbers are, e.g. ``ms``; empty for a ratio or a count.
    """
    match = _GOAL.match(goal)
    if not match:
        raise ValueError(f"goal: expected a comparison such as '>= 0.95', found {goal!r}")
    compare, limit = _OPERATORS[match.group(1)], float(match.group(2))
    measured = statistics.median(values)
    return {"figure": name, "goal": goal, "measured": round(measured, 4), "unit": unit,
            "spread": [round(min(values), 4), round(max(values), 4)], "rounds": len(values),
            "met": compare(measured, limit)}


def paired(rounds: int, ours: Callable[[], T], peer: Callable[[], U]) -> list[tuple[T, U]]:
    """Run both once per round, one right after the other, the first one alternating.

    Pairs cancel what the machine does meanwhile: compare within a pair, then take the median over the pairs.
    """
    pairs = []
    for number in range(rounds):
        if number % 2:
            theirs = peer()
            pairs.append((ours(), theirs))
        else:
            mine = ours()
            pairs.append((mine, peer()))
        progress(f"round {number + 1}/{rounds}: ours {brief(pairs[-1][0])} · peer {brief(pairs[-1][1])}")
    return pairs


def ratios(pairs: Sequence[tuple[Any, Any]], key: str = "") -> list[float]:
    """Return ours / peer per pair; ``key`` picks the number when the results are dictionaries."""
    return [float(ours[key] / peer[key]) if key else float(ours / peer) for ours, peer in pairs]


def brief(result: Any) -> str:
    """Return a result for a progress line."""
    items = result.items() if isinstance(result, dict) else [("", result)]
    return " ".join(f"{key}={value:.4g}" if isinstance(value, (int, float)) else f"{key}={value}"
                    for key, value in items).strip()


def progress(text: str) -> None:
    """Say what is going on, on stderr."""
    print(f"  {text}", file=sys.stderr, flush=True)


def measured_run(command: Sequence[str], **options: Any) -> tuple[subprocess.CompletedProcess[str], float, float]:
    """Run a command; return it with its wall time and its CPU time (children's user + system) in seconds."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, check=True, text=True, capture_output=True, **options)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def require(command: str, package: str) -> str:
    """Return the path of a peer's or a server's command; install its Debian package when it is missing."""
    found = shutil.which(command, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found:
        return found
    progress(f"installing {package}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-qq"]
    with _services_stay_off():
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", package]):
            subprocess.run(apt + arguments, check=True, env=environment, capture_output=True)
    return require(command, package)


@contextlib.contextmanager
def _services_stay_off() -> Iterator[None]:
    """Keep Debian's packages from starting their services on their default ports (invoke-rc.d's own switch)."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, host: str = "127.0.0.1", deadline_s: float = 10.0) -> None:
    """Wait until something accepts connections on a port."""
    deadline = time.monotonic() + deadline_s
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@contextlib.contextmanager
def server(command: Callable[[Path, int], Sequence[str]], **options: Any) -> Iterator[tuple[int, Path]]:
    """Run a server in the foreground for the time of a ``with`` block; yield its port and its own directory.

    :arg command: gets the directory and the port, returns the command line (and may write a configuration).
    """
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as name:
        port = free_port()
        process = subprocess.Popen(command(Path(name), port), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, **options)
        try:
            wait_for_port(port)
            yield port, Path(name)
        finally:
            process.terminate()
            process.wait()


def nginx(locations: str, access_log: bool = False) -> contextlib.AbstractContextManager[tuple[int, Path]]:
    """Run nginx with one worker and these locations; the directory has ``access.log`` when asked for."""
    program = require("nginx", "nginx-light")

    def command(directory: Path, port: int) -> list[str]:
        log = f"{directory}/access.log" if access_log else "off"
        directory.chmod(0o755)
        (directory / "nginx.conf").write_text(f"""
            daemon off; master_process off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
            worker_rlimit_nofile 65536;
            events {{ worker_connections 30000; multi_accept on; }}
            http {{ access_log {log}; keepalive_requests 1000000000; keepalive_timeout 3600;
                    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
                    fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi;
                    scgi_temp_path {directory}/scgi;
                    server {{ listen 127.0.0.1:{port} backlog=16384; {locations} }} }}
            """, encoding="utf-8")
        return [program, "-p", str(directory), "-c", f"{directory}/nginx.conf"]

    return server(command)
