# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes of the role load_test: the probe takes each as it ships, and what k6 scripts become."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.k6.options import translate

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests/unit/plugins/module_utils/_load/k6"
SHIPPED = ["constant", "load", "stress", "spike", "soak", "step", "capacity", "iterations"]
OPEN = {"load_test_executor": "constant_arrival_rate", "load_test_rate_rps": 50}
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: As the probe sees it, without any traffic
      ansible.builtin.include_role:
        name: evenkeel.fleet.load_test
        tasks_from: probe
      vars:
        load_test_shape: "{{ shape }}"
        load_test_scenarios: [health]
      loop: "{{ shapes }}"
      loop_control: {loop_var: shape}
"""


def taken(directory, shapes, **variables):
    """Return what Ansible says about these shapes with the role's defaults and these variables."""
    (directory / "play.yml").write_text(PLAY)
    command = ["ansible-playbook", "--check", str(directory / "play.yml"), "-i", "localhost,", "-c", "local"]
    done = subprocess.run([*command, "-e", json.dumps({"shapes": shapes, **variables})],
                          cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("base", [{}, OPEN, {"load_test_duration_s": 3}], ids=["closed", "open", "short"])
def test_every_shipped_shape_is_taken_with_the_role_s_defaults(tmp_path, base):
    rc, output = taken(tmp_path, SHIPPED, **base)
    assert rc == 0, output


@pytest.mark.parametrize("script", ["stages", "scenarios"])
def test_what_a_k6_script_becomes_is_taken(tmp_path, script):
    variables = translate(json.loads((RECORDED / f"{script}.json").read_text()))["variables"]
    variables.pop("load_test_shape", None)
    rc, output = taken(tmp_path, list(variables["load_test_extra_shapes"]), **variables)
    assert rc == 0, output


def test_a_warm_up_that_a_ramp_cannot_have_is_refused_when_it_is_asked_for(tmp_path):
    ramp = {"executor": "ramping_vus", "warmup_s": 1, "stages": [{"duration_s": 1, "vus": 2}]}
    rc, output = taken(tmp_path, ["mine"], load_test_extra_shapes={"mine": ramp})
    assert rc != 0
    assert "warmup_s: expected nothing with the executor ramping_vus" in " ".join(output.split())
