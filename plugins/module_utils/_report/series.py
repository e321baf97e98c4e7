# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of load probes as tables: the series as CSV, the histograms as a log of HdrHistogram."""

from __future__ import annotations

import csv
import io
from typing import Any, Iterator, Mapping

from .._core.clock import epoch_s
from .._load.statistics.hdr import encode
from .._load.statistics.histogram import Histogram

COLUMNS = ("probe", "t_s", "requests", "errors", "p50_ms", "p95_ms", "p99_ms")


def series_csv(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return one line per probe and second (RFC 4180)."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for probe, result in results.items():
        writer.writerows({"probe": probe, **row} for row in result["samples"]["series"])
    return text.getvalue()


def histogram_log(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a log of the format 1.3: one line per probe and scenario, tagged ``probe/scenario``; values in µs."""
    zero = min(epoch_s(result["started_at"]) for result in results.values())
    lines = ["#[Histogram log format version 1.3]", f"#[StartTime: {zero:.3f} (seconds since epoch)]",
             '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"']
    for probe, result in results.items():
        began = epoch_s(result["samples"]["measured_from"]) - zero
        for scenario, histogram in _histograms(result):
            tag = f"{probe}/{scenario}".replace(",", ";").replace(" ", "_")
            lines.append(f"Tag={tag},{began:.3f},{result['samples']['generator']['measured_s']:.3f},"
                         f"{(histogram.max_us or 0) / 1e6:.3f},{encode(histogram)}")
    return "\n".join(lines) + "\n"


def _histograms(result: Mapping[str, Any]) -> Iterator[tuple[str, Histogram]]:
    for scenario, data in result["samples"]["histograms"].items():
        yield scenario, Histogram.from_dict(data)
