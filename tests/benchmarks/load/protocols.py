# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis, PostgreSQL and WebSocket, each counted by its server."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from functools import partial
from typing import Any, Callable, Sequence

import psycopg
from ansible_collections.evenkeel.fleet.plugins.module_utils._client.redis import RedisClient

from benchmarks.common import (
    POSTGRES,
    figure,
    interleaved,
    postgres,
    progress,
    ratios,
    redis,
    require,
    server,
    wait_until_ready,
)
from benchmarks.load import echo, peers
from benchmarks.load.steady import SERVER_CORE, require_no_errors, running, window

CONNECTIONS = 50
SESSIONS = 20

QUERY = "SELECT abalance FROM pgbench_accounts WHERE aid = 7;"
MESSAGE = "x" * 100

_K6_ECHO = """
import ws from 'k6/ws';
export const options = { vus: %d, duration: '%ds' };
export default function () {
  ws.connect('%s', (socket) => {
    socket.on('open', () => socket.send('%s'));
    socket.on('message', () => socket.send('%s'));
  });
}
"""


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return what the protocols cost against the tools that come with their servers, and against k6."""
    return gets(rounds) + queries(rounds) + echoes(rounds)


def ours(url: str, connections: int, request: dict[str, Any]) -> list[str]:
    """Run our probe with one kind of request."""
    return peers.probe(target=url, vus=connections, duration_s=peers.LONG_S,
                       scenarios=[{"name": "one", "requests": [request]}])


def measure(command: Sequence[str], count: Callable[[], int], **options: Any) -> dict[str, float]:
    """Run one generator against a server that counts; our probe must not count an error."""
    first = count()
    with running(command, **options) as process:
        measured = window(process, lambda: count() - first > 5000, count)
        if peers.is_ours(command):
            require_no_errors(process)
    return measured


def gets(rounds: int) -> list[dict[str, Any]]:
    """Return the rate of GET, 200 bytes, against redis-benchmark without pipelining, one thread each."""
    progress(f"Redis GET, {CONNECTIONS} connections")
    with server(redis, core=SERVER_CORE) as (port, _), RedisClient(port=port) as client:
        client.call("SET", "bench", "x" * 200)

        def count() -> int:
            lines = str(client.call("INFO", "stats")).splitlines()
            return next(int(line.split(":")[1]) for line in lines if line.startswith("total_commands_processed:"))

        peer = [require("redis-benchmark"), "-p", str(port), "-c", str(CONNECTIONS), "-n", "1000000000", "-q",
                "GET", "bench"]
        mine = ours(f"redis://127.0.0.1:{port}", CONNECTIONS, {"command": ["GET", "bench"]})
        rows = interleaved(rounds, ours=partial(measure, mine, count), benchmark=partial(measure, peer, count))
    return [figure(f"Redis GET: requests per second against redis-benchmark, {CONNECTIONS} connections", ">= 1.2",
                   ratios(rows, "benchmark", "rps")),
            figure(f"Redis GET: CPU per request against redis-benchmark, {CONNECTIONS} connections", "",
                   ratios(rows, "benchmark", "cpu_us"))]


def queries(rounds: int) -> list[dict[str, Any]]:
    """Return the CPU time of a simple query against pgbench -S.

    pgbench gets the query of -S with the number in it, as we do: it is spared making one up each time.
    """
    progress(f"PostgreSQL simple query, {SESSIONS} sessions")
    preload = ["-c", "shared_preload_libraries=pg_stat_statements"]
    with server(lambda directory, port: [*postgres(directory, port), *preload], core=SERVER_CORE,
                user="postgres") as (port, directory):
        login = {"host": "127.0.0.1", "port": port, "user": "postgres", "dbname": "postgres", "autocommit": True}
        wait_until_ready(login)
        pgbench = [require(f"{POSTGRES}/pgbench"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
        subprocess.run([*pgbench, "-i", "-q", "postgres"], check=True, capture_output=True)
        script = directory / "query.sql"
        script.write_text(f"{QUERY}\n", encoding="utf-8")
        peer = [*pgbench, "-n", "-M", "simple", "-c", str(SESSIONS), "-j", "1", "-T", str(peers.LONG_S),
                "-f", str(script), "postgres"]
        mine = ours(f"pg://postgres@127.0.0.1:{port}/postgres", SESSIONS, {"query": QUERY})
        with psycopg.connect(**login) as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")

            def count() -> int:
                row = connection.execute("SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements "
                                         "WHERE query LIKE 'SELECT abalance%'").fetchone()
                return int(row[0]) if row else 0

            rows = interleaved(rounds, ours=partial(measure, mine, count), pgbench=partial(measure, peer, count))
    return [figure(f"PostgreSQL simple query: CPU per query against pgbench -S, {SESSIONS} sessions", "<= 1.1",
                   ratios(rows, "pgbench", "cpu_us")),
            figure(f"PostgreSQL simple query: queries per second against pgbench -S, {SESSIONS} sessions", "",
                   ratios(rows, "pgbench", "rps"))]


def echoes(rounds: int) -> list[dict[str, Any]]:
    """Return the CPU time of a message and its echo, 100 bytes, against k6."""
    progress(f"WebSocket echo, {CONNECTIONS} sessions")
    with server(lambda _directory, port: [sys.executable, echo.__file__, str(port)], core=SERVER_CORE) as (
            port, directory):
        def count() -> int:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/count", timeout=30) as answer:
                return int(json.load(answer))

        script = directory / "echo.js"
        url = f"ws://127.0.0.1:{port}/"
        script.write_text(_K6_ECHO % (CONNECTIONS, peers.LONG_S, url, MESSAGE, MESSAGE), encoding="utf-8")
        rows = interleaved(rounds, ours=partial(measure, ours(url, CONNECTIONS, {"text": MESSAGE}), count),
                           k6=partial(measure, peers.k6_run(script), count))
    return [figure(f"WebSocket echo: CPU per message against k6, {CONNECTIONS} sessions", "<= 0.6",
                   ratios(rows, "k6", "cpu_us")),
            figure(f"WebSocket echo: messages per second against k6, {CONNECTIONS} sessions", "",
                   ratios(rows, "k6", "rps"))]
