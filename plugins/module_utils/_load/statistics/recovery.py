# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recovery: how long after a spike is a service as it was before?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

#: How many rows of the series, of a second each, have to be right again.
HOLD = 3

#: What a latency may be longer than before in any case, in ms: below it a factor only measures noise.
SLACK_MS = 1.0

#: A share of errors that is right in any case: without errors before, a factor would allow none.
SLACK_ERRORS = 0.01


@dataclass(frozen=True)
class Normal:
    """What was normal before the spike, and by which factor it may be exceeded."""

    p95_ms: float
    error_rate: float
    factor: float

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether a second of the series is normal; one without any answer is not."""
        p95, requests = row["p95_ms"], row["requests"]
        return (requests > 0 and row["errors"] / requests <= max(SLACK_ERRORS, self.factor * self.error_rate)
                and p95 is not None and p95 <= max(self.p95_ms + SLACK_MS, self.factor * self.p95_ms))


def recovery_s(normal: Normal, rows: Sequence[Mapping[str, Any]]) -> int | None:
    """Return after how many seconds everything is normal for ``HOLD`` rows in a row; None when it never is.

    :arg rows: the series after the spike, with ``t_s``, ``requests``, ``errors`` and ``p95_ms``.
    """
    right = [normal.holds(row) for row in rows]
    return next((int(rows[place]["t_s"]) for place in range(len(right) - HOLD + 1) if all(right[place:place + HOLD])),
                None)
