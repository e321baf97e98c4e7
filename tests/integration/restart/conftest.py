# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service bell on every app host and behind the load balancer, for the time of the tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
from integration.restart.shops import BELL, HOSTS, Shops

EDGE = str(Path(__file__).with_name("edge.yml"))


@pytest.fixture(scope="package")
def lab_with_bell(lab, tmp_path_factory):
    """The lab with bell at its load balancer; afterwards the lab as it declares itself."""
    shops = Shops(tmp_path_factory.mktemp("restart"))
    shops.declare(BELL)
    done = shops.play(EDGE)
    assert done.rc == 0, done.output
    yield shops
    for host in HOSTS:
        shops.remove(host)
    shops.inventory.write_text("{}")
    done = shops.play(EDGE)
    assert done.rc == 0, done.output


@pytest.fixture
def bells(lab_with_bell):
    """Bell on every host, healthy and in traffic, declared as it is."""
    lab_with_bell.declare(BELL)
    for host in HOSTS:
        lab_with_bell.install(host)
    lab_with_bell.serve()
    return lab_with_bell
