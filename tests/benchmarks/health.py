# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The health endpoint against health pages that ask the database each time, on the same busy PostgreSQL.

The peers are servers of the same shape: one keeps its connection to the database, the other one logs in for each check.
Checks come as a load balancer's do, one connection each. pgbench keeps the database, and both cores, busy meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Iterator

from ansible_collections.evenkeel.fleet.plugins.module_utils._health.install import program
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECK

from benchmarks.common import (
    POSTGRES,
    figure,
    free_port,
    interleaved,
    postgres,
    ratios,
    require,
    server,
    wait_for_port,
    wait_until_ready,
)  # fmt: skip

CHECKS, RATE_RPS = 600, 200
FROZEN_S, TIMEOUT_S = 3.0, 1.0
CACHE_S = 10.0

PEER = """
import asyncio, sys, psycopg

async def main(keep, port, database):
    def login():
        return psycopg.AsyncConnection.connect(
            host="127.0.0.1", port=int(database), user="postgres", dbname="postgres", autocommit=True)

    kept = await login() if keep == "keep" else None
    lock = asyncio.Lock()

    async def ask():
        if kept:
            async with lock:
                await kept.execute("SELECT 1")
        else:
            async with await login() as connection:
                await connection.execute("SELECT 1")

    async def talk(reader, writer):
        await reader.readuntil(b"\\r\\n\\r\\n")
        try:
            await asyncio.wait_for(ask(), 1.0)
            status = "200 OK"
        except (asyncio.TimeoutError, psycopg.Error):
            status = "503 Service Unavailable"
        writer.write(f"HTTP/1.1 {status}\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n".encode())
        await writer.drain()
        writer.close()

    await (await asyncio.start_server(talk, "127.0.0.1", int(port))).serve_forever()

asyncio.run(main(*sys.argv[1:]))
"""


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return what a check costs and how many fail; 50 ms and no failure are the goals of the issue."""
    with server(postgres, user="postgres") as (database, directory):
        wait_until_ready({"host": "127.0.0.1", "port": database, "user": "postgres", "dbname": "postgres"})
        pgbench = [require(f"{POSTGRES}/pgbench"), "-h", "127.0.0.1", "-p", str(database), "-U", "postgres", "postgres"]
        subprocess.run([*pgbench, "-i", "-q"], check=True, capture_output=True)
        leader = int((directory / "data/postmaster.pid").read_text(encoding="utf-8").split()[0])
        with endpoint(directory, database) as ours, peer("keep", database) as kept, peer("login", database) as login:
            with running([*pgbench, "-S", "-c", "8", "-T", "3600"]):
                rows = interleaved(rounds, ours=lambda: ask(ours), kept=lambda: ask(kept), login=lambda: ask(login))
            outages = interleaved(rounds, ours=lambda: freeze(leader, ours), login=lambda: freeze(leader, login))
    return [
        figure("p99 of a check, ours", "< 50", [row["ours"]["p99_ms"] for row in rows], "ms"),
        figure("p99 of a check against logging in to the database each time", "< 1", ratios(rows, "login", "p99_ms")),
        figure("p99 of a check against asking it on a kept connection", "", ratios(rows, "kept", "p99_ms")),
        figure(f"checks that failed while the database froze for {FROZEN_S:g} s, ours", "== 0",
               [row["ours"]["failed"] for row in outages]),
        figure("share of checks that failed then, logging in each time", "",
               [row["login"]["failed"] / row["login"]["checks"] for row in outages]),
    ]  # fmt: skip


@contextlib.contextmanager
def endpoint(directory: Path, database: int) -> Iterator[int]:
    """Run our program under systemd's socket activation; yield its port."""
    port, home = free_port(), directory / "endpoint"
    home.mkdir()
    (home / "health.pyz").write_bytes(program())
    blank = {name: spec.get("default") for name, spec in CHECK.items()}
    check = {**blank, "name": "database", "type": "postgres", "port": database, "user": "postgres"}
    config = {"checks": [check], "service": "bench", "cache_s": CACHE_S, "stale_s": 30.0, "retry_s": 2.0,
              "idle_s": 3600.0, "breaker": {}}  # fmt: skip
    (home / "health.json").write_text(json.dumps(config), encoding="utf-8")
    command = [require("systemd-socket-activate"), f"--listen=127.0.0.1:{port}", f"--setenv=STATE_DIRECTORY={home}",
               sys.executable, str(home / "health.pyz"), str(home / "health.json")]  # fmt: skip
    with running(command):
        wait_for_port(port)
        yield port


@contextlib.contextmanager
def peer(kind: str, database: int) -> Iterator[int]:
    """Run a peer, ``keep`` or ``login``; yield its port."""
    port = free_port()
    with running([sys.executable, "-c", PEER, kind, str(port), str(database)]):
        wait_for_port(port)
        yield port


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[None]:
    """Run a command for the time of a ``with`` block."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def ask(port: int, checks: int = CHECKS) -> dict[str, float]:
    """Send checks at a steady rate; return the 99th percentile and how many were not answered with 200."""
    latencies, failed, begun = [], 0, time.monotonic()
    for number in range(checks):
        time.sleep(max(0.0, begun + number / RATE_RPS - time.monotonic()))
        started = time.monotonic()
        failed += not good(port)
        latencies.append((time.monotonic() - started) * 1000)
    return {"p99_ms": statistics.quantiles(latencies, n=100)[98], "failed": failed}


def good(port: int) -> bool:
    """Ask once on a connection of its own, as a load balancer does."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S * 5) as sock:
        sock.sendall(b"GET /health HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        head = sock.recv(65536)
        while sock.recv(65536):
            pass
    return head.startswith(b"HTTP/1.1 200 ")


def freeze(leader: int, port: int) -> dict[str, float]:
    """Stop every process of the database for a while, and ask meanwhile; begins with a fresh result."""
    time.sleep(1)
    children = subprocess.run(["pgrep", "-P", str(leader)], capture_output=True, text=True, check=True).stdout.split()
    pids = [leader, *map(int, children)]
    resume = threading.Timer(FROZEN_S, lambda: [os.kill(pid, signal.SIGCONT) for pid in pids])
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    resume.start()
    checks, failed, begun = 0, 0, time.monotonic()
    while time.monotonic() < begun + FROZEN_S - TIMEOUT_S:
        checks += 1
        failed += not good(port)
        time.sleep(0.05)
    resume.join()
    return {"checks": checks, "failed": failed}
