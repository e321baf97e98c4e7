# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loads over time: where they are and when their requests are due."""

from __future__ import annotations

import math

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.profile import Profile
from hypothesis import given
from hypothesis import strategies as st

levels = st.floats(0, 1000).map(lambda level: round(level, 2))
durations = st.sampled_from([0.0, 0.5, 1.0, 7.3])
ramps = st.lists(st.tuples(durations, levels), min_size=1, max_size=6).map(Profile.ramp)


@given(rate=st.integers(1, 5000), duration=st.integers(1, 20))
def test_a_constant_rate_is_due_at_even_times(rate, duration):
    profile = Profile.constant(rate, duration)
    assert profile.due_before(duration) == rate * duration
    for number in (0, rate // 2, rate * duration - 1):
        assert profile.due_s(number) == pytest.approx(number / rate, abs=1e-9)
    assert profile.due_s(rate * duration) == math.inf


@given(ramps, st.data())
def test_the_area_up_to_when_a_request_is_due_is_its_number(profile, data):
    whole = profile.due_before(profile.duration_s)
    if whole:
        number = data.draw(st.integers(0, whole - 1))
        due = profile.due_s(number)
        assert 0 <= due <= profile.duration_s
        assert profile.area(due) == pytest.approx(number, abs=1e-4)
        assert due <= profile.due_s(number + 1)


@given(ramps, st.floats(0, 1))
def test_as_many_are_due_before_a_time_as_the_area_says(profile, share):
    time_s = share * profile.duration_s
    assert 0 <= profile.due_before(time_s) - profile.area(time_s) + 1e-6 < 1
    assert 0 <= profile.at(time_s) <= max(profile.highest, profile.at(math.inf))


@given(ramps)
def test_the_area_is_the_sum_of_many_small_steps(profile):
    steps = 2000
    width = profile.duration_s / steps
    summed = sum(profile.at((number + 0.5) * width) * width for number in range(steps))
    assert profile.area(profile.duration_s) == pytest.approx(summed, abs=1000 * width * len(profile.lines) + 1e-6)


def test_a_ramp_from_nothing_makes_requests_due_at_square_roots():
    profile = Profile.ramp([(10, 20)])
    assert [profile.due_s(number) for number in (0, 1, 4, 25, 99)] == pytest.approx([0, 1, 2, 5, math.sqrt(99)])
    assert profile.due_before(10) == 100


def test_a_stage_without_duration_is_a_jump():
    profile = Profile.ramp([(0, 10), (5, 10), (0, 100), (1, 100), (0, 10), (5, 10)])
    assert [profile.at(time_s) for time_s in (0, 4.99, 5, 5.5, 6, 11, 99)] == [10, 10, 100, 100, 10, 10, 10]
    assert (profile.due_before(11), profile.duration_s, profile.highest, profile.moves) == (200, 11, 100, True)
    assert not Profile.ramp([(0, 5), (2, 5), (1, 5)]).moves


def test_nothing_is_due_while_the_rate_is_zero():
    profile = Profile.ramp([(0, 10), (1, 10), (0, 0), (3, 0), (0, 10), (1, 10)])
    assert [profile.due_s(number) for number in (9, 10, 11)] == pytest.approx([0.9, 4.0, 4.1])
    assert profile.due_before(4) == 10


@given(ramps)
def test_split_profiles_make_the_same_requests_due(profile):
    whole, parts, started = [], [], 0.0
    for part in profile.split():
        parts += [started + part.due_s(number) for number in range(part.first, part.due_before(part.duration_s))]
        started += part.duration_s
    whole = [profile.due_s(number) for number in range(profile.due_before(profile.duration_s))]
    assert parts == pytest.approx(whole, abs=1e-5)
