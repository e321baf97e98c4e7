# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came of a phase, or of a whole run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

from ..statistics.histogram import Histogram
from .tally import Tally


@dataclass
class Report:
    """What was counted, and what the generator says about itself.

    ``measured_s`` is the measured time without the wait for the last answers. Of the busiest process, ``cpu_share`` is
    the share of a core that it used in that time, ``cpu_wait_share`` the share of the time that it waited for one.
    Of the open model, ``due`` is how many requests were due, ``behind`` how many of them the generator had not got to
    at the end of the measured time, ``waited`` how many found all connections busy, and ``lateness`` by how much the
    generator was late with the others. ``stopped`` is why it ended early, or empty.
    """

    tally: Tally = field(default_factory=Tally)
    lateness: Histogram = field(default_factory=Histogram)
    measured_s: float = 0.0
    cpu_share: float = 0.0
    cpu_wait_share: float = 0.0
    due: int = 0
    behind: int = 0
    waited: int = 0
    retried: int = 0
    stopped: str = ""

    def merge(self, other: Report) -> None:
        """Add another process' part of the same phase."""
        self._add(other)
        self.measured_s = max(self.measured_s, other.measured_s)

    def follow(self, other: Report) -> None:
        """Add a later phase."""
        self._add(other)
        self.measured_s += other.measured_s

    def _add(self, other: Report) -> None:
        self.tally.merge(other.tally)
        self.lateness.merge(other.lateness)
        self.cpu_share, self.cpu_wait_share = max((self.cpu_share, self.cpu_wait_share),
                                                  (other.cpu_share, other.cpu_wait_share), key=sum)
        self.due += other.due
        self.behind += other.behind
        self.waited += other.waited
        self.retried += other.retried
        self.stopped = self.stopped or other.stopped

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can carry."""
        return {**vars(self), "tally": self.tally.to_dict(), "lateness": self.lateness.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Report:
        """Return the report that ``to_dict`` described."""
        return cls(**{**data, "tally": Tally.from_dict(data["tally"]),
                      "lateness": Histogram.from_dict(data["lateness"])})
