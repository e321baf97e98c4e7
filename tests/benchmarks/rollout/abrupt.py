# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cycles with an app that exits at once on SIGTERM, whatever it is answering."""

from __future__ import annotations

from typing import Any

from benchmarks.rollout.cycles import cycles


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return failed requests per cycle, ours and the peers'."""
    return cycles("abrupt", rounds)
