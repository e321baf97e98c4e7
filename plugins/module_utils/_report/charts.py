# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers for the page's charts; how they look is the page's business."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

from .._load.statistics.histogram import Histogram
from .timeline import timeline

#: Where the percentile curves are read: denser towards the tail, which is what users feel.
PERCENTILES = (0, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.9)


def charts(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the charts of a report, by their place on the page: ``comparison``, ``curves`` and ``rollouts``."""
    return {
        "comparison": _comparison(report["comparison"]),
        "curves": _curves([step for step in report["steps"] if step["kind"] == "probe"]),
        "rollouts": [timeline(step) for step in report["steps"] if step["kind"] in ("rollout", "rollback")],
        "loads": [],
    }


def load_charts(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the charts of load probes: one percentile curve per probe, and what happened over time."""
    lines = [{"label": name, "points": list(_points(result))} for name, result in results.items()]
    return {
        "comparison": None,
        "curves": [{"scenario": "", "lines": [line for line in lines if line["points"]]}],
        "rollouts": [],
        "loads": [load(name, result) for name, result in results.items()],
    }


def load(name: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return one probe over time, in seconds since it began to measure."""
    rows = result["samples"]["series"]
    return {
        "name": name,
        "end_s": rows[-1]["t_s"] + 1 if rows else 0,
        "series": [{"t_s": row["t_s"], "ok": row["requests"] - row["errors"], "failed": row["errors"],
                    **{key: row[key] for key in ("p50_ms", "p95_ms", "p99_ms")}} for row in rows],
    }


def _comparison(comparison: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not comparison or not comparison["rows"]:
        return None
    rows = comparison["rows"]
    sides = ("before", "after")
    return {
        "scenarios": [row["scenario"] for row in rows],
        "labels": [comparison["before"], comparison["after"]],
        **{metric: [[row[metric][side] for row in rows] for side in sides] for metric in ("p95_ms", "rps")},
    }


def _curves(probes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One chart per scenario, one line per probe: x is ``1 / (1 - percentile)``, y is in milliseconds."""
    curves: dict[str, list[dict[str, Any]]] = {}
    for step in probes:
        for name, result in (step["data"].get("scenarios") or {}).items():
            points = list(_points(result))
            if points:
                label = step["data"].get("label") or step["step"]
                curves.setdefault(name, []).append({"label": label, "points": points})
    return [{"scenario": name, "lines": lines} for name, lines in curves.items()]


def _points(result: Mapping[str, Any]) -> Iterator[dict[str, float]]:
    histogram = Histogram()
    for one in ((result.get("samples") or {}).get("histograms") or {}).values():
        histogram.merge(Histogram.from_dict(one))
    for percent in PERCENTILES:
        latency_ms = histogram.percentile_ms(percent)
        if latency_ms is not None:
            yield {"percent": percent, "x": round(1 / (1 - percent / 100), 6), "y": latency_ms}
