# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet, with release v1 on every host."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
from integration.rollout.fleet import Fleet


@pytest.fixture(scope="session")
def fleet() -> Fleet:
    """Any fleet will do; what it runs now is replaced."""
    one = Fleet()
    done = one.play("deploy", deploy_compose_release="v1")
    assert done.rc == 0, done.output
    assert one.is_on("v1")
    return one
