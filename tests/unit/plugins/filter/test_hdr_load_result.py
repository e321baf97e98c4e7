# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Histograms of another tool as results: HdrHistogram's own package writes them, the comparison reads them."""

from __future__ import annotations

import base64
import zlib

import pytest

pytest.importorskip("ansible.errors", reason="needs ansible-core")
pytest.importorskip("hdrh.histogram", reason="needs HdrHistogram's own package")

from ansible.errors import AnsibleFilterError
from ansible_collections.evenkeel.fleet.plugins.filter.load_results import compare_load_results, hdr_load_result
from hdrh.histogram import HdrHistogram

pytestmark = pytest.mark.controller

#: How many values a millisecond has.
UNITS = {"ns": 1_000_000, "us": 1000, "ms": 1}


def written(values, digits=3):
    """Return what another tool writes."""
    histogram = HdrHistogram(1, 3_600_000_000_000, digits)
    for value in values:
        histogram.record_value(value)
    return histogram.encode().decode()


def uncompressed(text):
    return base64.b64encode(zlib.decompress(base64.b64decode(text)[8:])).decode()


@pytest.mark.parametrize("form", [str, uncompressed])
@pytest.mark.parametrize("unit", UNITS)
def test_the_numbers_are_those_that_were_recorded(unit, form):
    text = form(written([number * UNITS[unit] for number in range(1, 1001)]))
    result = hdr_load_result(text, "browse", unit=unit, errors=10)
    expected = {"mean_ms": 500.5, "min_ms": 1, "p50_ms": 500, "p90_ms": 900, "p95_ms": 950, "p99_ms": 990,
                "p99_9_ms": 999, "max_ms": 1000}
    metrics = result["metrics"]
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=0.005)
    assert (metrics["requests"], metrics["errors"], metrics["error_rate"], metrics["rps"]) == (1000, 10, 0.01, None)
    assert result["scenarios"] == {"browse": metrics}


def test_a_comparison_takes_it_on_either_side():
    slow, fast = (hdr_load_result(written(range(1000 * factor, 100_000 * factor, 10)), "browse") for factor in (2, 1))
    assert compare_load_results(slow, slow)["verdict"] == "pass"
    assert compare_load_results(fast, slow)["verdict"] == "pass"
    worse = compare_load_results(slow, fast)
    assert worse["verdict"] == "fail"
    assert {row["metric"]: row["estimate"] for row in worse["rows"]} == pytest.approx(
        {"p50_ms": 2, "p95_ms": 2, "error_rate": 0}, rel=0.01)
    with pytest.raises(AnsibleFilterError, match="at least one of the scenarios browse"):
        compare_load_results(slow, hdr_load_result(written([1]), "search"))


@pytest.mark.parametrize(("text", "options", "found"), [
    ("p99 12 ms", {}, "histogram: expected HdrHistogram's V2 encoding in base64"),
    (None, {}, "found 'None'"),
    (written([1, 2])[:-8], {}, "not as long as it says"),
    (uncompressed(written([1, 2]))[:-4], {}, "V2 encoding"),
    (written([1, 2]), {"unit": "s"}, "unit: expected ns, us or ms, found 's'"),
    (written([1, 2]), {"errors": 3}, "errors: expected 0 to 2"),
])
def test_what_cannot_be_read_is_named(text, options, found):
    with pytest.raises(AnsibleFilterError, match=found):
        hdr_load_result(text, "browse", **options)
