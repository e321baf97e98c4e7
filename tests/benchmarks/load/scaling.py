# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two processes on two cores against one on one core.

The server is on the same machine and needs cores too. So the one process shares its core with one nginx worker, and
the two processes share two cores with two workers: the ratio shows what the second process adds, not what the server
leaves over.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.common import figure, interleaved, nginx, progress
from benchmarks.load import peers
from benchmarks.load.http import SAME, measure
from benchmarks.load.steady import GENERATOR_CORE

CONNECTIONS = 100


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return the rate of two processes against that of one."""
    progress(f"two processes on two cores, {CONNECTIONS} connections")
    rows = interleaved(rounds, one=partial(rate, 1, GENERATOR_CORE), two=partial(rate, 2, None))
    return [figure("requests per second, two processes and two nginx workers on two cores against one and one on one",
                   ">= 1.7", [row["two"]["rps"] / row["one"]["rps"] for row in rows])]


def rate(processes: int, core: int | None) -> dict[str, float]:
    """Run as many processes as nginx has workers, on one core or on all."""
    with nginx(SAME, workers=processes, core=core) as (port, _):
        url = f"http://127.0.0.1:{port}"
        command = peers.mix(url, CONNECTIONS, processes=processes)
        return {"rps": measure(url, CONNECTIONS, command, core)["rps"]}
