# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The search for the highest rate that is borne."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.capacity import Search, most_trials
from hypothesis import given
from hypothesis import strategies as st

rates = st.floats(1, 10_000)


def searched(search, borne):
    """Search; return the rates that were tried."""
    tried = []
    while search.rate is not None:
        tried.append(search.rate)
        search.tell(borne(search.rate))
    return tried


@given(limit=st.floats(0.5, 20_000), bounds=st.tuples(rates, rates, rates).map(sorted),
       precision=st.floats(0.01, 0.5))
def test_it_encloses_the_limit_within_the_precision(limit, bounds, precision):
    least, first, most = bounds
    search = Search(first, least, most, precision)
    tried = searched(search, lambda rate: rate <= limit)
    assert all(least <= rate <= most for rate in tried)
    assert len(tried) <= most_trials(first, least, most, precision)
    if limit < least:
        assert (search.low, search.high) == (None, least)
    elif limit >= most:
        assert (search.low, search.high) == (most, None)
    else:
        assert search.low <= limit < search.high <= search.low * (1 + precision)


def test_it_doubles_then_halves_the_distance():
    assert searched(Search(100, 10, 5000, 0.1), lambda rate: rate <= 500) == pytest.approx(
        [100, 200, 400, 800, 800, 565.7, 565.7, 475.7, 518.7, 518.7], rel=1e-3)


def test_one_hiccup_decides_nothing():
    hiccups = iter([False, True])
    search = Search(100, 10, 400, 0.1)
    searched(search, lambda rate: next(hiccups, True))
    assert (search.low, search.high) == (400, None)
