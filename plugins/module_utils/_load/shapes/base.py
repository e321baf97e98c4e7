# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an executor is: the phases that it sends, and what it makes of their results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Sequence

from ..._core.verdict import Verdict
from ..phase import Phase
from ..profile import Profile
from ..result.report import Report
from ..run import Batches, Run

#: Judges a report of a phase by the thresholds of the probe, and doubts it.
Judge = Callable[[Report], Verdict]


@dataclass
class Conclusion:
    """What an executor adds to a result.

    ``blocks`` are keys of the result, ``metrics`` those that thresholds may name, ``rows`` what it adds to each phase,
    ``verdict`` and ``reasons`` what it objects to.
    """

    blocks: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float | None] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    verdict: str = "pass"
    reasons: list[str] = field(default_factory=list)

    def object(self, verdict: str, reason: str) -> None:
        """Say why it is no pass."""
        self.verdict = verdict
        self.reasons.append(reason)


class Shape:
    """Phases that are known from the start; each batch is sent without a gap, then the last answers are waited for."""

    #: Whether it takes the results of all hosts to know what comes next.
    decides = False
    #: The metrics that it adds to those of the whole run.
    metrics: tuple[str, ...] = ()

    def __init__(self, batches: Sequence[Sequence[Phase]]) -> None:
        self._batches = [list(batch) for batch in batches]

    @property
    def connections(self) -> int:
        """How many connections there are at the most."""
        return max(phase.connections for batch in self._batches for phase in batch)

    @property
    def batch_number(self) -> int:
        """How many batches there are at the most."""
        return len(self._batches)

    @property
    def sending_s(self) -> float:
        """For how long something is sent at the most."""
        return sum(phase.profile.duration_s for batch in self._batches for phase in batch)

    @property
    def measured_s(self) -> float:
        """For how long something is measured, when it does not end early."""
        return sum(phase.profile.duration_s for batch in self._batches for phase in batch if phase.measured)

    def batches(self, judge: Judge) -> Batches:
        """Yield the batches, take their reports."""
        yield from (batch for batch in self._batches)  # a list would not take the reports

    def conclude(self, run: Run, judge: Judge) -> Conclusion:
        """Return what these results mean for this executor."""
        return Conclusion()

    def whole(self, run: Run) -> Report:
        """Return what the metrics of the whole probe are of."""
        return run.sum()


def steady(name: str, level: float, duration_s: float, connections: int, arriving: bool, warmup_s: float = 0.0,
           iterations: int = 0) -> list[Phase]:
    """Return a phase with one level, after its warm-up."""
    phases = []
    if warmup_s:
        phases.append(Phase(f"warm-up of {name}", Profile.constant(level, warmup_s), connections, arriving,
                            measured=False))
    phases.append(Phase(name, Profile.constant(level, duration_s), connections, arriving, iterations=iterations))
    return phases


def ramp(stages: Sequence[tuple[float, float]], connections: int, arriving: bool) -> list[Phase]:
    """Return a phase for each stage (duration in s, level) that takes time."""
    return [Phase(f"stage {number}", profile, connections, arriving)
            for number, profile in enumerate(Profile.ramp(stages).split(), 1) if profile.duration_s]
