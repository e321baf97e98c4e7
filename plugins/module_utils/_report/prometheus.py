# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of load probes in the text format of Prometheus, for the textfile collector of its node exporter."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from .._core.clock import epoch_s
from .._core.verdict import FAIL, INCONCLUSIVE, PASS
from .._load.statistics.histogram import Histogram, bounds_of

#: Upper limits of the buckets in seconds.
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

PREFIX = "evenkeel_load_probe_"

_HELP = {
    "requests": ("gauge", "Requests that began in the measured time."),
    "errors": ("gauge", "Requests without the right answer."),
    "error_ratio": ("gauge", "Share of requests without the right answer."),
    "requests_per_second": ("gauge", "Answers per second in the measured time."),
    "latency_quantile_seconds": ("gauge", "Latency that this share of the requests did not exceed."),
    "latency_seconds": ("histogram", "Latency of all answers and time-outs."),
    "errors_by_class": ("gauge", "Requests without the right answer, by class."),
    "threshold_ok": ("gauge", "Whether a threshold was kept."),
    "verdict": ("gauge", "1 for the verdict of the probe."),
    "started_timestamp_seconds": ("gauge", "Start of the probe in seconds since 1970."),
    "duration_seconds": ("gauge", "Duration of the probe."),
}


def prometheus(results: Mapping[str, Mapping[str, Any]], labels: Mapping[str, str]) -> str:
    """Return the text.

    :arg labels: further labels of every line.
    """
    lines: dict[str, list[str]] = {name: [] for name in _HELP}
    for probe, result in results.items():
        for family, suffix, more, value in _lines(result):
            lines[family].append(_line(f"{family}{suffix}", {**labels, "probe": probe, **more}, value))
    text = []
    for family, (kind, told) in _HELP.items():
        if lines[family]:
            text += [f"# HELP {PREFIX}{family} {told}", f"# TYPE {PREFIX}{family} {kind}", *lines[family]]
    return "\n".join(text) + "\n"


def _lines(result: Mapping[str, Any]) -> Iterator[Any]:
    """Yield family, suffix, labels and value of each line."""
    histograms = result["samples"]["histograms"]
    for scenario, metrics in result["scenarios"].items():
        where = {"scenario": scenario}
        yield "requests", "", where, metrics["requests"]
        yield "errors", "", where, metrics["errors"]
        for family, key in (("error_ratio", "error_rate"), ("requests_per_second", "rps")):
            if metrics[key] is not None:
                yield family, "", where, metrics[key]
        for key, value in metrics.items():
            if key[:1] == "p" and key.endswith("_ms") and value is not None:
                quantile = f"{float(key[1:-3].replace('_', '.')) / 100:.6g}"
                yield "latency_quantile_seconds", "", {**where, "quantile": quantile}, round(value / 1000, 7)
        yield from _histogram(Histogram.from_dict(histograms[scenario]), where)
    for name, number in result["samples"]["errors"].items():
        yield "errors_by_class", "", {"class": name}, number
    for row in result["thresholds"]:
        if row["ok"] is not None:
            yield "threshold_ok", "", {"threshold": row["threshold"]}, int(row["ok"])
    for verdict in (PASS, FAIL, INCONCLUSIVE):
        yield "verdict", "", {"verdict": verdict}, int(result["verdict"] == verdict)
    yield "started_timestamp_seconds", "", {}, epoch_s(result["started_at"])
    yield "duration_seconds", "", {}, result["duration_s"]


def _histogram(histogram: Histogram, where: Mapping[str, str]) -> Iterator[Any]:
    for limit in BUCKETS_S:
        within = sum(number for bucket, number in histogram.counts.items() if bounds_of(bucket)[1] <= limit * 1e6)
        yield "latency_seconds", "_bucket", {**where, "le": f"{limit:g}"}, within
    yield "latency_seconds", "_bucket", {**where, "le": "+Inf"}, histogram.count
    yield "latency_seconds", "_sum", where, histogram.sum_us / 1e6
    yield "latency_seconds", "_count", where, histogram.count


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    pairs = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
    return f"{PREFIX}{name}{{{pairs}}} {value!r}"


def _escape(text: str) -> str:
    return str(text).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
