# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Step: level after level of virtual users, the efficiency of each, and the knee."""

from __future__ import annotations

from typing import Sequence

from ..run import Run
from ..statistics.knee import Level, efficiencies, knee
from .base import Conclusion, Judge, Shape, steady


class Step(Shape):
    """Each level is a batch of its own: its connections are opened before, its last answers waited for."""

    def __init__(self, levels: Sequence[int], duration_s: float, warmup_s: float) -> None:
        super().__init__([steady(f"level {level}", level, duration_s, level, arriving=False, warmup_s=warmup_s)
                          for level in levels])

    def conclude(self, run: Run, judge: Judge) -> Conclusion:
        """Name the knee."""
        levels = [Level.of(phase.connections, judge(report).metrics) for phase, report in run.measured]
        return Conclusion(blocks={"knee": knee(levels)}, rows=[{"efficiency": share} for share in efficiencies(levels)])
