# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def read(path: str):
    return yaml.safe_load((ROOT / path).read_text())


def test_action_group_has_every_module():
    modules = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
    assert read("meta/runtime.yml")["action_groups"]["fleet"] == modules


def test_dependencies_and_requirements_name_the_same_collections():
    requirements = {entry["name"]: entry["version"] for entry in read("requirements.yml")["collections"]}
    assert read("galaxy.yml")["dependencies"] == requirements


def test_every_role_has_a_molecule_scenario():
    roles = {path.name for path in (ROOT / "roles").iterdir() if path.is_dir()}
    scenarios = {path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml")}
    assert roles - {"release"} <= scenarios  # converged in the scenarios of its runtimes
