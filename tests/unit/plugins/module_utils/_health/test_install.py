# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import getpass
import json
import subprocess
import sys

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.install import ensure, program
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECK

USER = getpass.getuser()


def check(**options):
    blank = {key: spec.get("default") for key, spec in CHECK.items()}
    return {**blank, "name": "ssh", "type": "tcp", "port": 22, "password": "correct horse", **options}


@pytest.fixture
def declared(tmp_path):
    return {
        "state": "present", "checks": [check()], "service": "shop", "cache_s": 10.0, "stale_s": 30.0, "retry_s": 2.0,
        "idle_s": 300.0, "breaker": {}, "owner": USER, "program_path": str(tmp_path / "lib/health.pyz"),
        "config_path": str(tmp_path / "etc/health.json"),
    }  # fmt: skip


def test_the_program_is_the_same_each_time_and_runs(tmp_path):
    path = tmp_path / "health.pyz"
    path.write_bytes(program())
    assert path.read_bytes() == program()
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"breaker": {}}))
    done = subprocess.run(
        [sys.executable, "-I", "-B", path, config],
        env={"STATE_DIRECTORY": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "systemctl start evenkeel-health.socket" in done.stderr


@pytest.mark.skipif(USER != "root", reason="the files belong to root")
def test_present_twice_and_absent_twice(declared, tmp_path):
    assert ensure(**declared, check_mode=True)["changed"]
    assert list(tmp_path.iterdir()) == []
    first = ensure(**declared)
    assert first["changed"]
    assert "correct horse" not in str(first)
    assert '"password": "********"' in first["diff"][1]["after"]
    assert (tmp_path / "etc/health.json").stat().st_mode & 0o777 == 0o600
    assert ensure(**declared) == {"changed": False, "diff": []}
    (tmp_path / "etc/health.json").chmod(0o644)
    assert ensure(**declared)["changed"]
    assert (tmp_path / "etc/health.json").stat().st_mode & 0o777 == 0o600
    absent = {**declared, "state": "absent"}
    assert ensure(**absent)["changed"]
    assert list(tmp_path.iterdir()) == []
    assert not ensure(**absent)["changed"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"checks": []}, "checks"),
        ({"checks": [check(port=0)]}, "checks: ssh: port"),
        ({"cache_s": 0.0}, "cache_s"),
        ({"stale_s": 6.0}, "stale_s"),
        ({"retry_s": -1.0}, "retry_s"),
        ({"idle_s": float("nan")}, "idle_s"),
        ({"breaker": {"share": 2.0}}, "breaker: share"),
        ({"owner": "nobody-of-this-name"}, "owner"),
    ],
)
def test_bad_input_names_the_field_and_changes_nothing(declared, tmp_path, wrong, field):
    with pytest.raises(InputError, match=field) as caught:
        ensure(**{**declared, **wrong})
    assert "Example:" in str(caught.value)
    assert not (tmp_path / "etc/health.json").exists()
