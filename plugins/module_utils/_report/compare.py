# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Before and after: the metrics of two load probes side by side, scenario by scenario."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

METRICS = ("p50_ms", "p95_ms", "p99_ms", "rps", "error_rate")


def compare(steps: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Compare the probe labelled ``before`` with the one labelled ``after``, else the first with the last.

    :returns: ``before`` and ``after`` (labels) and ``rows``: ``scenario`` and per metric ``before``, ``after`` and
        ``ratio`` (after divided by before, None where that is impossible); None with fewer than two probes.
    """
    probes = {step["data"].get("label") or step["step"]: step for step in steps if step["kind"] == "probe"}
    if len(probes) < 2:
        return None
    labels = ["before", "after"]
    if not set(labels) <= set(probes):
        labels = [*probes][::len(probes) - 1]
    first, last = (probes[label]["data"].get("scenarios") or {} for label in labels)
    return {
        "before": labels[0],
        "after": labels[1],
        "rows": [
            {"scenario": name, **{metric: _pair(first[name], last[name], metric) for metric in METRICS}}
            for name in first
            if name in last
        ],
    }


def _pair(first: Mapping[str, Any], last: Mapping[str, Any], metric: str) -> dict[str, Any]:
    before, after = ((side.get("metrics") or {}).get(metric) for side in (first, last))
    return {"before": before, "after": after, "ratio": after / before if before and after is not None else None}
