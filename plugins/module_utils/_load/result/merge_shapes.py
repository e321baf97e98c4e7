# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the executors conclude from the merged results of several hosts."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ..._core.verdict import FAIL
from ..shapes.base import Conclusion
from ..shapes.soak import drift
from ..statistics.histogram import Histogram
from ..statistics.knee import Level, efficiencies, knee

Row = Mapping[str, Any]


def conclude(results: Sequence[Mapping[str, Any]], phases: Sequence[Row], series: Sequence[Row]) -> Conclusion:
    """Conclude what the executor of these results would.

    :arg results: of the hosts.
    :arg phases: their merged phases.
    :arg series: their merged series, with histograms.
    """
    if all("knee" in result for result in results):
        return _knee(phases)
    if all("recovery_s" in result for result in results):
        return _recovery([result["recovery_s"] for result in results])
    if all("drift" in result for result in results):
        rows = [(row["t_s"], row["requests"], row["errors"], Histogram.from_dict(row["histogram"])) for row in series]
        return drift(rows, min(result["samples"]["generator"]["measured_s"] for result in results))
    return Conclusion()


def _knee(phases: Sequence[Row]) -> Conclusion:
    levels = [Level.of(phase["offered"]["vus"], phase) for phase in phases]
    return Conclusion(blocks={"knee": knee(levels)}, rows=[{"efficiency": share} for share in efficiencies(levels)])


def _recovery(seconds: Sequence[int | None]) -> Conclusion:
    """The service has recovered when it has for all hosts."""
    slowest = None if None in seconds else max(second for second in seconds if second is not None)
    conclusion = Conclusion(blocks={"recovery_s": slowest}, metrics={"recovery_s": slowest})
    if slowest is None:
        conclusion.object(FAIL, f"no recovery after the spike, as {seconds.count(None)} of {len(seconds)} hosts saw it")
    return conclusion
