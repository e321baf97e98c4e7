# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard's programs: each has all that it needs, and nothing of what sends a release out."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.program import archive
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.guard import balancer, runtime


@pytest.mark.parametrize("entry", [balancer, runtime])
def test_a_program_without_an_order_ends_at_once(entry, tmp_path):
    program = tmp_path / "guard.pyz"
    program.write_bytes(archive(entry.ROOMS, entry))
    done = subprocess.run([sys.executable, "-I", "-B", str(program), "shop", str(tmp_path)], capture_output=True,
                          text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("entry", [balancer, runtime])
def test_of_its_release_a_program_has_two_rooms(entry):
    names = zipfile.ZipFile(io.BytesIO(archive(entry.ROOMS, entry))).namelist()
    inside = {name.split("/")[2] for name in names if name.startswith("evenkeel_fleet/_release/")}
    assert inside == {"__init__.py", "guard", "ledger"}
