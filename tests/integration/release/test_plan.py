# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real plan, of a service that this machine does not have: what gates may and may not say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
LOAD = {"type": "load", "rate_rps": 20, "duration_s": 3, "thresholds": ["error_rate < 1%"]}
OBSERVED = "http://127.0.0.1:{{ _release_observed.target_ports[0] }}"


@pytest.fixture(params=["rollout", "deploy"])
def plan(request, tmp_path):
    """Return what prints the plan, as one text."""
    here = {"hosts": {"here": {}}}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump({"all": {
        "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "rollout_watch": False,
                 "release_service": "nobody-has-this", "release_name": "v2",
                 "release_image": "registry.invalid/nobody-has-this:v2", "deploy_compose_container_port": 8000,
                 "rollout_balancers_required": False},
        "children": {"app": here, "edge": here}}}))

    def planned(**variables):
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(tmp_path / "inventory.yml"),
                   f"evenkeel.fleet.{request.param}", "--check", "-e", json.dumps(variables)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 2
        return " ".join((done.stdout + done.stderr).split())

    return planned


def test_options_of_load_gates_are_refused_by_the_rules_of_the_probe(plan):
    text = plan(rollout_gate_alone={**{key: LOAD[key] for key in ("rate_rps", "duration_s")}, "thresholds": ["p95"]},
                rollout_scenarios=[{"name": "browse", "requests": [{"path": "/a"}, {"path": "b"}]}],
                rollout_gates=[{**LOAD, "name": "users", "scenarios": [{"name": "a", "requests": [{"pth": "/"}]}]},
                               {**LOAD, "name": "port", "target": OBSERVED, "scenarios": [], "warmup_s": -1}])
    assert "The rollout has 5 problem(s)" in text  # the image is one
    assert "rollout_scenarios[0].requests[1].path: expected a path that begins with a slash, found 'b'" in text
    assert "rollout_gates: users: unknown option scenarios.requests.pth" in text
    assert "rollout_gates: port.warmup_s: expected 0 or more, found -1.0. Example: 2" in text


def test_what_only_comes_later_is_no_problem(plan):
    later = "http://{{ only_later }}"
    check = {"name": "app", "type": "http", "url": later}
    text = plan(rollout_gate_wave={**{key: LOAD[key] for key in LOAD if key != "type"}, "target": later},
                rollout_gates=[{**LOAD, "name": "users", "target": later},
                               {**LOAD, "name": "port", "target": OBSERVED, "when": "alone", "baseline": {}},
                               {"name": "app", "type": "health", "checks": [check]}])
    assert "The rollout has 1 problem(s): - Image registry.invalid/nobody-has-this:v2: expected it on this host" in text
