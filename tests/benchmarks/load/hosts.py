# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each further load host costs: the playbook with one and with four hosts of the lab. Not part of ``load``."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT, figure, interleaved

HOSTS = 4
DURATION_S = 3
#: The lab's registry answers everybody, whatever is deployed.
TARGET = "http://172.30.77.40:5000"


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return the costs of a playbook run, and of each host beyond the first."""
    subprocess.run(["bash", "tests/lab/up"], check=True, cwd=ROOT, capture_output=True,
                   env={**os.environ, "LAB_LOAD_HOSTS": str(HOSTS)})
    rows = interleaved(rounds, one=lambda: play(1), four=lambda: play(HOSTS))
    subprocess.run(["bash", "tests/lab/up"], check=True, cwd=ROOT, capture_output=True)

    def further(key: str) -> list[float]:
        return [(row["four"][key] - row["one"][key]) / (HOSTS - 1) for row in rows]

    return [
        figure("playbook with one load host, beyond the load itself", "", [row["one"]["wall_s"] for row in rows], "s"),
        figure("each further host: duration", "", further("wall_s"), "s"),
        figure("each further host: CPU time of the controller", "", further("cpu_s"), "s"),
        figure("each further host: its part of the record", "", further("kib"), "KiB"),
    ]


def play(hosts: int) -> dict[str, float]:
    """Probe from so many hosts; return what it cost."""
    names = [f"load{number}" for number in range(1, hosts + 1)]
    with tempfile.TemporaryDirectory() as directory:
        variables = {
            "load_test_target": TARGET, "load_test_scenarios": ["idle"], "load_test_hosts": names,
            "load_test_extra_scenarios": {"idle": [{"path": "/v2/"}]},
            "load_test_executor": "constant_arrival_rate", "load_test_rate_rps": 50 * hosts, "load_test_vus": 40,
            "load_test_warmup_s": 0, "load_test_duration_s": DURATION_S, "load_test_gate": True,
            "report_directory": directory}
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(
            ["ansible-playbook", "-i", "inventories/lab", "-i", "tests/lab/load-hosts.yml", "evenkeel.fleet.probe",
             "--limit", ",".join(names), "--extra-vars", json.dumps(variables)],
            cwd=ROOT, text=True, check=False, capture_output=True)
        wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        record = json.loads(next(Path(directory).glob("*/parts/*-probe-*.json")).read_text(encoding="utf-8"))
    parts = record["data"]["scenarios"]["idle"]["samples"].get("hosts", {})
    return {
        "wall_s": wall - DURATION_S,
        "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "kib": len(json.dumps(parts)) / 1024,
    }
