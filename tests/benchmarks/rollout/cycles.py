# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failed requests of a deploy and its rollback, with an app that exits at once on SIGTERM and with a graceful one.

Ours is the playbooks rollout and rollback over the whole fleet. The peers replace one container on one host, and the
same back, under the same load: `docker compose up -d`, and the method of docker-rollout.
"""

from __future__ import annotations

import functools
from typing import Any

from benchmarks.common import figure, interleaved
from benchmarks.rollout.lab import Lab
from benchmarks.rollout.peers import Peer

#: Of ours in a round.
CYCLES = 2


def cycles(kind: str, rounds: int) -> list[dict[str, Any]]:
    """Return failed requests per cycle of an app of this kind: ours (the goal: none in any of them) and the peers'.

    A round has two cycles of ours, so that there are the ten of the goal in five, and one of each peer.
    """
    fleet = Lab(kind)
    fleet.settle("v1")
    with Peer(fleet) as peer:
        rows = interleaved(rounds, ours=functools.partial(ours, fleet), compose=peer.recreate, rollout=peer.scale)
    failed = {name: [row[name]["failed"] for row in rows] for name in rows[0]}
    return [
        figure(f"{kind} app: failed requests in {CYCLES * rounds} deploy + rollback cycles, {len(fleet.hosts)} hosts",
               "== 0", [sum(failed["ours"])]),
        figure(f"{kind} app: failed requests per cycle, docker compose up -d, one host", "", failed["compose"]),
        figure(f"{kind} app: failed requests per cycle, docker-rollout's method, one host", "", failed["rollout"]),
        figure(f"{kind} app: requests per cycle, ours", "", [row["ours"]["requests"] / CYCLES for row in rows]),
    ]


def ours(fleet: Lab) -> dict[str, float]:
    """Roll v2 out and back, twice, counted by the watch."""
    runs = [run for dummy in range(CYCLES)
            for run in (fleet.run("rollout", release_name="v2"), fleet.run("rollback", rollback_to="previous"))]
    return {"failed": sum(run.failed_requests for run in runs), "requests": sum(run.requests for run in runs)}
