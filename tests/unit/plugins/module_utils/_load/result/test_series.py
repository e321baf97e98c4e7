# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The series: rows that stay few, and add up."""

from __future__ import annotations

import json
import sys

from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result import series as module
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.series import MOST_ROWS, Row, Series
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.histogram import Histogram
from hypothesis import given
from hypothesis import strategies as st

latencies = st.lists(st.integers(0, 20_000_000), max_size=30)
seconds = st.dictionaries(st.integers(0, 50), latencies, max_size=20)


def recorded(values):
    latency = Histogram()
    latency.record(values)
    return latency


def made(rows):
    series = Series()
    for second, values in rows.items():
        series.at(second).add(len(values), len(values) // 2, recorded(values))
    return series


def seen(series):
    return [(second, row.requests, row.errors, row.latency.to_dict()) for second, row in series]


@given(latencies)
def test_a_packed_row_is_the_same_as_before(values):
    row = Row()
    row.add(len(values), 0, recorded(values))
    row.pack()
    assert row.latency.to_dict() == recorded(values).to_dict()
    assert row.latency.count == len(values)


@given(seconds)
def test_it_survives_the_way_to_another_process(rows):
    assert seen(Series.from_list(json.loads(json.dumps(made(rows).to_list())))) == seen(made(rows))


@given(seconds, seconds, st.integers(0, 5))
def test_what_is_added_is_as_if_recorded_here(mine, theirs, shift):
    both = dict(mine)
    for second, values in theirs.items():
        both[second + shift] = both.get(second + shift, []) + values
    whole = made(mine)
    whole.add(made(theirs), shift)
    assert [(second, requests, latency) for second, requests, _errors, latency in seen(whole)] == [
        (second, requests, latency) for second, requests, _errors, latency in seen(made(both))]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=200, unique=True))
def test_rows_get_wider_before_they_get_too_many(numbers):
    most, module.MOST_ROWS = module.MOST_ROWS, 8
    try:
        series = made({number: [number] for number in numbers})
    finally:
        module.MOST_ROWS = most
    assert len(series) <= 8
    assert all(second % series.width_s == 0 for second, _row in series)
    assert sum(row.requests for _second, row in series) == len(numbers)
    assert sum(row.latency.sum_us for _second, row in series) == sum(numbers)


def test_days_take_little_room():
    series, day = Series(), 86400
    for second in range(0, day, 8):
        series.at(second).add(300, 0, recorded(range(10_000, 40_000, 100)))
    assert (len(series), series.width_s) == (day // 32, 32)
    assert MOST_ROWS / 2 <= len(series) <= MOST_ROWS
    packed = [row._packed for _second, row in series if row._packed]
    assert len(packed) >= len(series) - 1
    assert sum(sys.getsizeof(one) for one in packed) < 2_000_000
