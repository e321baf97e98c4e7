# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scaling: efficiency and knee."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.knee import Level, efficiencies, knee
from hypothesis import given
from hypothesis import strategies as st


def saturating(users, servers, service_s):
    """The asymptotic bounds of a closed system: linear up to the number of servers, level beyond it."""
    rps = min(users, servers) / service_s
    return Level(users, rps, users / rps * 1000)


@given(servers=st.integers(2, 500), service_ms=st.integers(1, 500))
def test_the_knee_of_an_ideal_service_is_where_all_its_servers_are_busy(servers, service_ms):
    levels = [saturating(users, servers, service_ms / 1000) for users in (1, servers, 2 * servers, 10 * servers)]
    assert knee(levels)["level"] == servers
    assert knee(levels)["reached"]
    assert efficiencies(levels) == pytest.approx([1.0, 1.0, 0.5, 0.1], abs=1e-4)


def test_a_knee_beyond_the_highest_level_is_not_reached():
    found = knee([saturating(users, 100, 0.01) for users in (1, 10, 50)])
    assert (found["level"], found["reached"], found["rps"]) == (50, False, pytest.approx(5000))


def test_levels_without_right_answers():
    silent = Level(1, 0.0, None)
    assert knee([silent, silent]) is None
    assert knee([]) is knee([Level(1, 100.0, 5.0)]) is None
    assert efficiencies([silent, Level(10, 100.0, 5.0), Level(20, 100.0, 9.0)]) == [0.0, 1.0, 0.5]
    assert efficiencies([silent]) == [None]
