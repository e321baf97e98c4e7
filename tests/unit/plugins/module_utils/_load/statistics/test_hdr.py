# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HdrHistogram's own encoding, there and back, and as its Python package reads and writes it."""

from __future__ import annotations

import base64
import contextlib

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.hdr import decode, encode
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.histogram import Histogram, bounds_of
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.lists(st.one_of(st.integers(0, 2000), st.integers(0, 3_600_000_000)), max_size=60)
PERCENTS = (0.001, 25, 50, 90, 99, 99.9, 100)


def histogram_of(values):
    histogram = Histogram()
    histogram.record(values)
    return histogram


@given(VALUES)
def test_there_and_back_keeps_every_count(values):
    histogram = histogram_of(values)
    back = decode(encode(histogram))
    assert back.counts == histogram.counts
    assert encode(back) == encode(histogram)


@pytest.mark.controller
@given(VALUES)
def test_the_package_reads_what_we_write(values):
    from hdrh.histogram import HdrHistogram

    theirs = HdrHistogram.decode(encode(histogram_of(values)))
    reference = HdrHistogram(1, 3_600_000_000, 2)
    for value in values:
        reference.record_value(value)
    assert theirs.get_total_count() == len(values)
    for percent in PERCENTS:
        assert theirs.get_value_at_percentile(percent) == reference.get_value_at_percentile(percent)


@pytest.mark.controller
@given(VALUES, st.integers(1, 4), st.sampled_from([1, 8, 1000]))
def test_we_read_what_the_package_writes_with_any_digits_and_unit(values, digits, lowest):
    from hdrh.histogram import HdrHistogram

    theirs = HdrHistogram(lowest, 3_600_000_000, digits)
    for value in values:
        theirs.record_value(value)
    ours = decode(theirs.encode().decode())
    read = [sum(bounds_of(bucket)) / 2 for bucket in sorted(ours.counts) for dummy in range(ours.counts[bucket])]
    assert read == [pytest.approx(value, rel=10 ** -digits + 0.01, abs=lowest) for value in sorted(values)]


@pytest.mark.parametrize("text", [
    "", "x", "HISTFAAAAB54nJNp", "HISTFAAAAAA=", base64.b64encode(b"\x1c\x84\x93\x14\0\0\0\x01x").decode(),
    "ä", "=" * 9,
])
def test_what_is_no_histogram_is_refused(text):
    with pytest.raises(InputError, match="V2 encoding"):
        decode(text)


@given(st.binary(max_size=40), st.integers(0, 200))
def test_damage_is_refused_or_read_but_never_crashes(noise, place):
    text = encode(histogram_of(range(0, 10_000, 7)))
    damaged = bytearray(base64.b64decode(text))
    damaged[place:place + len(noise)] = noise
    with contextlib.suppress(InputError):
        decode(base64.b64encode(damaged).decode())
