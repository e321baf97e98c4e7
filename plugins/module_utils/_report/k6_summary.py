# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A result of a load probe in the form of k6's ``--summary-export``, for tools that read that.

Scenarios are sub-metrics such as ``http_req_duration{scenario:browse}``, steps are groups such as
``http_req_duration{group:::browse::login}``. In ``thresholds``, as k6 has it, true means broken. Our latencies count
from the intended start and contain connecting, k6's do not.
"""

from __future__ import annotations

from typing import Any, Mapping

from .._core.threshold import Threshold

_LATENCIES = {"avg": "mean_ms", "min": "min_ms", "med": "p50_ms", "max": "max_ms"}


def k6_summary(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of one result."""
    metrics: dict[str, Any] = {}
    parts = {"": result["metrics"], **{f"{{scenario:{name}}}": one for name, one in result["scenarios"].items()}}
    for name, one in (result.get("steps") or {}).items():
        scenario, _slash, step = name.partition("/")
        parts[f"{{group:::{scenario}::{step}}}"] = one
    for tag, part in parts.items():
        metrics.update({f"{name}{tag}": values for name, values in _metrics(part).items()})
    journeys = result["samples"].get("journeys")
    done = sum(one["completed"] for one in journeys.values()) if journeys else result["metrics"]["requests"]
    measured_s = result["samples"]["generator"]["measured_s"]
    metrics["iterations"] = {"count": done, "rate": done / measured_s if measured_s else 0}
    for row in result["thresholds"]:
        metric, rule = _threshold(row)
        values = metrics.setdefault(metric, {"value": row["measured"]})
        values.setdefault("thresholds", {})[rule] = row["ok"] is not True
    root = {"name": "", "path": "", "id": "d41d8cd98f00b204e9800998ecf8427e", "groups": {}, "checks": {}}
    return {"root_group": root, "metrics": metrics}


def _metrics(part: Mapping[str, Any]) -> dict[str, Any]:
    latency = {name: part[key] for name, key in _LATENCIES.items() if part.get(key) is not None}
    for key, value in part.items():
        if key[:1] == "p" and key.endswith("_ms") and key != "p50_ms" and value is not None:
            latency[f"p({key[1:-3].replace('_', '.')})"] = value
    return {
        "http_reqs": {"count": part["requests"], "rate": part["rps"] or 0},
        "http_req_duration": latency,
        "http_req_failed": {"passes": part["errors"], "fails": part["requests"] - part["errors"],
                            "value": part["error_rate"] or 0},
    }


def _threshold(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the metric and the rule as k6 writes them."""
    scope, _colon, rule = row["threshold"].rpartition(": ")
    scenario, slash, step = scope.partition("/")
    tag = "" if not scope else f"{{group:::{scenario}::{step}}}" if slash else f"{{scenario:{scope}}}"
    key, comparison = row["metric"], Threshold.parse(rule).comparison
    if key == "error_rate":
        return f"http_req_failed{tag}", f"rate{comparison}{row['limit']:g}"
    if key in ("requests", "rps"):
        return f"http_reqs{tag}", f"{'count' if key == 'requests' else 'rate'}{comparison}{row['limit']:g}"
    if key.endswith("_ms"):
        names = {value: name for name, value in _LATENCIES.items()}
        name = names.get(key) or f"p({key[1:-3].replace('_', '.')})"
        return f"http_req_duration{tag}", f"{name}{comparison}{row['limit']:g}"
    return f"{key}{tag}", f"value{comparison}{row['limit']:g}"
