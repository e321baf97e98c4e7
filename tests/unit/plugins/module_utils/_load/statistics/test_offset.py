# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.offset import Reading, clock_offset_s
from hypothesis import example, given
from hypothesis import strategies as st

DELAYS = st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)), min_size=1, max_size=5)


def readings(offset, delays):
    """What is read of a clock that is ahead, when asking and answering take these delays."""
    return [Reading(now, now + asking + offset, now + asking + answering)
            for now, (asking, answering) in enumerate(delays, 100)]


@given(st.floats(-3600, 3600), DELAYS)
@example(27.0, [(0.0, 0.0), (0.05070437710462851, 0.0)])  # the bounds meet, but for rounding
def test_the_true_offset_is_within_the_bounds(offset, delays):
    found, uncertainty = clock_offset_s(readings(offset, delays))
    assert abs(found - offset) <= uncertainty + 1e-9
    assert uncertainty <= min(map(sum, delays)) + 1e-9


@given(DELAYS)
def test_clocks_in_step_stay_in_step(delays):
    assert clock_offset_s(readings(0.0, delays))[0] == pytest.approx(0, abs=1e-9)


def test_a_clock_that_was_set_in_the_meantime_is_named():
    with pytest.raises(FleetError, match="runs evenly"):
        clock_offset_s([Reading(100, 100.1, 100.2), Reading(101, 106.1, 101.2)])
