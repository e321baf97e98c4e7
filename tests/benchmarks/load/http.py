# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP with connections kept alive, 200 bytes of JSON from nginx with one worker."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Sequence

from benchmarks.common import figure, interleaved, nginx, progress, ratios
from benchmarks.load import peers
from benchmarks.load.steady import GENERATOR_CORE, SERVER_CORE, NginxCounter, require_no_errors, running, window

#: Connections, and the goal for requests per second against wrk.
AGAINST_WRK = {50: ">= 0.95", 200: ">= 0.95", 1000: ">= 1.0", 10_000: ">= 1.1"}
MANY = 10_000

STATUS = "location = /status { stub_status; }"
_JSON = "default_type application/json; return 200 '{\"data\": \"%s\"}';" % ("x" * 188)
SAME = f"{STATUS} location / {{ {_JSON} }}"
UNIQUE = f"{STATUS} location / {{ add_header X-Request-Id $request_id; {_JSON} }}"


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return requests per second, CPU time and memory against the peers."""
    return against_wrk(rounds) + against_others(rounds) + unique_headers(rounds)


def measure(url: str, connections: int, command: Sequence[str], core: int | None = GENERATOR_CORE) -> dict[str, float]:
    """Run one generator against nginx; our probe must not count an error.

    :arg connections: how many it keeps open.
    """
    counter = NginxCounter(url)
    with running(command, core) as process:
        measured = window(process, counter.busy(connections), counter.requests)
        if peers.is_ours(command):
            require_no_errors(process)
    return measured


def contenders(url: str, connections: int, directory: Path) -> dict[str, Any]:
    """Return our probe and wrk, ready to be measured."""
    return {"ours": partial(measure, url, connections, peers.mix(url, connections)),
            "wrk": partial(measure, url, connections, peers.wrk(url, connections, directory))}


def against_wrk(rounds: int) -> list[dict[str, Any]]:
    """Return rates and CPU time per request against wrk, and memory at 10,000 connections."""
    results = []
    with nginx(SAME, core=SERVER_CORE) as (port, directory):
        url = f"http://127.0.0.1:{port}"
        for connections, goal in AGAINST_WRK.items():
            progress(f"keep-alive, {connections} connections")
            several = contenders(url, connections, directory)
            if connections == MANY:
                several["k6"] = partial(measure, url, connections, k6(url, connections, directory))
            rows = interleaved(rounds, **several)
            results += [
                figure(f"requests per second against wrk, {connections} connections", goal, ratios(rows, "wrk", "rps")),
                figure(f"CPU per request against wrk, {connections} connections", "<= 1.1",
                       ratios(rows, "wrk", "cpu_us"))]
    results += [
        figure(f"memory against wrk, {MANY} connections", "<= 0.5", ratios(rows, "wrk", "rss_mib")),
        figure(f"memory against k6, {MANY} connections", "<= 0.02", ratios(rows, "k6", "rss_mib")),
        figure(f"memory, {MANY} connections", "", [row["ours"]["rss_mib"] for row in rows], "MiB")]
    return results


def k6(url: str, connections: int, directory: Path) -> list[str]:
    """Run k6 with as many virtual users as there are connections."""
    return peers.k6(directory, url, {"vus": connections, "duration": f"{peers.LONG_S}s"})


def against_others(rounds: int) -> list[dict[str, Any]]:
    """Return rates against k6, hey and h2load at 50 connections."""
    connections = 50
    with nginx(SAME, core=SERVER_CORE) as (port, directory):
        url = f"http://127.0.0.1:{port}"
        progress(f"keep-alive, {connections} connections, other peers")
        commands = {"ours": peers.mix(url, connections), "k6": k6(url, connections, directory),
                    "hey": peers.hey(url, connections), "h2load": peers.h2load(url, connections)}
        rows = interleaved(rounds, **{name: partial(measure, url, connections, command)
                                      for name, command in commands.items()})
    return [figure(f"requests per second against {peer}, {connections} connections", goal, ratios(rows, peer, "rps"))
            for peer, goal in (("k6", ">= 6"), ("hey", ">= 2.5"), ("h2load", ""))]


def unique_headers(rounds: int) -> list[dict[str, Any]]:
    """Return rate and CPU time against wrk when no two answers have the same head."""
    connections = 50
    with nginx(UNIQUE, core=SERVER_CORE) as (port, directory):
        progress("keep-alive, a header with a new value in every answer")
        rows = interleaved(rounds, **contenders(f"http://127.0.0.1:{port}", connections, directory))
    what = "against wrk, 50 connections, a unique header in every answer"
    return [figure(f"requests per second {what}", "", ratios(rows, "wrk", "rps")),
            figure(f"CPU per request {what}", "", ratios(rows, "wrk", "cpu_us"))]
