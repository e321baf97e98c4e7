# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rollouts on the lab, one family of figures a file. All goals are those of the issue "Rollout and rollback over a
fleet".

`LAB_APP_HOSTS=6 tests/lab/up` before it measures six hosts; those that run are taken.
"""

from __future__ import annotations

from typing import Any

from benchmarks.rollout import abrupt, back, control, faults, graceful

FAMILIES = (abrupt, graceful, faults, back, control)


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return the figures of all families."""
    return [one for family in FAMILIES for one in family.figures(rounds)]
