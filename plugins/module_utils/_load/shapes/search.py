# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Capacity: the highest rate that still meets the thresholds."""

from __future__ import annotations

from ..._core.verdict import FAIL, INCONCLUSIVE, PASS
from ..result.report import Report
from ..run import Batches, Run
from ..statistics.capacity import Search, most_trials
from .base import Conclusion, Judge, Shape, steady

#: Which share of the offered rate has to be answered within the time: what lags behind is no capacity.
KEPT = 0.95


class CapacitySearch(Shape):
    """A batch per trial; the result of each decides which rate is the next.

    :arg rates: the first, the lowest and the highest rate in requests per second.
    :arg precision: the relative width of the answer.
    """

    decides = True
    metrics = ("capacity_rps",)

    def __init__(self, rates: tuple[float, float, float], precision: float, connections: int, duration_s: float,
                 warmup_s: float) -> None:
        super().__init__([steady("trial", rates[0], duration_s, connections, arriving=True, warmup_s=warmup_s)])
        self._most = most_trials(*rates, precision)
        self._search = Search(*rates, precision)
        self._connections, self._duration_s, self._warmup_s = connections, duration_s, warmup_s
        self._limited = False
        self._best: Report | None = None
        self._borne: list[bool] = []

    @property
    def batch_number(self) -> int:
        """How many trials there are at the most."""
        return self._most

    @property
    def sending_s(self) -> float:
        """For how long something is sent at the most."""
        return self._most * super().sending_s

    def batches(self, judge: Judge) -> Batches:
        """Yield trials until the search is over."""
        search = self._search
        while search.rate is not None:
            rate = search.rate
            reports = yield steady(f"trial {len(self._borne) + 1}", rate, self._duration_s, self._connections,
                                   arriving=True, warmup_s=self._warmup_s)
            if reports[-1].stopped:
                return
            verdict = judge(reports[-1])
            borne = verdict.verdict == PASS and verdict.metrics["rps"] >= KEPT * rate
            self._borne.append(borne)
            search.tell(borne)
            if borne:
                self._best = reports[-1]
            elif search.high == rate:
                self._limited = verdict.verdict == INCONCLUSIVE

    def conclude(self, run: Run, judge: Judge) -> Conclusion:
        """Tell the capacity."""
        search = self._search
        conclusion = Conclusion(
            blocks={"capacity": {"rps": search.low, "not_borne_rps": search.high, "trials": len(self._borne),
                                 "generator_limited": self._limited}},
            metrics={"capacity_rps": search.low}, rows=[{"borne": borne} for borne in self._borne])
        if run.stopped:
            conclusion.object(INCONCLUSIVE, "the search for the capacity was not finished")
        elif self._limited:
            conclusion.object(INCONCLUSIVE,
                              f"the load generator, not the target, was the limit at {search.high:g} rps: "
                              f"the capacity is {search.low or 0:g} or more")
        elif search.low is None:
            conclusion.object(FAIL, f"not even the lowest rate, {search.high:g} rps, is borne")
        return conclusion

    def whole(self, run: Run) -> Report:
        """Return the trial at the capacity, or the last one when no rate was borne."""
        if self._best is None:
            return run.measured[-1][1] if run.measured else Report(stopped=run.stopped)
        self._best.stopped = run.stopped
        return self._best
