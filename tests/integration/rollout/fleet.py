# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet under test, through the commands that people use: any inventory will do that has app, edge and load."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Mapping

from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.replicas import server_names

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"}

#: Gates for a machine that other tests may keep busy: they judge errors, not latency.
GATES = {
    "rollout_gate_alone": {"rate_rps": 30, "warmup_s": 0.5, "duration_s": 1.5, "thresholds": ["error_rate < 1%"]},
    "rollout_gate_wave": {"rate_rps": 150, "duration_s": 4, "thresholds": ["error_rate < 1%"]},
}
#: For tests about something else than gates and the watch.
QUICK = {
    "rollout_watch": False, "rollout_soak_s": 0,
    "rollout_gate_alone": {"rate_rps": 20, "duration_s": 0.5, "thresholds": ["error_rate < 1%"]},
    "rollout_gate_wave": {"rate_rps": 20, "duration_s": 0.5, "thresholds": ["error_rate < 1%"]},
}


@dataclass(frozen=True)
class Run:
    """One run of a playbook."""

    rc: int
    output: str

    @property
    def changed(self) -> int:
        return sum(map(int, re.findall(r"changed=(\d+)", self.output)))

    @property
    def text(self) -> str:
        """The output on one line, without what YAML does to a quote in quotes."""
        return " ".join(self.output.split()).replace("''", "'")

    @property
    def failed_requests(self) -> int:
        """How many requests of the watch failed, as the summary says."""
        return self._counted[0]

    @property
    def requests(self) -> int:
        """How many requests the watch had."""
        return self._counted[1]

    @property
    def _counted(self) -> tuple[int, int]:
        failed, requests = re.search(r"(\d+)\s+of\s+(\d+)\s+requests\s+failed", self.output).groups()
        return int(failed), int(requests)


class Fleet:
    """Ask and change the fleet with the commands that people use.

    :arg service: the one under test, and its :arg runtime: of the inventory.
    """

    def __init__(self, service: str = "pitch", runtime: str = "compose") -> None:
        self.service, self._runtime = service, runtime
        inventory = json.loads(subprocess.check_output(["ansible-inventory", "--list"], cwd=ROOT, env=ENVIRONMENT))
        self.hosts: list[str] = inventory["app"]["hosts"]
        self.edges: list[str] = inventory["edge"]["hosts"]
        self.edge = self.edges[0]

    def ask(self, pattern: str, module: str, *arguments: str) -> dict[str, Any]:
        """Run one module; return its result by host."""
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(["ansible", pattern, "-b", "-m", module, "--tree", directory, "-a", " ".join(arguments)],
                           cwd=ROOT, env=ENVIRONMENT, capture_output=True, check=False)
            return {path.name: json.loads(path.read_text()) for path in Path(directory).iterdir()}

    def play(self, playbook: str, *arguments: str, **variables: Any) -> Run:
        """Run a playbook of the collection."""
        done = subprocess.run(
            ["ansible-playbook", f"evenkeel.fleet.{playbook}", "-e", json.dumps({**GATES, **variables}), *arguments],
            cwd=ROOT, env=ENVIRONMENT, text=True, capture_output=True, check=False)
        return Run(done.returncode, done.stdout + done.stderr)

    def play_until(self, text: str, then: Callable[[], Any], playbook: str, **variables: Any) -> Run:
        """Run a playbook and do something as soon as a line of its output has this text."""
        return self.play_at({text: then}, playbook, **variables)

    def play_at(self, moments: Mapping[str, Callable[[], Any]], playbook: str, **variables: Any) -> Run:
        """Run a playbook and do each of these once, as soon as a line of its output has their text."""
        command = ["ansible-playbook", f"evenkeel.fleet.{playbook}", "-e", json.dumps({**GATES, **variables})]
        output, left = "", dict(moments)
        with subprocess.Popen(command, cwd=ROOT, env={**ENVIRONMENT, "PYTHONUNBUFFERED": "1"}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            for line in process.stdout:
                output += line
                for text in [one for one in left if one in line]:
                    left.pop(text)()
        return Run(process.returncode, output)

    def ledgers(self) -> dict[str, dict[str, Any]]:
        """Return what release_info says on every app host."""
        return self.ask("app", "evenkeel.fleet.release_info", f"service={self.service}", f"runtime={self._runtime}",
                        f"home=/opt/evenkeel/{self.service}")

    def serving(self) -> dict[str, set[str]]:
        """Return the servers with traffic by load balancer."""
        backend = f"be_{self.service}"
        return {edge: {server["name"] for server in found["backends"][backend]["servers"]
                       if server["state"] == "ready" and server["healthy"]}
                for edge, found in self.ask("edge", "evenkeel.fleet.balancer_info", f"backend={backend}").items()}

    def is_on(self, release: str, replicas: int = 1) -> bool:
        """Whether every witness says that all hosts serve this release and no other, and nothing is left open.

        :arg replicas: how many of them each host has.
        """
        ledgers, serving = self.ledgers(), set()
        for host, found in ledgers.items():
            status = found["status"]
            current = status["current"]
            assert not found["problems"]
            assert current["release"] == release, (host, current)
            assert (status["interrupted"], status["frozen"]) == (False, False), (host, status)
            running = [(one["slot"], one["release"]) for slot in found["instances"].values()
                       for one in slot["replicas"] if one["running"]]
            assert running == [(current["slot"], release)] * replicas, (host, running)
            serving.update(server_names(host, current["slot"], replicas))
        balancers = self.serving()
        assert all(servers == serving for servers in balancers.values()), (balancers, serving)
        return set(ledgers) == set(self.hosts) and bool(balancers)
