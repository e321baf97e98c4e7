# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.units import (
    BYTES,
    SECONDS,
    format_bytes,
    parse_bytes,
    parse_seconds,
    parse_share,
    split_number,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50ms", (50.0, "ms")),
        (" 1.5 kb ", (1.5, "kb")),
        (".5s", (0.5, "s")),
        ("+3", (3.0, "")),
        ("-3.", (-3.0, "")),
        (7, (7.0, "")),
        (1e-05, (1e-05, "")),
        ("2e3ms", (2000.0, "ms")),
        ("10/s", (10.0, "/s")),
    ],
)
def test_split_number(text, expected):
    assert split_number(text, "field", "1") == expected


@pytest.mark.parametrize("text", ["", "fast", "1.2.3", "1 2", "0x10", "1,5", None, True, [1], "nan", "inf", "--1"])
def test_split_number_refuses_and_names_the_field(text):
    with pytest.raises(InputError, match=r"^timeout_s: expected a number .* Example: 5$"):
        split_number(text, "timeout_s", "5")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_that_python_prints_is_read_back(number):
    assert split_number(number, "field", "1") == (number, "")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("30s", 30), (45, 45), ("2m", 120), ("2min", 120), ("1.5h", 5400), ("1d", 86400), ("5µs", 5e-6)],
)
def test_parse_seconds(text, seconds):
    assert parse_seconds(text) == pytest.approx(seconds)


@given(st.integers(0, 10**9), st.sampled_from(sorted(SECONDS)))
def test_parse_seconds_scales_by_its_unit(number, unit):
    assert parse_seconds(f"{number}{unit}") == pytest.approx(number * SECONDS[unit])


@pytest.mark.parametrize("text", ["5 fortnights", "5%", "5MS"])
def test_parse_seconds_refuses_other_units(text):
    with pytest.raises(InputError, match=r"^pause: expected a duration in one of us, "):
        parse_seconds(text, "pause")


@pytest.mark.parametrize(
    ("text", "size"),
    [("64mb", 67108864), ("1k", 1000), ("1KB", 1024), ("1.5kb", 1536), ("2GiB", 2**31), (4096, 4096), ("1tb", 2**40)],
)
def test_parse_bytes_reads_units_as_redis_does(text, size):
    assert parse_bytes(text) == size


@given(st.integers(0, 2**53))
def test_parse_bytes_keeps_whole_numbers(size):
    assert parse_bytes(size) == parse_bytes(str(size)) == size


@given(st.integers(0, 10**5), st.sampled_from(sorted(BYTES)))
def test_parse_bytes_scales_by_its_unit_in_any_case(number, unit):
    assert parse_bytes(f"{number}{unit}") == parse_bytes(f"{number}{unit.upper()}") == number * BYTES[unit]


def test_parse_bytes_refuses_other_units():
    with pytest.raises(InputError, match=r"^maxmemory: .* found '5 pages'"):
        parse_bytes("5 pages", "maxmemory")


@pytest.mark.parametrize(
    ("text", "share"), [("0.1%", 0.001), ("100%", 1), ("0%", 0), (0.25, 0.25), ("1", 1), (1e-05, 1e-05)]
)
def test_parse_share(text, share):
    assert parse_share(text) == pytest.approx(share)


@given(st.floats(0, 100, allow_subnormal=False))
def test_a_percentage_and_its_share_are_the_same(percent):
    assert parse_share(f"{percent}%") == pytest.approx(parse_share(percent / 100))


@pytest.mark.parametrize("text", ["101%", "-1%", 1.5, -0.1, "5ms"])
def test_parse_share_refuses_what_is_not_between_zero_and_one(text):
    with pytest.raises(InputError, match=r"^error_rate: expected a share"):
        parse_share(text, "error_rate")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (67108864, "64.0 MiB"), (2**40, "1.0 TiB"), (-2048, "-2.0 KiB")],
)
def test_format_bytes(size, text):
    assert format_bytes(size) == text


@given(st.integers(0, 2**50))
def test_what_is_printed_reads_back_within_its_precision(size):
    printed = parse_bytes(format_bytes(size).replace(" ", ""))
    assert printed == pytest.approx(size, rel=0.05, abs=1)
