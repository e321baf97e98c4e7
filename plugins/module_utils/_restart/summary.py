# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a restart or a shutdown came to: one verdict, and what was done with each instance, how fast, at whose cost."""

from __future__ import annotations

from typing import Any, Mapping

from .._core.verdict import FAIL, PASS
from .queue import DONE, FAILED

UNTOUCHED = "untouched"
SILENT = "its host does not answer any more"


def summarize(plan: Mapping[str, Any], progress: Mapping[str, Mapping[str, Mapping[str, Any]]],
              held: Mapping[str, str]) -> dict[str, Any]:
    """Return the record of one run for the report.

    :arg progress: as for :func:`.plan.choose_turn`, with ``reason`` of what failed, ``result`` of the module and
        ``sessions_left`` (sessions that the load balancers still had when their drain deadlines had passed) and
        ``tunnels_left`` (how many of them were tunnels, such as WebSockets).
    :arg held: why the queue never let somebody go.
    :returns: ``verdict`` (pass when all that was wanted is done), ``reasons``, ``instances`` and ``lines`` for people.
    """
    instances = {identity: _instance(one, progress.get(one["host"], {}).get(one["instance"], {}), held)
                 for identity, one in plan["members"].items() if one["wanted"]}
    by_state = {state: [identity for identity, one in instances.items() if one["state"] == state]
                for state in (DONE, FAILED, UNTOUCHED)}
    parked = by_state[FAILED]
    verdict = PASS if len(by_state[DONE]) == len(instances) else FAIL
    reasons = [f"{identity}: {one['reason']}" for identity, one in instances.items() if one["state"] != DONE]
    word = "shut down" if plan["mode"] == "shutdown" else "restarted"
    lines = [f"{len(by_state[DONE])} of {len(instances)} instances {word}"]
    for title, state in (("parked", FAILED), ("untouched", UNTOUCHED)):
        if by_state[state]:
            lines[0] += f"; {title}: {', '.join(by_state[state])}"
    lines += [f"{identity}: {_line(one)}" for identity, one in instances.items()]
    return {"mode": plan["mode"], "verdict": verdict, "reasons": reasons, "instances": instances,
            "turns": plan["turns"], "parked": parked, "lines": lines,
            "cut_off": sum(one["cut_off"] for one in instances.values())}


def _instance(one: Mapping[str, Any], progress: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    result = progress.get("result") or {}
    state = progress.get("state", "")
    reason = progress.get("reason", "")
    if state != DONE and not reason:
        reason = held.get(one["identity"], "") or (SILENT if state else "its turn did not come")
    return {
        "state": DONE if state == DONE else FAILED if state else UNTOUCHED, "reason": reason if state != DONE else "",
        "attempts": progress.get("attempts", 0), "method": result.get("method", one["method"]), "why": one["why"],
        "killed": bool(result.get("killed")), "sessions_left": progress.get("sessions_left", 0),
        "tunnels_left": progress.get("tunnels_left", 0),
        "cut_off": (result.get("connections") or {}).get("cut_off", 0),
        **{key: result.get(key) for key in ("startup_ms", "stop_ms", "reload_ms", "duration_ms", "connections")},
    }


def _line(one: Mapping[str, Any]) -> str:
    if one["state"] == UNTOUCHED:
        return f"untouched: {one['reason']}"
    if one["state"] != DONE:
        return f"PARKED after attempt {one['attempts']}: {one['reason']}"
    parts = [one["method"]]
    for key, words in (("reload_ms", "reloaded in"), ("stop_ms", "ended in"), ("startup_ms", "healthy after")):
        if one[key] is not None:
            parts.append(f"{words} {one[key]:.0f} ms")
    if one["killed"]:
        parts.append(f"killed, {one['cut_off']} connections cut off")
    if one["sessions_left"]:
        tunnels = f", {one['tunnels_left']} of them tunnels" if one["tunnels_left"] else ""
        parts.append(f"{one['sessions_left']} sessions were left at the drain deadline{tunnels}")
    if one["attempts"] > 1:
        parts.append(f"at attempt {one['attempts']}")
    return ", ".join(parts)
