# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trends in a series: the tests' own examples and invariants."""

from __future__ import annotations

import random

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.drift import (
    mann_kendall,
    theil_sen,
    trend,
)
from hypothesis import given
from hypothesis import strategies as st

series = st.lists(st.integers(-1000, 1000), min_size=2, max_size=40)


def test_mann_kendall_with_ties():
    """By hand: 5 values, one tie, S = 7; variance (5·4·15 - 2·1·9) / 18 = 15.67, z = 6 / 3.958 = 1.516."""
    score, p_value = mann_kendall([1, 2, 2, 3, 2.5])
    assert score == 7
    assert p_value == pytest.approx(0.1296, abs=2e-4)


def test_theil_sen_does_not_mind_outliers():
    values = [3.0 + 0.5 * place for place in range(20)]
    values[4] = values[11] = 1000.0
    assert theil_sen(values) == pytest.approx(0.5, abs=0.02)
    assert theil_sen([7.0]) == 0.0


@given(series)
def test_backwards_is_the_opposite(values):
    forth, back = mann_kendall(values), mann_kendall(values[::-1])
    assert (back[0], back[1]) == (-forth[0], pytest.approx(forth[1]))
    assert 0 <= forth[1] <= 1
    assert theil_sen(values[::-1]) == pytest.approx(-theil_sen(values))


@given(series, st.integers(1, 50), st.integers(-100, 100))
def test_the_unit_does_not_matter(values, factor, offset):
    scaled = [factor * value + offset for value in values]
    assert mann_kendall(scaled) == mann_kendall(values)
    assert theil_sen(scaled) == pytest.approx(factor * theil_sen(values))


def test_directions():
    noise = random.Random(4)
    steady = [50 + noise.gauss(0, 5) for dummy in range(60)]
    assert trend(steady).direction == "none"
    assert trend([value + 0.5 * place for place, value in enumerate(steady)]).direction == "rising"
    assert trend([value - 0.5 * place for place, value in enumerate(steady)]).direction == "falling"
    assert trend([0.0] * 60).direction == "none"
    assert trend(steady[:9]) is None


def test_chance_alone_seldom_looks_like_a_trend():
    noise = random.Random(5)
    found = [trend([noise.random() for dummy in range(20)]).direction != "none" for dummy in range(1000)]
    assert sum(found) < 25


def test_before_and_after_are_the_outer_quarters():
    found = trend([1.0] * 5 + [9.0] * 10 + [3.0] * 5)
    assert (found.before, found.after) == (1.0, 3.0)
