# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Thresholds of k6 as thresholds of load_probe, where there is one that means the same."""

from __future__ import annotations

import re
from typing import Any, Mapping

from .duration import parse_duration

_SELECTOR = re.compile(r"^\s*([A-Za-z_]\w*)\s*(?:\{(.*)\})?\s*$")
_EXPRESSION = re.compile(r"^\s*(avg|min|max|med|count|rate|value|p\(\s*(\d{1,2}(?:\.\d+)?)\s*\))\s*"
                         r"(<=|>=|===|==|!=|<|>)\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*$")
_LATENCIES = {"avg": "mean", "min": "min", "max": "max", "med": "p50"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


class Untranslatable(Exception):
    """Why something has no counterpart."""


def scope_of(selector: str) -> tuple[str, str]:
    """Return metric and k6 scenario (empty for all) of ``http_req_duration{scenario:browse}``.

    :raises Untranslatable: when other tags are selected.
    """
    match = _SELECTOR.match(selector)
    if not match:
        raise Untranslatable("not a metric's name")
    metric, tags = match.groups()
    chosen = dict(tag.partition(":")[::2] for tag in (tags or "").split(",") if tag.strip())
    scenario = chosen.pop("scenario", "").strip()
    if chosen:
        raise Untranslatable(f"results are not selected by the tag {', '.join(chosen)}; "
                             "thresholds can be for a scenario or a step of it")
    return metric, scenario


def translate_threshold(metric: str, threshold: Any) -> str:
    """Return a threshold of load_probe for one of k6, a text or ``{threshold, abortOnFail, delayAbortEval}``.

    :raises Untranslatable: when there is none that means the same.
    """
    options = threshold if isinstance(threshold, Mapping) else {"threshold": threshold}
    match = _EXPRESSION.match(str(options.get("threshold")))
    if not match:
        raise Untranslatable("not of the form <aggregation> <comparison> <number>")
    aggregation, percentile, comparison, number = match.groups()
    comparison = "==" if comparison == "===" else comparison
    if comparison == "!=":
        raise Untranslatable("there is no comparison !=")
    text = _limit(metric, aggregation, percentile, comparison, number)
    if options.get("abortOnFail"):
        after_s = parse_duration(options.get("delayAbortEval") or 0)
        text += " or abort" + (f" after {after_s:g}s" if after_s else "")
    return text


def _limit(metric: str, aggregation: str, percentile: str | None, comparison: str, number: str) -> str:
    if metric == "http_req_duration" and (percentile or aggregation in _LATENCIES):
        name = f"p{float(percentile):g}" if percentile else _LATENCIES[aggregation]
        return f"{name} {comparison} {number}ms"
    if (metric, aggregation) == ("http_req_failed", "rate"):
        return f"error_rate {comparison} {number}"
    if (metric, aggregation) == ("checks", "rate"):
        return f"error_rate {_MIRRORED[comparison]} {round(1 - float(number), 9):g}"
    if metric == "http_reqs" and aggregation in ("count", "rate"):
        return f"{'requests' if aggregation == 'count' else 'rps'} {comparison} {number}"
    raise Untranslatable(f"there is no metric like {metric} with {aggregation}")
