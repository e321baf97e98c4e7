# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The histogram: every value in its bucket, percentiles at most 1 % off, merging is adding."""

from __future__ import annotations

import json
import math

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.histogram import (
    Histogram,
    bounds_of,
    bucket_of,
)
from hypothesis import given
from hypothesis import strategies as st

MICROSECONDS = st.one_of(st.integers(0, 2000), st.integers(0, 3_600_000_000))
VALUES = st.lists(MICROSECONDS, min_size=1, max_size=60)


def histogram_of(values):
    histogram = Histogram()
    histogram.record(values)
    return histogram


@given(MICROSECONDS)
def test_a_bucket_holds_its_values_and_is_narrow(value):
    low, high = bounds_of(bucket_of(value))
    assert low <= value <= high
    assert high - low <= max(0, low / 100)


@given(MICROSECONDS)
def test_buckets_have_no_gaps(value):
    dummy, high = bounds_of(bucket_of(value))
    assert bucket_of(high + 1) == bucket_of(value) + 1


@given(VALUES, st.floats(0, 100))
def test_percentiles_are_at_most_one_percent_off(values, percent):
    exact = sorted(values)[max(1, math.ceil(round(len(values) * percent / 100, 9))) - 1]
    measured = histogram_of(values).percentile_us(percent)
    assert abs(measured - exact) <= exact / 100


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_merging_is_the_same_as_recording_everything(parts):
    merged = Histogram()
    for part in parts:
        merged.merge(histogram_of(part))
    assert merged.to_dict() == histogram_of([value for part in parts for value in part]).to_dict()


@given(st.lists(MICROSECONDS))
def test_json_and_back(values):
    histogram = histogram_of(values)
    back = Histogram.from_dict(json.loads(json.dumps(histogram.to_dict())))
    assert back.to_dict() == histogram.to_dict()
    assert (back.count, back.mean_ms, back.percentile_ms(95)) == (
        histogram.count, histogram.mean_ms, histogram.percentile_ms(95))


def test_without_values_there_are_no_numbers():
    empty = Histogram()
    empty.merge(Histogram())
    assert (empty.percentile_ms(50), empty.mean_ms, empty.min_us) == (None, None, None)


def test_mean_and_bounds_are_exact():
    histogram = histogram_of([1001, 2003, 3_000_005])
    assert histogram.mean_ms == pytest.approx(3003009 / 3000, abs=1e-4)
    assert (histogram.min_us, histogram.max_us, histogram.percentile_us(100)) == (1001, 3_000_005, 3_000_005)
