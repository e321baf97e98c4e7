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
    assert shutil.which("haproxy"), "haproxy is missing: run scripts/setup/system, which installs it"
    shops = {"blue": Shop(), "green": Shop()}
    balancer = Balancer(tmp_path, shops)
    balancer.start()
    yield balancer
    balancer.stop()
    for shop in shops.values():
        shop.stop()
