# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run what a user runs, and read the result as data."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass
class Run:
    """What one ansible-playbook run did: exit code, names of the plays, failures by host, changes by host."""

    rc: int
    plays: list[str]
    failures: list[str]
    changed: dict[str, int]
    text: str


def playbook(path, *arguments, **environment):
    """Run a playbook with the JSON callback."""
    done = subprocess.run(
        ["ansible-playbook", str(path), *arguments],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    report = json.loads(done.stdout[done.stdout.index("{") :])
    results = [
        result
        for play in report["plays"]
        for task in play["tasks"]
        for result in task["hosts"].values()
        if (result.get("failed") or result.get("unreachable")) and "ping" not in result.get("action", "")
    ]
    return Run(
        done.returncode,
        [play["play"]["name"] for play in report["plays"]],
        [result["msg"] for result in results],
        {host: stats["changed"] for host, stats in report["stats"].items()},
        done.stdout,
    )


def adhoc(host, module, **arguments):
    """Run one module on a lab host and return its result."""
    text = subprocess.check_output(
        ["ansible", host, "-m", module, "-a", json.dumps(arguments)],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1", "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
        text=True,
    )
    report = json.loads(text[text.index("{") :])
    return report["plays"][0]["tasks"][0]["hosts"][host]
