# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory to copy stays in step with the roles."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.plan.guard_ttl import check_ttl

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "inventories/example"
FILES = sorted(path for path in EXAMPLE.glob("group_vars/*/*.yml") if path.stem != "secrets")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(EXAMPLE)))
def test_every_variable_is_one_of_the_role_that_the_file_is_named_after(path: Path) -> None:
    specs = yaml.safe_load((ROOT / "roles" / path.stem / "meta/argument_specs.yml").read_text())["argument_specs"]
    known = {option for entry in specs.values() for option in entry.get("options", {})}
    assert set(yaml.safe_load(path.read_text())) <= known


def test_secrets_refer_to_the_vault_only() -> None:
    secrets = yaml.safe_load((EXAMPLE / "group_vars/all/secrets.yml").read_text())
    assert all(value == f"{{{{ vault_{name} }}}}" for name, value in secrets.items())


#: What the plan of a rollout takes of its variables, without a host that answers.
GUARDED = """
- hosts: app[0]
  gather_facts: false
  connection: local
  become: false
  tasks:
    - name: Have the defaults of the role
      ansible.builtin.import_role: {name: evenkeel.fleet.rollout, tasks_from: failed}
      when: false
    - name: Write down what the guard has to outlast
      ansible.builtin.copy:
        dest: "{{ written }}"
        content: >-
          {{ {'ttl_s': rollout_guard_ttl_s, 'steps_s': _rollout_steps_s, 'gates': _rollout_all_gates,
              'hooks': rollout_hooks} | to_json }}
"""


def test_its_guards_outlast_its_gates(tmp_path: Path) -> None:
    (tmp_path / "guarded.yml").write_text(GUARDED)
    path = tmp_path / "numbers.json"
    subprocess.run(["ansible-playbook", "-i", EXAMPLE, "-e", f"ansible_become=false written={path}", "guarded.yml"],
                   check=True, cwd=tmp_path, env={**os.environ, "ANSIBLE_CONFIG": f"{ROOT}/ansible.cfg"})
    numbers = json.loads(path.read_text())
    assert len(numbers["gates"]) == 2
    check_ttl(numbers["ttl_s"], {moment: float(value) for moment, value in numbers["steps_s"].items()},
              numbers["gates"], numbers["hooks"])
