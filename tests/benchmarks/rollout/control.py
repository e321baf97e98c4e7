# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What control costs: a rollout without gates, soak and watch against the bare switch of the same images.

The bare switch is `bare.yml`, in as many waves: start the other slot, wait until it is healthy, switch at the load
balancer, stop the old one. No lock, no ledger, no plan, no guard, no proof. Neither warms the new release up.
"""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks.common import figure, interleaved, ratios
from benchmarks.rollout.lab import BARE, ENVIRONMENT, ROOT, Lab

WAVES = 2


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return tasks and seconds per host and wave, and the ratio to the bare switch."""
    fleet = Lab()
    fleet.settle("v2", "v1")
    rows = interleaved(rounds, ours=lambda: there_and_back(lambda release: ours(fleet, release), fleet),
                       bare=lambda: there_and_back(lambda dummy: bare(fleet), fleet))
    hosts = len(fleet.hosts)
    return [
        figure(f"seconds of a rollout over {hosts} hosts, ours / bare", "<= 1.5", ratios(rows, "bare", "seconds")),
        figure(f"seconds per wave, ours, {hosts} hosts", "", [row["ours"]["seconds"] / WAVES for row in rows], "s"),
        figure(f"seconds per wave, bare, {hosts} hosts", "", [row["bare"]["seconds"] / WAVES for row in rows], "s"),
        figure("tasks per host, ours", "", [row["ours"]["tasks"] for row in rows]),
        figure("tasks per host, bare", "", [row["bare"]["tasks"] for row in rows]),
    ]


def there_and_back(switch: Any, fleet: Lab) -> dict[str, float]:
    """Switch twice; return the mean of seconds, and of the tasks that an app host ran."""
    started, tasks = time.monotonic(), []
    for release in ("v2", "v1"):
        output = switch(release)
        tasks += [int(re.search(rf"^{host}\s*: ok=(\d+)", output, re.MULTILINE)[1]) for host in fleet.hosts]
    return {"seconds": (time.monotonic() - started) / 2, "tasks": sum(tasks) / len(tasks)}


def ours(fleet: Lab, release: str) -> str:
    return fleet.run("rollout", deploy_compose_release=release, deploy_compose_warmup={}, **BARE).output


def bare(fleet: Lab) -> str:
    """Switch every host to its other slot."""
    done = subprocess.run(["ansible-playbook", str(Path(__file__).with_name("bare.yml"))], cwd=ROOT, env=ENVIRONMENT,
                          text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout
