# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a ledger says about now: the committed release, the one before it, and whether a run was interrupted."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from .states import ABORTING, COMMITTED, EXPANDED, FROZEN, RESULT, SETTLED

ROLLBACK = "rollback"


def committed(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all releases that were ever committed, oldest first, as ``{release, time, run, **data}``."""
    return [{**record["data"], "release": record["release"], "time": record["time"], "run": record["run"]}
            for record in records if (record["state"], record["phase"]) == (COMMITTED, RESULT)]


def in_line(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the committed releases that lead to the current one, oldest first.

    A release with another configuration is another one. A rollback to a release takes those that came after it off
    the line, so that the one before the last is always one that nobody rolled back from.
    """
    stack: list[dict[str, Any]] = []
    for entry in history:
        known = [_identity(one) for one in stack]
        if entry.get("kind") == ROLLBACK and _identity(entry) in known:
            place = known.index(_identity(entry))
        else:
            place = len(known) - (known[-1:] == [_identity(entry)])
        for replaced in stack[place:place + 1]:
            migrated = replaced.get("migration") or {}
            if migrated.get("irreversible"):  # that is still behind it
                entry = {**entry, "migration": migrated}
        stack[place:] = [entry]
    return stack


def _identity(entry: Mapping[str, Any]) -> tuple[str, str]:
    return entry["release"], entry.get("config", "")


def status(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return ``state, phase, run, release, kind, current, previous, releases, history, interrupted, frozen`` and more.

    ``kind`` is that of the last run, ``rollout`` or ``rollback``. ``irreversible`` is the migration of a run that is
    not committed, behind which there is no way back.
    """
    last = records[-1] if records else None
    history = committed(records)
    stack = in_line(history)
    settled = last is None or (last["state"] in SETTLED and last["phase"] == RESULT)
    frozen = last is not None and last["state"] == FROZEN
    return {
        "state": last["state"] if last else "",
        "phase": last["phase"] if last else "",
        "run": last["run"] if last else "",
        "release": last["release"] if last else "",
        "kind": next((one["data"]["kind"] for one in reversed(records)
                      if one["run"] == last["run"] and "kind" in one["data"]), "") if last else "",
        "current": stack[-1] if stack else None,
        "previous": stack[-2] if len(stack) > 1 else None,
        "releases": stack,
        "history": history,
        "interrupted": not settled and not frozen,
        "frozen": frozen,
        "irreversible": under_way(records),
    }


def under_way(records: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the irreversible migration that the last run of a ledger began and did not commit, None without one.

    An ABORTING record with ``accepted`` is a person who says: go back nevertheless.
    """
    found = None
    last = records[-1]["run"] if records else ""
    for record in records:
        if record["run"] != last:
            continue
        if record["state"] == EXPANDED and (record["data"].get("migration") or {}).get("irreversible"):
            found = {**record["data"]["migration"], "release": record["release"]}
        elif (record["state"], record["phase"]) == (COMMITTED, RESULT) or (
                record["state"] == ABORTING and record["data"].get("accepted")):
            found = None
    return found
