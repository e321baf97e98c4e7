# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The health endpoint against a health page that asks the database each time, on the same busy PostgreSQL.

The peer is a good one: the same shape of server, with one connection to the database that it keeps. Checks come as a
load balancer's do, one connection each. pgbench keeps the database busy meanwhile.
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

CHECKS, RATE_RPS = 1000, 200
FROZEN_S, TIMEOUT_S = 3.0, 1.0
CACHE_S = 10.0

PEER = """
import asyncio, sys, psycopg

async def main(host, port, database):
    connection = await psycopg.AsyncConnection.connect(
        host="127.0.0.1", port=int(database), user="postgres", dbname="postgres", autocommit=True)
    lock = asyncio.Lock()

    async def talk(reader, writer):
        await reader.readuntil(b"\\r\\n\\r\\n")
        try:
            async with asyncio.timeout(1.0), lock:
                await connection.execute("SELECT 1")
            status = "200 OK"
        except (TimeoutError, psycopg.Error):
            status = "503 Service Unavailable"
        writer.write(f"HTTP/1.1 {status}\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n".encode())
        await writer.drain()
        writer.close()

    await (await asyncio.start_server(talk, host, int(port))).serve_forever()

asyncio.run(main(*sys.argv[1:]))
"""


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return what a check costs and how many fail; 50 ms and no failure are the goals of the issue."""
    with server(postgres, user="postgres") as (database, directory):
        wait_until_ready({"host": "127.0.0.1", "port": database, "user": "postgres", "dbname": "postgres"})
        pgbench = [require(f"{POSTGRES}/pgbench"), "-h", "127.0.0.1", "-p", str(database), "-U", "postgres", "postgres"]
        subprocess.run([*pgbench, "-i", "-q"], check=True, capture_output=True)
        leader = int((directory / "data/postmaster.pid").read_text(encoding="utf-8").split()[0])
        with endpoint(directory, database) as ours, peer(database) as theirs:
            with running([*pgbench, "-S", "-c", "8", "-T", "3600"]):
                rows = interleaved(rounds, ours=lambda: ask(ours), peer=lambda: ask(theirs))
            outages = interleaved(rounds, ours=lambda: freeze(leader, ours), peer=lambda: freeze(leader, theirs))
    return [
        figure("p99 of a check against asking the database each time, busy database", "< 1",
               ratios(rows, "peer", "p99_ms")),
        figure("p99 of a check, ours", "< 50", [row["ours"]["p99_ms"] for row in rows], "ms"),
        figure("p99 of a check, asking each time", "", [row["peer"]["p99_ms"] for row in rows], "ms"),
        figure(f"checks that failed while the database froze for {FROZEN_S:g} s, ours", "== 0",
               [row["ours"]["failed"] for row in outages]),
        figure(f"checks that failed while the database froze for {FROZEN_S:g} s, asking each time", "",
               [row["peer"]["failed"] for row in outages]),
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
def peer(database: int) -> Iterator[int]:
    """Run the peer; yield its port."""
    port = free_port()
    with running([sys.executable, "-c", PEER, "127.0.0.1", str(port), str(database)]):
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
    failed, begun = 0, time.monotonic()
    while time.monotonic() < begun + FROZEN_S:
        failed += not good(port)
        time.sleep(0.05)
    resume.join()
    return {"failed": failed}
