# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load probe against its peers, one family of figures a file. ``soak`` runs only when it is asked for.

The server has one core and every generator the other one, unless a figure says otherwise. All goals are those of the
issue "Probes: load and health, agentless, at wrk speed and right to the tail".
"""

from __future__ import annotations

from typing import Any

from benchmarks.load import arrivals, http, protocols, scaling, tls

FAMILIES = (http, tls, protocols, scaling, arrivals)


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return the figures of all families."""
    return [one for family in FAMILIES for one in family.figures(rounds)]
