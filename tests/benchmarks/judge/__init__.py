# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The canary judge, simulated with the code that judges real rollouts: 1,000 rollouts per round, 4 rounds at least."""

from __future__ import annotations

from typing import Any

from benchmarks.judge import errors, latency

FAMILIES = (errors, latency)


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return the figures of all families."""
    return [one for family in FAMILIES for one in family.figures(rounds)]
