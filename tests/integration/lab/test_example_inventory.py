# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory to copy stays in step with the roles."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

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
