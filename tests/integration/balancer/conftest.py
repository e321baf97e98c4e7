# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fixtures of the load balancer's tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.evenkeel.fleet.tests.integration.balancer.harness import Balancer, Shop


@pytest.fixture
def balancer(tmp_path: Path) -> Iterator[Balancer]:
    """HAProxy with the servers blue and green, both in maint."""
    yield from _serve(tmp_path, "blue", "green")


@pytest.fixture
def replicated(tmp_path: Path) -> Iterator[Balancer]:
    """The same with three replicas of blue and two of green."""
    yield from _serve(tmp_path, "blue", "blue-2", "blue-3", "green", "green-2")


def _serve(tmp_path: Path, *names: str) -> Iterator[Balancer]:
    assert shutil.which("haproxy"), "haproxy is missing: run scripts/setup/system, which installs it"
    shops = {name: Shop() for name in names}
    balancer = Balancer(tmp_path, shops)
    balancer.start()
    yield balancer
    balancer.stop()
    for shop in shops.values():
        shop.stop()
