# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab, for all integration tests."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]

#: Directories whose tests all need the lab; in the others those do that use the fixture.
ALL_ON_THE_LAB = {"lab", "restart", "rollout", "systemd"}


@dataclass(frozen=True)
class Lab:
    """Where the lab's hosts are and how to log in; read from its inventory and its generated secrets."""

    addresses: dict[str, str]
    postgres_password: str
    redis_password: str

    def container(self, host: str) -> str:
        """Return the name of the host's container."""
        return f"evenkeel-{host}"


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The running lab; fails when a host of it is down."""
    inventory = json.loads(subprocess.check_output(["ansible-inventory", "--list"], cwd=ROOT))
    addresses = {host: facts["lab_address"] for host, facts in inventory["_meta"]["hostvars"].items()}
    running = subprocess.check_output(["docker", "ps", "--format", "{{.Names}}"], text=True).split()
    down = sorted(host for host in addresses if f"evenkeel-{host}" not in running)
    if down:
        pytest.fail(f"the lab is not up, {', '.join(down)} is down: run make lab")
    secrets = yaml.safe_load((ROOT / ".cache/lab/secrets.yml").read_text())
    return Lab(addresses, secrets["lab_postgres_password"], secrets["lab_redis_password"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the lab, so that it can run apart from what brings its own servers."""
    for item in items:
        if item.path.parent.name in ALL_ON_THE_LAB or "lab" in getattr(item, "fixturenames", ()):
            item.add_marker("lab")
