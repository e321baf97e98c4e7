# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What control costs: a rollout without gates, soak and watch against the bare switch of the same images.

The bare switch is `bare.yml`, in as many waves: start the other slot, wait until it is healthy, switch at the load
balancer, stop the old one. No lock, no ledger, no plan, no guard, no proof. Neither warms the new release up.

A wave of ours is its part of the plays that release and commit: in both, the old release is stopped. What a rollout
does once, however many waves it has, is a figure of its own: check the request, plan, lock, stage, prove, unlock.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.common import figure, interleaved, ratios
from benchmarks.rollout.lab import BARE, ENVIRONMENT, ROOT, Lab

WAVES = 2
ENVIRONMENT["ANSIBLE_CALLBACKS_ENABLED"] = "ansible.posix.profile_tasks"  # says when each task began
_BEGUN = re.compile(r"\(\d+:\d\d:\d\d\.\d+\)\s+(\d+):(\d\d):(\d\d\.\d+)")


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return seconds per wave and in all, tasks per host, and the ratios to the bare switch."""
    fleet = Lab()
    fleet.settle("v2", "v1")
    rows = interleaved(rounds, ours=lambda: there_and_back(lambda release: ours(fleet, release), fleet),
                       bare=lambda: there_and_back(lambda dummy: bare(fleet), fleet))
    scale = f"{len(fleet.hosts)} hosts in {WAVES} waves"
    return [
        figure(f"seconds of a wave, {scale}, ours / bare", "<= 1.5", ratios(rows, "bare", "wave_s")),
        figure(f"seconds of a wave, {scale}, ours", "", [row["ours"]["wave_s"] for row in rows], "s"),
        figure(f"seconds of a wave, {scale}, bare", "", [row["bare"]["wave_s"] for row in rows], "s"),
        figure("seconds of what a rollout does once, ours", "", [row["ours"]["once_s"] for row in rows], "s"),
        figure(f"seconds of all tasks, {scale}, ours / bare", "", ratios(rows, "bare", "seconds")),
        figure("tasks per host, ours", "", [row["ours"]["tasks"] for row in rows]),
        figure("tasks per host, bare", "", [row["bare"]["tasks"] for row in rows]),
    ]


def there_and_back(switch: Any, fleet: Lab) -> dict[str, float]:
    """Switch twice; return the means."""
    runs = []
    for release in ("v2", "v1"):
        output, in_waves_s = switch(release)
        seconds = begun(output, "TASKS RECAP")
        tasks = [int(re.search(rf"^{host}\s*: ok=(\d+)", output, re.MULTILINE)[1]) for host in fleet.hosts]
        runs.append({"wave_s": in_waves_s / WAVES, "once_s": seconds - in_waves_s, "seconds": seconds,
                     "tasks": sum(tasks) / len(tasks)})
    return {name: sum(run[name] for run in runs) / len(runs) for name in runs[0]}


def ours(fleet: Lab, release: str) -> tuple[str, float]:
    """Roll a release out; return what Ansible said and the seconds of its waves."""
    output = fleet.run("rollout", release_name=release, release_warmup={}, **BARE).output
    wave, settle, commit, finish = (begun(output, f"PLAY [{number}.") for number in (7, 8, 9, 10))
    return output, settle - wave + finish - commit


def bare(fleet: Lab) -> tuple[str, float]:
    """Switch every host to its other slot; the same."""
    done = subprocess.run(["ansible-playbook", str(Path(__file__).with_name("bare.yml"))], cwd=ROOT, env=ENVIRONMENT,
                          text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout, begun(done.stdout, "TASKS RECAP")


def begun(output: str, after: str) -> float:
    """Return the seconds from the first task to the one after a heading."""
    hours, minutes, seconds = _BEGUN.search(output.split(after, 1)[1]).groups()
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
