# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict: what every gate reads, in one shape."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Iterable, Mapping

from .threshold import Threshold

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"

_SEVERITY = {PASS: 0, INCONCLUSIVE: 1, FAIL: 2}


@dataclass
class Verdict:
    """A decision with the numbers and the rules that decided.

    ``verdict`` is pass, fail or inconclusive. ``reasons`` are sentences for people, empty on a pass.
    ``thresholds`` are the rules with what was measured. ``metrics`` are plain numbers with units in
    their names. ``samples`` holds what the numbers came from. ``started_at`` is UTC in ISO 8601,
    ``duration_s`` is in seconds.
    """

    verdict: str = INCONCLUSIVE
    reasons: list[str] = field(default_factory=list)
    thresholds: list[dict[str, Any]] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    samples: dict[str, Any] = field(default_factory=dict)
    started_at: str = ""
    duration_s: float = 0.0

    def to_result(self) -> dict[str, Any]:
        """Return the part of a module result that a gate reads."""
        return asdict(self)


def worst(verdicts: Iterable[str]) -> str:
    """Return fail if any failed, else inconclusive if any is, else pass; nothing at all is inconclusive."""
    return max(verdicts, key=_SEVERITY.__getitem__, default=INCONCLUSIVE)


def judge(metrics: Mapping[str, Any], thresholds: Iterable[Threshold], sample_count: int) -> Verdict:
    """Judge metrics against thresholds.

    No sample is never a pass: with ``sample_count`` 0, or a threshold whose metric was not measured,
    the verdict is inconclusive unless another threshold failed.
    """
    rows = [threshold.judge(metrics) for threshold in thresholds]
    verdicts = [INCONCLUSIVE if row["ok"] is None else PASS if row["ok"] else FAIL for row in rows]
    reasons = []
    if sample_count == 0:
        verdicts.append(INCONCLUSIVE)
        reasons.append("nothing was measured")
    for row in rows:
        if row["ok"] is None:
            reasons.append(f"{row['threshold']}: {row['metric']} was not measured")
        elif not row["ok"]:
            reasons.append(f"{row['threshold']}: measured {row['measured']:.6g}")
    return Verdict(worst([*verdicts, PASS]), reasons, rows, dict(metrics))
