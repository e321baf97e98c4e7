# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts in, report out: the document that report.json holds and that the page draws."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from .._core.clock import seconds_between
from .._core.verdict import worst
from .compare import compare

SCHEMA = "evenkeel.fleet/report/1"


def collect(
    run: str, title: str, fleet: Mapping[str, Sequence[str]], parts: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Merge the parts of one run, in the order in which they were recorded.

    :arg fleet: hosts by group.
    :returns: the report as ``roles/report/files/report.schema.json`` describes it.
    """
    steps = sorted(parts, key=lambda part: part["recorded_at"])
    started_at = min(step["started_at"] for step in steps)
    finished_at = steps[-1]["recorded_at"]
    return {
        "schema": SCHEMA,
        "run": run,
        "title": title,
        "started_at": started_at,
        "finished_at": finished_at,
        "duration_s": seconds_between(started_at, finished_at),
        "fleet": {group: list(hosts) for group, hosts in fleet.items() if hosts},
        "verdict": worst(step["verdict"] for step in steps),
        "steps": steps,
        "comparison": compare(steps),
    }
