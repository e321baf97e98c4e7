# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tally taken apart: everything, by scenario, by step and by tag."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence

from ..scenario.request import Request
from .metrics import Part
from .tally import Tally


@dataclass
class Parts:
    """A run taken apart: everything, and by scenario, by step (``scenario/step``) and by tag (``key=value``)."""

    overall: Part = field(default_factory=Part)
    scenarios: dict[str, Part] = field(default_factory=dict)
    steps: dict[str, Part] = field(default_factory=dict)
    tags: dict[str, Part] = field(default_factory=dict)


def take_apart(tally: Tally, requests: Sequence[Request], seconds: float, running: bool = False) -> Parts:
    """Sum up what was counted.

    :arg seconds: the measured time.
    :arg running: it is not over, so all that was counted ended in it.
    """
    parts = Parts()
    of_kind = []
    for request in requests:
        mine = [parts.overall, parts.scenarios.setdefault(request.scenario, Part())]
        if request.step:
            mine.append(parts.steps.setdefault(f"{request.scenario}/{request.step}", Part()))
        of_kind.append(mine + [parts.tags.setdefault(tag, Part()) for tag in request.tags])
    for outcome, count in tally.counts.items():
        fresh = Part(count.count, count.count if outcome.error else 0, count.count if running else count.in_time,
                     count.histogram)
        for part in of_kind[outcome.kind]:
            part.merge(fresh)
    for part in {id(part): part for mine in of_kind for part in mine}.values():
        part.rps = (part.rps or 0) / seconds if seconds else None
    return parts
