# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard on a host with a runtime: it settles instances and ledger by what the load balancers have decided.

They cannot be asked from here, but they show it: HAProxy checks the servers of the release that it serves, and none
that is in maint.
"""

from __future__ import annotations

import sys
from typing import Any, Mapping, Sequence

from ..._runtime.asked import asked
from ..._runtime.runtime import COMPOSE, runtime_of
from ..ledger.records import Ledger, LedgerCorrupt
from ..ledger.states import ABORTING, COMMITTED, FORWARD, FROZEN, INTENT, RESULT, ROLLED_BACK, SETTLED, VERIFIED
from . import unit
from .order import RUNTIME, Guard, Outcome, why

ROOMS = ("_core", "_runtime", "_release.ledger", "_release.guard")
OPERATOR = "guard"
#: From the first of these on there is something on the host that a dead run would leave behind.
GUARDED = frozenset(FORWARD[FORWARD.index(VERIFIED):]) | {ABORTING}


def arm_before(guard: Mapping[str, Any], records: Sequence[Mapping[str, Any]], common: Mapping[str, Any], service: str,
               token: int, directory: str) -> None:
    """Arm the guard, or begin its time to live anew, before these records are written.

    :arg guard: ``ttl_s``, ``old`` and ``new`` (slots), ``ports`` (those of each slot), ``look_s``, ``grace_s``,
        ``commit`` (what a commit records), ``runtime``, ``home`` and ``docker_socket``.
    :arg common: ``run``, ``release`` and ``host`` of the records.
    :raises GuardFired: when the run was sent back already.
    """
    if _settles(records[-1]) or GUARDED.isdisjoint(one["state"] for one in records):
        return
    one = Guard(RUNTIME, service, directory)
    one.arm(common["run"], token, guard["ttl_s"], {key: value for key, value in guard.items() if key != "ttl_s"},
            {common["host"]: {"release": common["release"]}})
    unit.start(one, sys.modules[__name__], ROOMS)


def disarm_after(records: Sequence[Mapping[str, Any]], run: str, service: str, token: int, directory: str) -> None:
    """Take the order away when the last of these records, which are written, settles the run here."""
    if _settles(records[-1]):
        Guard(RUNTIME, service, directory).disarm(run, token)


def _settles(record: Mapping[str, Any]) -> bool:
    return record["state"] == FROZEN or (record["state"] in SETTLED and record["phase"] == RESULT)


def decide(last: Mapping[str, Any], counts: Mapping[str, int], old: str, new: str) -> str:
    """Return what the load balancers have decided, ROLLED_BACK or COMMITTED; empty when that cannot be seen.

    They look at the new slot alone from the switch on, so that says nothing before this host has recorded the intent
    to commit: the guards of the load balancers have all fired by then, or were disarmed.

    :arg last: the last record of the ledger. :arg counts: how often each slot was asked.
    """
    if counts[old] and not counts[new]:
        return ROLLED_BACK
    if counts[new] and not counts[old] and (last["state"], last["phase"]) == (COMMITTED, INTENT):
        return COMMITTED
    return ""


class Settle:
    """Bring instances and ledger of one host to what was decided."""

    def __init__(self, guard: Guard, order: Mapping[str, Any]) -> None:
        self._settings, self._order = order["settings"], order
        (self._host, one), = order["hosts"].items()
        self._release = one["release"]
        self._ledger = Ledger(guard.service, guard.directory)
        # An order may be older than the choice of a runtime.
        self._runtime = runtime_of(self._settings.get("runtime", COMPOSE), guard.service,
                                   self._settings.get("home") or "", self._settings["docker_socket"])

    def open(self) -> Mapping[str, Any] | None:
        """Return the last record of the run; None when it is settled, or is not the last one."""
        last = self._ledger.read().last
        return None if not last or _settles(last) or last["run"] != self._order["run"] else last

    def act(self, decision: str) -> list[str]:
        """Record, stop the slot that nobody asks, record; safe to run again."""
        old, new = self._settings["old"], self._settings["new"]
        reason = f"run {self._order['run']} was sent back, {why(self._order)}"
        if decision == COMMITTED:
            self._stop(old)
            self._record({"state": COMMITTED, "phase": RESULT, "data": self._settings["commit"]})
            return [f"{why(self._order)}: COMMITTED, because the load balancers ask slot {new} and no longer {old}"]
        self._record({"state": ABORTING, "phase": INTENT, "data": {"reason": reason}})
        self._stop(new)
        self._record({"state": ABORTING, "phase": RESULT}, {"state": ROLLED_BACK, "phase": RESULT})
        return [f"{why(self._order)}: ROLLED_BACK, because the load balancers ask slot {old} and not {new}"]

    def _stop(self, slot: str) -> None:
        self._runtime.stop(slot, self._settings["grace_s"])

    def _record(self, *records: Mapping[str, Any]) -> None:
        self._ledger.append(records, self._order["token"], run=self._order["run"], release=self._release,
                            host=self._host, operator=OPERATOR)


def due(guard: Guard, order: Mapping[str, Any]) -> bool:
    """Look who is asked, and settle when that says enough."""
    settings = order["settings"]
    counts = asked(settings["ports"], settings["look_s"])

    def act(found: Mapping[str, Any]) -> Outcome:
        settle = Settle(guard, found)
        try:
            last = settle.open()
        except LedgerCorrupt as error:
            return [f"nothing was touched: {error}"], True
        decision = decide(last, counts, settings["old"], settings["new"]) if last else ""
        if last and not decision:
            return [f"undecided after {last['state']}: connections to the slots were {counts}"], False
        return (settle.act(decision) if decision else ["the run was settled already"]), True

    return guard.fire(act)


def main() -> None:
    """Stand guard; see :func:`.unit.run`."""
    unit.run(RUNTIME, due)
