# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Thresholds: an SLO as one line of text, such as ``p95 < 50ms`` or ``error_rate < 5% or abort after 10s``."""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from typing import Any, Callable, Mapping

from .errors import InputError
from .units import parse_seconds, parse_share, split_number

EXAMPLE = "p95 < 50ms"

_TEXT = re.compile(r"^\s*([a-z][a-z0-9_.]*)\s*(<=|>=|==|<|>)\s*(\S.*?)\s*$")
_ABORT = re.compile(r"^(.*\S)\s+or\s+abort(?:\s+after\s+(\S+))?\s*$", re.DOTALL)
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
}
_LATENCY = re.compile(r"^(p\d{1,2}(\.\d+)?|min|max|mean)$")


@dataclass(frozen=True)
class Threshold:
    """One limit for one metric.

    ``metric`` is the key in ``metrics``: latencies end in ``_ms`` (``p95`` in the text is ``p95_ms``),
    shares are between 0 and 1, everything else is a plain number. ``abort_after_s`` is when a breach may first end
    the measurement, in seconds since its start; None when it never does.
    """

    text: str
    metric: str
    comparison: str
    limit: float
    abort_after_s: float | None = None

    @classmethod
    def parse(cls, text: str) -> Threshold:
        """Parse ``p95 < 50ms``, ``error_rate < 0.1%`` or ``rps > 500``, with ``or abort [after 10s]`` after it or not.

        :raises InputError: when the text is not of that form.
        """
        abort = _ABORT.match(str(text))
        match = _TEXT.match(abort.group(1) if abort else str(text))
        if not match:
            raise InputError("thresholds", text, "<metric> <comparison> <limit>", EXAMPLE)
        name, comparison, limit = match.groups()
        after = parse_seconds(abort.group(2) or 0, "thresholds") if abort else None
        if after is not None and after < 0:
            raise InputError("thresholds", text, "no time below 0 after 'abort after'", f"{EXAMPLE} or abort after 10s")
        return cls(str(text), *_limit(str(text), name, comparison, limit), after)

    def judge(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """Compare with the measured metrics; ``ok`` is None when the metric is missing or not a number."""
        measured = metrics.get(self.metric)
        ok = None
        if isinstance(measured, (int, float)) and not isinstance(measured, bool) and not math.isnan(measured):
            ok = _OPERATORS[self.comparison](float(measured), self.limit)
        return {"threshold": self.text, "metric": self.metric, "limit": self.limit, "measured": measured, "ok": ok}


def _limit(text: str, name: str, comparison: str, limit: str) -> tuple[str, str, float]:
    """Return the metric's key, the comparison and the limit in the metric's unit."""
    if _LATENCY.match(name):
        number, unit = split_number(limit, "thresholds", EXAMPLE)
        milliseconds = parse_seconds(limit, "thresholds") * 1000 if unit else number
        return f"{name.replace('.', '_')}_ms", comparison, milliseconds
    if name.endswith("_rate"):
        return name, comparison, parse_share(limit, "thresholds")
    if name.endswith("_s"):
        return name, comparison, parse_seconds(limit, "thresholds")
    number, unit = split_number(limit, "thresholds", "rps > 500")
    if unit not in ("", "rps", "/s"):
        raise InputError("thresholds", text, f"a plain number as the limit of {name}", "rps > 500")
    return name, comparison, number
