# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Spike: a base load, suddenly a multiple of it, then the base load again, and how long it takes to recover."""

from __future__ import annotations

from ..._core.verdict import FAIL, INCONCLUSIVE
from ..phase import Phase
from ..profile import Profile
from ..result.summary import series
from ..run import Run
from ..statistics.recovery import HOLD, Normal, recovery_s
from .base import Conclusion, Judge, Shape

#: The shortest time before and after the spike: without whole seconds there is nothing to compare.
LEAST_S = HOLD


class Spike(Shape):
    """One batch: before, spike, after.

    :arg level: the base load.
    :arg times: the seconds before, in and after the spike.
    :arg recovery_factor: within which factor of before is normal.
    """

    metrics = ("recovery_s",)

    def __init__(self, level: float, factor: float, times: tuple[float, float, float], connections: int, arriving: bool,
                 warmup_s: float, recovery_factor: float) -> None:
        before, length, after = times
        parts = [("warm-up", level, warmup_s, False), ("before", level, before, True),
                 ("spike", level * factor, length, True), ("after", level, after, True)]
        super().__init__([[Phase(name, Profile.constant(load, duration_s), connections, arriving, measured)
                           for name, load, duration_s, measured in parts if duration_s]])
        self._recovery_factor = recovery_factor

    def conclude(self, run: Run, judge: Judge) -> Conclusion:
        """Measure the recovery."""
        reports = {phase.name: report for phase, report in run.measured}
        conclusion = Conclusion(blocks={"recovery_s": None}, metrics={"recovery_s": None})
        if "after" not in reports:
            return conclusion
        before, after = judge(reports["before"]).metrics, reports["after"]
        if before["p95_ms"] is None:
            conclusion.object(INCONCLUSIVE, "nothing was answered before the spike, so there is nothing to recover to")
            return conclusion
        normal = Normal(before["p95_ms"], before["error_rate"], self._recovery_factor)
        width_s = after.tally.series.width_s
        seconds = recovery_s(normal, [row for row in series(after.tally)
                                      if row["t_s"] + width_s <= after.measured_s])
        conclusion.blocks["recovery_s"] = conclusion.metrics["recovery_s"] = seconds
        if seconds is None:
            conclusion.object(FAIL, f"no recovery within {after.measured_s:g} s after the spike: not {HOLD} s in a row "
                              f"with p95 within {self._recovery_factor:g} times the {normal.p95_ms:g} ms of before "
                              "and as few errors")
        return conclusion
