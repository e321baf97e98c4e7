# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rollout costs its users: failed requests of v1 → v2 → v1 cycles under constant load, and its seconds.

The peer is what many do: change the image of the one container and run `docker compose up -d`.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from integration.rollout.fleet import ENVIRONMENT, ROOT, Fleet

from benchmarks.common import figure, interleaved

RATE_RPS = 50
SETTLE_S = 3
STOP_PATH = "/tmp/evenkeel-bench-stop"


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return failed requests per cycle, ours (the goal: none) and the peer's, and a rollout's seconds."""
    fleet = Fleet()
    images = {}
    for release in ("v2", "v1"):  # ends on v1, and both images are on every host
        done = fleet.play("deploy", deploy_compose_release=release)
        if done.rc:
            raise RuntimeError(done.output)
        images[release] = next(iter(fleet.ledgers().values()))["status"]["current"]["image"]
    rows = interleaved(rounds, ours=lambda: ours(fleet), compose=lambda: compose(fleet, images))
    return [
        figure("failed requests per cycle", "== 0", [row["ours"]["failed"] for row in rows]),
        figure("failed requests per cycle, docker compose up -d on one host", "",
               [row["compose"]["failed"] for row in rows]),
        figure("duration of a rollout over 3 hosts, gates and watch included", "",
               [row["ours"]["seconds"] for row in rows], "s"),
    ]


def ours(fleet: Fleet) -> dict[str, float]:
    """Roll v2 out and v1 back, with our gates and our watch."""
    failed, started = 0, time.monotonic()
    for release in ("v2", "v1"):
        done = fleet.play("rollout", deploy_compose_release=release, rollout_watch_rate_rps=RATE_RPS)
        if done.rc:
            raise RuntimeError(done.output)
        failed += done.failed_requests
    return {"failed": failed, "seconds": (time.monotonic() - started) / 2}


def compose(fleet: Fleet, images: dict[str, str]) -> dict[str, float]:
    """Replace the container of one host, and the same back, under the same load on that host."""
    host = fleet.hosts[0]
    slot = fleet.ledgers()[host]["status"]["current"]["slot"]
    port, home = {"blue": 8001, "green": 8002}[slot], f"/opt/evenkeel/pitch/{slot}"
    with tempfile.TemporaryDirectory() as directory:
        probe = subprocess.Popen(
            ["ansible", "load[0]", "-m", "evenkeel.fleet.load_probe", "--tree", directory, "-a", json.dumps({
                "target": f"http://{host}:{port}", "executor": "constant_arrival_rate", "rate_rps": RATE_RPS,
                "duration_s": 600, "stop_path": STOP_PATH,
                "scenarios": [{"name": "browse", "requests": [{"path": "/api/browse?genre=drama"}]}]})],
            cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(SETTLE_S)
        for release, before in (("v2", "v1"), ("v1", "v2")):
            change = f"sed -i 's|{images[before]}|{images[release]}|' {home}/compose.yaml"
            fleet.ask(host, "ansible.builtin.shell", f"{change} && docker compose --project-directory {home} up -d")
            time.sleep(SETTLE_S)
        fleet.ask("load[0]", "ansible.builtin.file", f"path={STOP_PATH}", "state=touch")
        probe.wait()
        fleet.ask("load[0]", "ansible.builtin.file", f"path={STOP_PATH}", "state=absent")
        (result,) = [json.loads(path.read_text()) for path in Path(directory).iterdir()]
    return {"failed": result["metrics"]["errors"]}
