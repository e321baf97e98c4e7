# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a rollout for people."""

from __future__ import annotations

from typing import Any, Mapping

from ..declared import hooks, migration
from . import capacity


def plan_text(plan: Mapping[str, Any]) -> list[str]:
    """Return the plan as lines for people."""
    proposed = [f"capacity: {plan['proposal']['text']}"] if plan["proposal"] else []
    if not plan["hosts"]:
        return [f"{plan['service']} {plan['release']} is already active on every host: nothing to do.", *proposed]
    lines = [f"{plan['kind']} of {plan['service']} to {plan['release']}, image {plan['image']}"]
    bundles: dict[str, list[str]] = {}
    for host in plan["hosts"]:
        bundles.setdefault(plan["bundles"][host] + _replicas(*plan["replicas"][host]), []).append(host)
    lines += [f"bundle {name} ({', '.join(hosts)})" for name, hosts in bundles.items()]
    if plan["pull"]:
        lines.append(f"its image is pulled before anything else by: {', '.join(plan['pull'])}")
    if plan["in_place"]:
        lines.append(f"already there: {', '.join(plan['in_place'])}")
    if plan["run"]:
        lines.append(f"goes on with run {plan['run']}")
    if plan["interrupted"]:
        lines.append(f"first settle what an earlier run left on: {', '.join(plan['interrupted'])}")
    if plan["migration"] and not plan["resumed"]:
        lines.append(migration.line(plan["migration"]))
    lines += [_wave(wave) for wave in plan["waves"]]
    lines += proposed
    lines += [f"gate: {gate}" for gate in plan["gates"]]
    lines += hooks.lines(plan["hooks"])
    targets: dict[str, list[str]] = {}
    for host, target in plan["rollback_target"].items():
        text = f"{target['release']} {target['digest'][:19]} in slot {target['slot']}" if target["release"] else \
            f"what slot {target['slot']} serves" if target["slot"] else "nothing (first deployment)"
        targets.setdefault(text, []).append(host)
    lines += [f"way back: {text} ({', '.join(hosts)})" for text, hosts in targets.items()]
    lines.append(f"guard: back by itself after {plan['guard_ttl_s']:g} s without news of the controller"
                 if plan["guard_ttl_s"] else "guard: none, a controller that dies leaves the fleet as it is")
    lines.append(f"commit after a soak of {plan['soak_s']} s")
    return lines


def _replicas(before: int, after: int) -> str:
    instead = f" instead of {before}" if before not in (0, after) else ""
    return f", replicas: {after}{instead}" if instead or after > 1 else ""


def _wave(wave: Mapping[str, Any]) -> str:
    """Return one wave; what it serves meanwhile is nothing in a first deployment."""
    place = f" (domain {wave['domain']})" if wave["domain"] else ""
    found = wave["capacity"]
    serves = f"; {capacity.text(found)}, {found['old']} of them the old release at its end" if found else ""
    return f"{wave['number']}. {wave['name']}: {', '.join(wave['hosts'])}{place}{serves}"
