# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A grade from A to F: what the measured numbers mean to the people who wait.

The worse of two decides: the 95th percentile, by the limits at which people feel a wait (0.1, 1 and 10 s; J. Nielsen,
"Usability Engineering", 1993, chapter 5) with half a decade between them, and the share of errors, by nines.
"""

from __future__ import annotations

from typing import Any, Mapping

from ..._core.verdict import FAIL, INCONCLUSIVE

#: The largest 95th percentile in ms and the largest share of errors of each grade; beyond the last is F.
LIMITS = {"A": (100.0, 0.0001), "B": (300.0, 0.001), "C": (1000.0, 0.01), "D": (3000.0, 0.03), "E": (10000.0, 0.1)}

#: The best grade of a run that failed a threshold.
FAILED = "D"


def grade(verdict: str, metrics: Mapping[str, Any]) -> str | None:
    """Return the grade of a run; None when it is inconclusive, for what is not known cannot be graded."""
    p95, errors = metrics.get("p95_ms"), metrics.get("error_rate")
    if verdict == INCONCLUSIVE or errors is None:
        return None
    earned = "F" if p95 is None else next(
        (letter for letter, (latency, share) in LIMITS.items() if p95 <= latency and errors <= share), "F")
    return max(earned, FAILED) if verdict == FAIL else earned
