# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import itertools

from ansible_collections.evenkeel.fleet.plugins.module_utils._core.clock import Deadline, full_jitter, utc_now
from hypothesis import given
from hypothesis import strategies as st


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_utc_now_is_iso_8601_with_milliseconds_in_utc():
    before = datetime.datetime.now(datetime.timezone.utc)
    text = utc_now()
    parsed = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    after = datetime.datetime.now(datetime.timezone.utc)
    assert len(text) == len("2026-11-21T08:00:00.000Z")
    assert before - datetime.timedelta(milliseconds=1) <= parsed <= after


@given(st.floats(0, 1e6), st.lists(st.floats(0, 1e5), max_size=10))
def test_deadline_counts_down_and_never_below_zero(seconds, steps):
    clock = Clock()
    deadline = Deadline(seconds, clock)
    remaining = deadline.remaining_s
    for step in steps:
        clock.now += step
        assert 0.0 <= deadline.remaining_s <= remaining
        assert deadline.expired == (deadline.remaining_s == 0.0)
        remaining = deadline.remaining_s


def test_deadline_expires_exactly_at_its_end():
    clock = Clock()
    deadline = Deadline(2.0, clock)
    clock.now += 1.5
    assert (deadline.elapsed_s, deadline.remaining_s, deadline.expired) == (1.5, 0.5, False)
    clock.now += 0.5
    assert (deadline.elapsed_s, deadline.remaining_s, deadline.expired) == (2.0, 0.0, True)


def test_full_jitter_doubles_its_ceiling_up_to_the_cap():
    highest = full_jitter(0.2, 10.0, rng=lambda: 1.0)
    assert list(itertools.islice(highest, 8)) == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


@given(st.floats(0.001, 10), st.floats(0.001, 100), st.integers(0, 60))
def test_full_jitter_stays_between_zero_and_its_ceiling(base_s, cap_s, attempt):
    wait = next(itertools.islice(full_jitter(base_s, cap_s), attempt, None))
    assert 0.0 <= wait <= min(cap_s, base_s * 2**attempt)
