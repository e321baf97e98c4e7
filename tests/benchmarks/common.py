# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every benchmark uses: paired rounds, figures with computed goals, peers, temporary servers."""

from __future__ import annotations

import contextlib
import json
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

import psycopg

T = TypeVar("T")

ROOT = Path(__file__).parents[2]

#: Where Debian keeps the programs of PostgreSQL.
POSTGRES = "/usr/lib/postgresql/15/bin"

_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}
_GOAL = re.compile(r"(<=|>=|==|<|>)\s*([\d.]+)")


def figure(name: str, goal: str, values: Sequence[float], unit: str = "", worst: bool = False) -> dict[str, Any]:
    """Return one line of the result: the median of ``values`` (one per round) against a goal.

    :arg name: what was measured, e.g. ``requests per second against wrk, 50 connections``.
    :arg goal: a comparison, e.g. ``>= 0.95``, ``== 0``; ``met`` is computed from it. Empty for a number that is
        recorded without a goal: ``met`` is None.
    :arg values: at least one; ``spread`` is their smallest and largest.
    :arg unit: what the numbers are, e.g. ``ms``; empty for a ratio or a count.
    :arg worst: whether no round may be above the goal: the largest value counts, not the median.
    """
    measured = max(values) if worst else statistics.median(values)
    return {"figure": name, "goal": goal, "measured": round(measured, 4), "unit": unit,
            "spread": [round(min(values), 4), round(max(values), 4)], "rounds": len(values),
            "met": meets(goal, measured) if goal else None}


def meets(goal: str, measured: float) -> bool:
    """Return whether a number meets a goal."""
    match = _GOAL.fullmatch(goal)
    if not match:
        raise ValueError(f"goal: expected a comparison such as '>= 0.95', found {goal!r}")
    return _OPERATORS[match.group(1)](measured, float(match.group(2)))


def interleaved(rounds: int, **contenders: Callable[[], T]) -> list[dict[str, T]]:
    """Run all of them once per round, one right after the other, each round beginning with another one.

    What the machine does meanwhile hits all of a round: compare within a round, then take the median over the rounds.
    """
    names = list(contenders)
    rows = []
    for number in range(rounds):
        turn = number % len(names)
        row = {name: contenders[name]() for name in names[turn:] + names[:turn]}
        rows.append({name: row[name] for name in names})
        told = " · ".join(f"{name} {brief(result)}" for name, result in rows[-1].items())
        progress(f"round {number + 1}/{rounds}: {told}")
    return rows


def ratios(rows: Sequence[dict[str, Any]], peer: str, key: str = "") -> list[float]:
    """Return ours / peer per round; ``key`` picks the number when the results are dictionaries."""
    pairs = [(row["ours"], row[peer]) for row in rows]
    return [float(ours[key] / theirs[key]) if key else float(ours / theirs) for ours, theirs in pairs]


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


def playbook(path: Path, task: dict[str, Any], **variables: Any) -> list[str]:
    """Write a playbook of one task for this machine (JSON is YAML); return the command that runs it."""
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task],
            "vars": {"ansible_python_interpreter": sys.executable, **variables}}
    path.write_text(json.dumps([play]), encoding="utf-8")
    return [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", str(path)]


def require(command: str) -> str:
    """Return the path of a peer's or a server's command, which ``make setup-bench`` has installed."""
    found = shutil.which(command, path=f"{ROOT}/.venv-bench/bin:{os.environ['PATH']}:/usr/sbin:/sbin")
    if not found:
        raise FileNotFoundError(f"{command}: not on this machine; run make setup-bench")
    return found


def on_core(core: int | None, command: Sequence[str]) -> list[str]:
    """Return a command that keeps to one core; None for any."""
    return [*command] if core is None else ["taskset", "--cpu-list", str(core), *command]


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
def server(command: Callable[[Path, int], Sequence[str]], core: int | None = None, **options: Any,
           ) -> Iterator[tuple[int, Path]]:
    """Run a server in the foreground for the time of a ``with`` block; yield its port and its own directory.

    :arg command: gets the directory and the port, returns the command line (and may write a configuration).
    :arg core: keeps the server to one core.
    """
    with tempfile.TemporaryDirectory(prefix="evenkeel-bench-") as name:
        port = free_port()
        process = subprocess.Popen(on_core(core, command(Path(name), port)), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, **options)
        try:
            wait_for_port(port)
            yield port, Path(name)
        finally:
            process.terminate()
            process.wait()


def nginx(locations: str, *, workers: int = 1, core: int | None = None, listen: str = "", access_log: bool = False,
          ) -> contextlib.AbstractContextManager[tuple[int, Path]]:
    """Run nginx with these locations; the directory has ``access.log`` when asked for.

    :arg workers: with more than one, each has a core and connections of its own (``reuseport``).
    :arg listen: more parameters of its ``listen``, e.g. ``ssl``.
    """
    program = require("nginx")
    several = f"worker_processes {workers}; worker_cpu_affinity auto;"
    model = "master_process off; worker_processes 1;" if workers == 1 else several
    listen += " reuseport" if workers > 1 else ""

    def command(directory: Path, port: int) -> list[str]:
        log = f"{directory}/access.log" if access_log else "off"
        directory.chmod(0o755)
        (directory / "nginx.conf").write_text(f"""
            daemon off; {model} pid {directory}/pid; error_log {directory}/error.log;
            worker_rlimit_nofile 65536;
            events {{ worker_connections 30000; multi_accept on; }}
            http {{ access_log {log}; keepalive_requests 1000000000; keepalive_timeout 3600;
                    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
                    fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi;
                    scgi_temp_path {directory}/scgi;
                    server {{ listen 127.0.0.1:{port} backlog=16384 {listen}; {locations} }} }}
            """, encoding="utf-8")
        return [program, "-p", str(directory), "-c", f"{directory}/nginx.conf"]

    return server(command, core)


def postgres(directory: Path, port: int) -> list[str]:
    """Make a cluster in a directory; return the command that serves it."""
    shutil.chown(directory, "postgres", "postgres")
    initdb = [require(f"{POSTGRES}/initdb"), "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C",
              f"{directory}/data"]
    subprocess.run(initdb, check=True, capture_output=True, user="postgres", cwd=directory)
    return [require(f"{POSTGRES}/postgres"), "-D", f"{directory}/data", "-p", str(port), "-k", "", "-c", "fsync=off"]


def redis(directory: Path, port: int) -> list[str]:
    """Return the command that serves an empty Redis."""
    return [require("redis-server"), "--port", str(port), "--save", "", "--dir", str(directory)]


def wait_until_ready(login: dict[str, Any]) -> None:
    """Wait until the server accepts logins; the port is open a little earlier."""
    while True:
        try:
            psycopg.connect(**login).close()
            return
        except psycopg.OperationalError as error:  # after several addresses it has no SQLSTATE
            if "starting up" not in str(error):
                raise
            time.sleep(0.02)
