# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order in which a rollout that failed is sent back."""

from __future__ import annotations

from typing import Any, Mapping

from ..ledger.states import UNTOUCHED


def way_back(plan: Mapping[str, Any], ledgers: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the waves that have begun, the newest first, and then the hosts on which nothing was begun, at once.

    A host that does not answer may have begun.

    :arg plan: of :func:`..plan.make.make_plan`.
    :arg ledgers: per host what M(evenkeel.fleet.release_info) just returned there.
    :returns: each with ``number``, ``name`` and ``hosts``; none is empty.
    """
    idle = [host for host in plan["hosts"] if (ledgers[host].get("status") or {}).get("state") in UNTOUCHED]
    begun = [{**wave, "hosts": [host for host in wave["hosts"] if host not in idle]} for wave in plan["waves"]]
    rest = {"number": len(begun) + 1, "name": "not begun", "hosts": idle}
    return [wave for wave in (*reversed(begun), rest) if wave["hosts"]]
