# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten minutes at 10,000 connections: memory stays flat. One run, whatever the rounds; not part of ``load``."""

from __future__ import annotations

import statistics
import time
from typing import Any

from benchmarks.common import figure, nginx, progress
from benchmarks.load import peers
from benchmarks.load.http import MANY, SAME
from benchmarks.load.steady import SERVER_CORE, NginxCounter, require_no_errors, rss_mib, running

DURATION_S = 600
MINUTE_S = 60


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return the memory of the last minute against that of the second one."""
    progress(f"{MANY} connections for {DURATION_S} s")
    memory = []
    with nginx(SAME, core=SERVER_CORE) as (port, _):
        url = f"http://127.0.0.1:{port}"
        ready = NginxCounter(url).busy(MANY)
        with running(peers.mix(url, MANY)) as process:
            while not ready():
                time.sleep(0.1)
            for second in range(DURATION_S):
                time.sleep(1)
                memory.append(rss_mib(process.pid))
                if second % MINUTE_S == MINUTE_S - 1:
                    progress(f"minute {second // MINUTE_S + 1}: {memory[-1]:.1f} MiB")
            require_no_errors(process)
    second_minute = statistics.median(memory[MINUTE_S:2 * MINUTE_S])
    last_minute = statistics.median(memory[-MINUTE_S:])
    return [figure(f"memory, {MANY} connections, last of ten minutes against the second", "<= 1.02",
                   [last_minute / second_minute]),
            figure(f"memory, {MANY} connections, last of ten minutes", "", [last_minute], "MiB")]
