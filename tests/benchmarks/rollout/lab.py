# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab as these benchmarks use it: which app hosts run, what the app does, how it is asked.

The app boots in 2 s; a request takes 20 ms, 5 % of them 1.5 s. An open loop of 200 requests per second comes from
load1.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
RATE_RPS = 200
SCENARIOS = [{"name": "work", "requests": [{"path": "/api/work"}]}]
SECRETS = {"DATABASE_URL": "{{ lab_database_url }}", "REDIS_URL": "{{ lab_redis_url }}"}
#: By what a release does on SIGTERM: it answers what it has begun, or exits at once.
ENVIRONMENTS = {"graceful": {**SECRETS, "BOOT_S": "2"}, "abrupt": {**SECRETS, "BOOT_S": "2", "FAULT": "abrupt"}}
STOP_PATH = "/tmp/evenkeel-bench-stop"

_RUNNING = subprocess.check_output(["docker", "ps", "--format", "{{.Names}}"], text=True).split()
if "evenkeel-app4" in _RUNNING:
    os.environ["ANSIBLE_INVENTORY"] = "inventories/lab,tests/lab/app-hosts.yml"

from integration.rollout.fleet import ENVIRONMENT, Fleet, Run  # noqa: E402  (reads the inventory)

#: Gates that cost little, and no soak: what is measured is the rollout.
COMMON = {
    "rollout_scenarios": SCENARIOS, "rollout_watch_rate_rps": RATE_RPS, "rollout_soak_s": 0,
    "rollout_gate_alone": {"rate_rps": 20, "duration_s": 1, "thresholds": ["error_rate < 1%"]},
    "rollout_gate_wave": {"rate_rps": 20, "duration_s": 1, "thresholds": ["error_rate < 1%"]},
}
#: Nothing but the switch.
BARE = {"rollout_gate_alone": {}, "rollout_gate_wave": {}, "rollout_watch": False}


class Lab(Fleet):
    """The fleet with this app."""

    def __init__(self, kind: str = "graceful") -> None:
        super().__init__()
        self.environment = ENVIRONMENTS[kind]

    def run(self, playbook: str, *arguments: str, rc: int = 0, **variables: Any) -> Run:
        """Run a playbook; what it ends with is part of the measurement."""
        more = {**COMMON, "release_environment": self.environment, **variables}
        done = self.play(playbook, *arguments, **more)
        if done.rc != rc:
            raise RuntimeError(done.output)
        return done

    def settle(self, *releases: str) -> None:
        """Bring the releases one after the other; both slots and the images are there then."""
        for release in releases:
            self.run("deploy", release_name=release, **BARE)

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Return the records of the last run in each ledger."""
        return {host: [one for one in found["records"] if one["run"] == found["status"]["run"]]
                for host, found in self.ledgers().items()}


@contextmanager
def load(fleet: Lab, target: str) -> Iterator[list[dict[str, Any]]]:
    """Send the load to a target for the time of the block; its result is in the list afterwards."""
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as directory:
        options = {"target": target, "executor": "constant_arrival_rate", "rate_rps": RATE_RPS, "duration_s": 600,
                   "stop_path": STOP_PATH, "scenarios": SCENARIOS}
        command = ["ansible", "load[0]", "-m", "evenkeel.fleet.load_probe", "--tree", directory, "-a",
                   json.dumps(options)]
        with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as probe:
            try:
                yield results
            finally:
                fleet.ask("load[0]", "ansible.builtin.file", f"path={STOP_PATH}", "state=touch")
                probe.wait()
                fleet.ask("load[0]", "ansible.builtin.file", f"path={STOP_PATH}", "state=absent")
        results += [json.loads(path.read_text(encoding="utf-8")) for path in Path(directory).iterdir()]
