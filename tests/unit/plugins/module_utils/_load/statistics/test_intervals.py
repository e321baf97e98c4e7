# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Intervals: published examples, and how often they hold the truth in simulations."""

from __future__ import annotations

import math
import random
from statistics import NormalDist

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.histogram import Histogram
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.intervals import (
    Interval,
    cliffs_delta,
    design_effect,
    difference,
    proportion,
    quantile,
    ratio,
    z_of,
)
from hypothesis import given
from hypothesis import strategies as st

Z = z_of(0.95)
VALUES = st.lists(st.integers(0, 255), min_size=1, max_size=40)  # exact buckets


def histogram_of(values):
    histogram = Histogram()
    histogram.record(values)
    return histogram


def test_newcombes_own_example():
    """Newcombe 1998, table II (a): 56/70 against 48/80, method 10: 0.0524 to 0.3339."""
    change = difference(proportion(48, 80, Z), proportion(56, 70, Z))
    assert [round(value, 4) for value in change] == [0.2, 0.0524, 0.3339]


@pytest.mark.parametrize(("hits", "number", "low", "high"), [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)])
def test_wilsons_interval_as_newcombe_tabulates_it(hits, number, low, high):
    """Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3."""
    found = proportion(hits, number, Z)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(VALUES, VALUES)
def test_cliffs_delta_is_what_counting_all_pairs_gives(before, after):
    pairs = [(one > other) - (one < other) for one in after for other in before]
    assert cliffs_delta(histogram_of(before), histogram_of(after)) == pytest.approx(sum(pairs) / len(pairs), abs=6e-5)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=30))
def test_the_design_effect_never_makes_surer(seconds):
    assert design_effect([(min(pair), max(pair)) for pair in seconds]) >= 1.0


def test_the_design_effect_of_independent_and_of_identical_values():
    rng = random.Random(4)
    independent = [(sum(rng.random() < 0.1 for dummy in range(100)), 100) for dummy in range(200)]
    assert design_effect(independent) == pytest.approx(1.0, abs=0.3)
    assert design_effect([(100, 100), (0, 100)] * 10) == pytest.approx(100, rel=0.1)


def latencies(rng, number, factor=1.0):
    """Lognormal latencies around 20 ms, in µs."""
    return histogram_of([round(20_000 * factor * math.exp(rng.gauss(0, 0.8))) for dummy in range(number)])


@pytest.mark.parametrize(("share", "number"), [(0.5, 300), (0.95, 300), (0.95, 3000), (0.99, 3000)])
def test_the_true_ratio_of_a_quantile_is_in_19_of_20_intervals(share, number):
    rng = random.Random(11)
    rounds = 400
    held = 0
    for dummy in range(rounds):
        change = ratio(quantile(latencies(rng, number), share, Z), quantile(latencies(rng, number, 1.3), share, Z))
        held += (change.low or 0) <= 1.3 <= (change.high or math.inf)
    assert held / rounds >= 0.92


def test_the_quantile_itself_is_in_19_of_20_intervals():
    rng = random.Random(12)
    truth = 20_000 * math.exp(0.8 * NormalDist().inv_cdf(0.95))
    held = 0
    for dummy in range(400):
        found = quantile(latencies(rng, 1000), 0.95, Z)
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 400 <= 0.99


def test_alike_seconds_are_allowed_for():
    """Each second has its own share of errors: without the design effect far too few intervals hold the truth."""
    rng = random.Random(13)
    held = {True: 0, False: 0}
    for dummy in range(400):
        seconds = []
        for dummy in range(30):
            share = 0.2 if rng.random() < 0.1 else 0.01
            seconds.append((sum(rng.random() < share for one in range(50)), 50))
        hits, number = (sum(column) for column in zip(*seconds))
        for corrected in held:
            found = proportion(hits, number, Z, design_effect(seconds) if corrected else 1.0)
            held[corrected] += found.low <= 0.029 <= found.high
    assert held[True] / 400 > 0.88
    assert held[False] / 400 < 0.7


def test_too_few_values_have_no_upper_limit():
    found = quantile(histogram_of(range(100, 120)), 0.99, Z)
    assert found.high is None
    assert ratio(found, found).low is None
    assert quantile(Histogram(), 0.5, Z) is None
    assert proportion(0, 0, Z) is None
    assert ratio(Interval(0.0, 0.0, 1.0), found) is None
    assert cliffs_delta(Histogram(), histogram_of([1])) is None
