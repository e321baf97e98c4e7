# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The open model: requests that are due at fixed times, whatever the server does."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import urllib.request
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Callable

from benchmarks.common import figure, interleaved, nginx, on_core, progress, ratios, server
from benchmarks.load import peers
from benchmarks.load import server as recorder
from benchmarks.load.http import SAME
from benchmarks.load.steady import GENERATOR_CORE, SERVER_CORE, NginxCounter, running, window

OPEN = "constant_arrival_rate"

#: The server that stalls: requests per second, connections, and for how long in how long.
STALL_RPS, STALL_CONNECTIONS, EVERY_S, STALL_S = 500, 50, 10, 1

#: Even arrivals.
EVEN_RPS, EVEN_S = 2000, 4

#: The highest rate is looked for on a grid between these, each rate being this much higher than the one before.
LOWEST_RPS, HIGHEST_RPS, STEP = 2_000, 160_000, 1.06
#: A rate is held when the server gets this share of it.
HELD = 0.95
#: Enough that k6 drops next to nothing for want of a virtual user.
OPEN_CONNECTIONS = 1000


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return what the open model is judged by."""
    return stalls(rounds) + even(rounds) + highest(rounds)


def recording(*stall: float) -> AbstractContextManager[tuple[int, Path]]:
    """Run the server that notes arrivals."""
    return server(lambda _directory, port: [sys.executable, recorder.__file__, str(port), *map(str, stall)],
                  core=SERVER_CORE)


def run(command: list[str]) -> str:
    """Run a generator to its end; return what it printed."""
    done = subprocess.run(on_core(GENERATOR_CORE, command), check=False, text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr}")
    return done.stdout


def analytic() -> dict[str, float]:
    """Return the latencies, in ms, that the stalling server must show: uniform from 0 to the stall for its share.

    A request that is due during the stall waits for its end, all others not at all: the mean is share · stall / 2,
    and the percentile p is stall · (1 − (1 − p) / share).
    """
    share, stall_ms = STALL_S / EVERY_S, STALL_S * 1000
    percentiles = {f"p{percent:g}_ms".replace(".", "_"): stall_ms * (1 - (100 - percent) / 100 / share)
                   for percent in (95, 99, 99.9)}
    return {"mean_ms": share * stall_ms / 2, **percentiles}


def stalls(rounds: int) -> list[dict[str, Any]]:
    """Return how far the latencies are from the analytic ones."""
    progress(f"a server that stalls {STALL_S} s in every {EVERY_S} s")
    rows = []
    for _round in range(rounds):
        with recording(EVERY_S, STALL_S) as (port, _):
            result = json.loads(run(peers.probe(
                target=f"http://127.0.0.1:{port}", executor=OPEN, rate_rps=STALL_RPS, vus=STALL_CONNECTIONS,
                duration_s=2 * EVERY_S)))
        rows.append(result["metrics"])
        progress(" · ".join(f"{metric} {rows[-1][metric]}" for metric in analytic()))
    return [figure(f"stalling server, {STALL_RPS} rps, {STALL_CONNECTIONS} connections: {metric} off {expected:g} ms",
                   "<= 0.02", [abs(row[metric] / expected - 1) for row in rows])
            for metric, expected in analytic().items()]


def even(rounds: int) -> list[dict[str, Any]]:
    """Return how evenly the requests arrive, against k6."""
    progress(f"{EVEN_RPS} requests per second, arrivals as the server saw them")
    connections = 50
    target = {"executor": OPEN, "rate_rps": EVEN_RPS, "vus": connections, "duration_s": EVEN_S}
    rows = interleaved(
        rounds,
        ours=lambda: arrivals(lambda url, _directory: peers.probe(target=url, **target)),
        k6=lambda: arrivals(lambda url, directory: peers.k6(directory, url, k6_options(
            EVEN_RPS, connections, f"{EVEN_S}s"))))
    return [
        figure(f"{EVEN_RPS} rps: requests too few or too many", "== 0",
               [abs(row["ours"]["count"] - EVEN_RPS * EVEN_S) for row in rows]),
        figure(f"{EVEN_RPS} rps: median deviation of arrivals from even times against k6", "<= 0.25",
               ratios(rows, "k6", "deviation_us")),
        figure(f"{EVEN_RPS} rps: coefficient of variation between arrivals against k6", "<= 0.6",
               ratios(rows, "k6", "cov")),
        figure(f"{EVEN_RPS} rps: median deviation of arrivals from even times", "",
               [row["ours"]["deviation_us"] for row in rows], "µs"),
    ]


def k6_options(rate_rps: float, connections: int, duration: str) -> dict[str, Any]:
    """Return k6's own open model."""
    return {"scenarios": {"open": {
        "executor": "constant-arrival-rate", "rate": round(rate_rps), "timeUnit": "1s", "duration": duration,
        "preAllocatedVUs": connections, "maxVUs": connections, "gracefulStop": "1s"}}}


def arrivals(command: Callable[[str, Path], list[str]]) -> dict[str, float]:
    """Run a generator against the server that notes arrivals; return how many they were and how even."""
    with recording() as (port, directory):
        run(command(f"http://127.0.0.1:{port}", directory))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/arrivals", timeout=30) as answer:
            times = json.load(answer)
    return {"count": len(times), **evenness(times, 1e9 / EVEN_RPS)}


def evenness(times: list[int], interval: float) -> dict[str, float]:
    """Return how far times in ns are from an even grid, whose place is that of their median, and how their gaps vary.

    :returns: ``deviation_us``, the median distance, and ``cov``, the standard deviation of the gaps by their mean.
    """
    offsets = [time - place * interval for place, time in enumerate(times)]
    middle = statistics.median(offsets)
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    return {"deviation_us": statistics.median(abs(offset - middle) for offset in offsets) / 1000,
            "cov": statistics.pstdev(gaps) / statistics.mean(gaps)}


def highest(rounds: int) -> list[dict[str, Any]]:
    """Return the highest open rate against k6's."""
    progress("the highest open rate that is held")
    with nginx(SAME, core=SERVER_CORE) as (port, directory):
        url = f"http://127.0.0.1:{port}"
        rows = interleaved(
            rounds,
            ours=partial(search, url, lambda rate: peers.mix(
                url, OPEN_CONNECTIONS, executor=OPEN, rate_rps=rate)),
            k6=partial(search, url, lambda rate: peers.k6(
                directory, url, k6_options(rate, OPEN_CONNECTIONS, f"{peers.LONG_S}s"))))
    return [figure("highest open rate against k6", ">= 2.5", ratios(rows, "k6")),
            figure("highest open rate", "", [row["ours"] for row in rows], "rps")]


def search(url: str, command: Callable[[float], list[str]]) -> float:
    """Return the highest rate of the grid that a generator holds, by bisection."""
    low, high = 0, math.ceil(math.log(HIGHEST_RPS / LOWEST_RPS, STEP))
    while high - low > 1:
        middle = (low + high) // 2
        rate = LOWEST_RPS * STEP ** middle
        counter = NginxCounter(url)
        with running(command(rate)) as process:
            held = window(process, counter.busy(0), counter.requests, 1.5)["rps"] >= HELD * rate
        low, high = (middle, high) if held else (low, middle)
    return LOWEST_RPS * STEP ** low
