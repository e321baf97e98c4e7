# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet with a second service, which runs under systemd."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
from integration.rollout.fleet import ENVIRONMENT, ROOT, Fleet


@pytest.fixture(scope="package")
def fleet() -> Iterator[Fleet]:
    """Every host serves v1 of it; afterwards the load balancers have the lab's own service alone."""
    subprocess.run([ROOT / "tests/lab/chime/build", ROOT / ".cache/lab/chime"], check=True)
    ENVIRONMENT["ANSIBLE_INVENTORY"] = f"{ROOT}/inventories/lab,{ROOT}/tests/lab/chime/inventory"
    one = Fleet("chime", "systemd")
    done = one.play("deploy", release_name="v1")
    assert done.rc == 0, done.output
    assert one.is_on("v1")
    yield one
    del ENVIRONMENT["ANSIBLE_INVENTORY"]
    one.ask("app", "ansible.builtin.shell",
            "systemctl disable --now chime-blue@1 chime-blue@2 chime-green@1 chime-green@2; "
            "rm -rf /etc/systemd/system/chime-* /opt/evenkeel/chime /var/lib/evenkeel/chime; systemctl daemon-reload")
    one.ask("edge", "ansible.builtin.file", "path=/var/lib/evenkeel/chime", "state=absent")
    done = one.play("deploy", release_name="v1")
    assert done.rc == 0, done.output
