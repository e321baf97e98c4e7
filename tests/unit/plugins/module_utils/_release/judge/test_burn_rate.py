# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Error budget: the workbook's own numbers, two windows, and counters that begin anew."""

from __future__ import annotations

import math

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.budget_run import History, judge
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.burn_rate import (
    Budget,
    Reading,
    continuous,
    within,
)
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.canary import Counts
from hypothesis import given
from hypothesis import strategies as st


def history(*rows):
    return [Reading(float(time_s), Counts(requests, errors)) for time_s, requests, errors in rows]


@pytest.mark.parametrize(("window", "share", "limit"), [("1h", "2%", 14.4), ("6h", "5%", 6), ("3d", "10%", 1)])
def test_the_limits_are_those_of_the_workbook(window, share, limit):
    assert math.isclose(Budget.of({"window": window, "share": share}).limit, limit)


@pytest.mark.parametrize(("errors", "rate"), [(0, 0), (10, 10), (1, 1), (1000, 1000)])
def test_a_burn_rate_of_one_is_what_the_slo_allows(errors, rate):
    assert math.isclose(Budget(slo=0.999).burn_rate(Counts(1000, errors)), rate, abs_tol=1e-9)


def test_windows_begin_at_the_last_reading_that_is_old_enough():
    readings = history((0, 0, 0), (3000, 100, 50), (3500, 200, 50), (3600, 300, 50))
    assert within(readings, 3600) == Counts(300, 50)
    assert within(readings, 300) == Counts(200, 0)
    assert within(readings, 9999) == Counts(300, 50)
    assert within(readings[:1], 3600) == within([], 3600) == Counts()


@pytest.mark.parametrize(("rows", "verdict"), [
    ([(0, 0, 0), (60, 1000, 20)], "fail"),                                # 20 times as fast, in both
    ([(0, 0, 0), (60, 1000, 10)], "pass"),                                # 10 times
    ([(0, 0, 0), (60, 1000, 100), (400, 2000, 100)], "pass"),             # it is over
    ([(0, 0, 0), (3000, 100000, 0), (3600, 101000, 100)], "pass"),        # it has only begun, and is little
    ([(0, 0, 0), (60, 0, 0)], "inconclusive"),
    ([(0, 0, 0)], "inconclusive"),
    ([(0, 9000, 9000), (60, 100, 0), (120, 200, 0)], "pass"),             # HAProxy was restarted in between
])
def test_both_windows_have_to_burn(rows, verdict):
    found = judge(history(*rows), Budget())
    assert found.verdict == verdict
    assert bool(found.reasons) == (verdict != "pass")
    assert found.thresholds[0]["ok"] == {"pass": True, "fail": False, "inconclusive": None}[verdict]


steps = st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=20)


@given(steps)
def test_the_counts_of_a_window_are_never_more_than_there_was(increments):
    readings, at = [Reading(0, Counts())], Reading(0, Counts())
    for time_s, good, errors in increments:
        at = Reading(at.time_s + time_s, at.counts + Counts(good + errors, errors))
        readings.append(at)
    for window_s in (300, 3600):
        found = within(readings, window_s)
        assert 0 <= found.errors <= found.requests <= at.counts.requests
    assert continuous(readings) == readings


def test_readings_are_kept_as_long_as_the_window(tmp_path):
    kept = History("shop", str(tmp_path))
    for time_s in (0, 100, 3600, 3700):
        readings = kept.add(Reading(time_s, Counts(time_s, 0)), 3600)
    assert [one.time_s for one in readings] == [100, 3600, 3700]
    assert History("shop", str(tmp_path)).read(3600) == readings[1:]


@pytest.mark.parametrize("wrong", [
    {"slo": "100%"}, {"slo": "much"}, {"share": "0"}, {"window": "0s"}, {"window": "60d"},
])
@pytest.mark.parametrize("name", ["budget", "rollout_budget"])
def test_a_budget_that_means_nothing_is_refused_as_it_was_written(wrong, name):
    ((field, value),) = wrong.items()
    with pytest.raises(InputError, match=f"^{name}.{field}: expected .*, found '{value}'") as caught:
        Budget.of(wrong, name)
    assert caught.value.field == f"{name}.{field}"
