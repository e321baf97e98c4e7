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
    """Any fleet will do; what it runs now is replaced. Without indexes the app does not bear what the gates send."""
    one = Fleet()
    for playbook in ("index", "deploy"):
        done = one.play(playbook, release_name="v1")
        assert done.rc == 0, done.output
    assert one.is_on("v1")
    return one


@pytest.fixture(scope="session")
def _failures(request: pytest.FixtureRequest) -> dict[str, int]:
    """How many tests had failed when the fleet was last known to be as a test expects it."""
    return {"seen": request.session.testsfailed}


@pytest.fixture(autouse=True)
def _not_what_a_failed_test_left(request: pytest.FixtureRequest, fleet: Fleet, _failures: dict[str, int]) -> None:
    """A test that failed leaves anything: the next one finds v1 and no stop flag, and fails for itself alone."""
    if request.session.testsfailed > _failures["seen"]:
        _failures["seen"] = request.session.testsfailed
        fleet.play("stop", stop_state="absent")
        fleet.play("deploy", release_name="v1")
