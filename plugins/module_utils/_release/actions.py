# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module evenkeel.fleet.release does, apart from the stop flag: the lock, the ledger and the guards."""

from __future__ import annotations

import time
from typing import Any, Callable, Mapping, Sequence

from .._core.clock import Deadline
from .._core.errors import InputError
from .control.lock import Lock, LockHeld
from .control.stop import StopFlag, begins_a_step, clear, stop
from .guard.order import ARMED, BALANCER, KINDS, Guard
from .ledger.history import status
from .ledger.records import DIRECTORY, Ledger
from .ledger.states import ABORTING, COMMITTED, RESULT, ROLLED_BACK

#: How often to look whether a guard has fired, and how long its program may take to see that it is time.
_POLL_S, _START_S = 0.05, 5.0


def lock(service: str, run: str, holder: str, ttl_s: float, directory: str = DIRECTORY, check_mode: bool = False, *,
         controller: Mapping[str, str] | None = None, abandoned: int = 0,
         token: int | None = None) -> dict[str, Any]:
    """Take the lock; ``changed`` is whether this controller did not have it yet.

    :arg controller: see :func:`.control.controller.identify`. :arg abandoned: see :meth:`.control.lock.Lock.acquire`.
    :arg token: the highest that the hosts have followed; the lock's is higher.

    :raises LockHeld: naming the holder and the age.
    :raises Stopped: when the stop flag on this host keeps this run from beginning.
    """
    _positive("ttl_s", ttl_s)
    StopFlag(service, directory).check_start(run)
    one = Lock(service, directory)
    before = one.read()
    if check_mode:
        if before["held"] and before["run"] != run and not before["expired"]:
            raise LockHeld(f"The lock is held by {before['holder']} (run {before['run']}).", lock=before)
        return {"changed": not before["held"] or before["run"] != run, "lock": before}
    found = one.acquire(holder, run, ttl_s, controller, abandoned, token or 0)
    return {"changed": found["token"] != before["token"] or not before["held"], "lock": found}


def renew(service: str, run: str, ttl_s: float, directory: str = DIRECTORY, check_mode: bool = False, *,
          token: int | None = None, guard_ttl_s: float = 0.0) -> dict[str, Any]:
    """Begin the lock's time to live anew, and with ``guard_ttl_s`` above 0 that of the load balancer's guard, if one is
    armed on this host. ``paused`` is the stop flag that lets this run wait, empty without one.

    :raises LockHeld: when this run does not hold it, or no longer with this token.
    :raises GuardFired: when the guard has sent this run back.
    :raises Stopped: when the stop flag on this host keeps it from going on.
    """
    _positive("ttl_s", ttl_s)
    paused = StopFlag(service, directory).check(run)
    one = Lock(service, directory)
    if check_mode:
        return {"changed": True, "lock": one.read(), "paused": paused}
    found = one.renew(run, ttl_s, token)
    guard = Guard(BALANCER, service, directory)
    if guard_ttl_s > 0:
        guard.renew(run, found["token"], guard_ttl_s)
    return {"changed": True, "lock": found, "guard": guard.read(), "paused": paused}


def rearm(service: str, run: str, token: int, guard_ttl_s: float, directory: str = DIRECTORY,
          check_mode: bool = False) -> dict[str, Any]:
    """Begin the time to live of this load balancer's guard anew, on a host that does not keep the lock.

    :raises GuardFired: when it has sent this run back.
    """
    _positive("guard_ttl_s", guard_ttl_s)
    guard = Guard(BALANCER, service, directory)
    changed = guard.read()["state"] == ARMED if check_mode else guard.renew(run, token, guard_ttl_s)
    return {"changed": changed, "guard": guard.read()}


def disarm(service: str, run: str, token: int, directory: str = DIRECTORY, check_mode: bool = False) -> dict[str, Any]:
    """Take the order of this load balancer's guard away: from here on the new release stays.

    :raises GuardFired: when it has sent this run back.
    """
    guard = Guard(BALANCER, service, directory)
    changed = guard.read()["state"] == ARMED if check_mode else guard.disarm(run, token)
    return {"changed": changed, "guard": guard.read()}


def fire(service: str, run: str, holder: str, directory: str = DIRECTORY, check_mode: bool = False, *,
         reason: str = "") -> dict[str, Any]:
    """Let the guards of this run on this host fire now; returns when the load balancer's has done what it can.

    :arg holder: who asks for it. :arg reason: why.
    """
    guards = {kind: Guard(kind, service, directory) for kind in KINDS}
    armed = [one for one in guards.values() if one.read()["state"] == ARMED and one.read()["run"] == run]
    ended = [one for one in armed if check_mode or one.end(run, holder, reason)]
    if guards[BALANCER] in ended and not check_mode:
        _wait_for(guards[BALANCER])
    return {"changed": bool(ended), "guards": {kind: one.read() for kind, one in guards.items()}}


def _wait_for(guard: Guard) -> None:
    """Return when it has fired, has found that it cannot, or takes longer than it may."""
    found = guard.read()
    deadline = Deadline(_START_S + found["settings"]["deadline_s"] + found["settings"]["drain_deadline_s"])
    while found["state"] == ARMED and not found["outcome"] and not deadline.expired:
        time.sleep(_POLL_S)
        found = guard.read()


def unlock(service: str, run: str, directory: str = DIRECTORY, check_mode: bool = False, *,
           token: int | None = None) -> dict[str, Any]:
    """Give this run's lock back; somebody else's is left alone, and with ``token`` that of the same run elsewhere."""
    one = Lock(service, directory)
    before = one.read()
    mine = before["held"] and before["run"] == run and token in (None, before["token"])
    if mine and not check_mode:
        one.release(run, token)
    return {"changed": mine, "lock": one.read()}


def record(service: str, run: str, release: str, records: Sequence[Mapping[str, Any]], token: int, host: str,
           operator: str, directory: str = DIRECTORY, check_mode: bool = False, *,
           guard: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Append records to this host's ledger; what this run's guard has settled needs no record again.

    ``records`` are all that the ledger then has of this run, ``status`` is as ``release_info`` returns it.

    :arg guard: see :func:`.guard.runtime.arm_before`; None records without a guard.
    :raises GuardFired: when the guard has settled this run here.
    :raises Stopped: when one of them begins a step, and the stop flag on this host keeps this run from it.
    """
    if not records:
        raise InputError("records", list(records), "at least one record", "[{state: STAGED, phase: intent}]")
    if any(map(begins_a_step, records)):
        StopFlag(service, directory).check(run)
    ledger = Ledger(service, directory)
    if check_mode:
        return {"changed": True, "records": []}
    settled = bool(guard) and _known(ledger, run, {one["state"] for one in records})
    if not settled:
        common = {"run": run, "release": release, "host": host, "operator": operator}
        _append(ledger, directory, records, token, guard, common)
    found = ledger.read().records
    return {"changed": not settled, "records": [one for one in found if one["run"] == run], "status": status(found)}


def _append(ledger: Ledger, directory: str, records: Sequence[Mapping[str, Any]], token: int,
            guard: Mapping[str, Any] | None, common: Mapping[str, Any]) -> None:
    if not guard:
        ledger.append(records, token, **common)
        return
    from .guard import runtime  # compiled anew at each call, and not always needed
    runtime.arm_before(guard, records, common, ledger.service, token, directory)
    written = ledger.append(records, token, **common)
    runtime.disarm_after(written, common["run"], ledger.service, token, directory)


def _known(ledger: Ledger, run: str, wanted: set[str]) -> bool:
    """Whether the guard has settled the run here in the way that is to be recorded."""
    last = ledger.read().last or {"run": "", "state": ""}
    ends = {ROLLED_BACK: {ABORTING, ROLLED_BACK}, COMMITTED: {COMMITTED}}
    return bool(last["run"] == run and last["state"] in ends and last["phase"] == RESULT
                and wanted <= ends[last["state"]])


ACTIONS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "lock": lock, "renew": renew, "unlock": unlock, "record": record, "stop": stop, "clear": clear, "rearm": rearm,
    "disarm": disarm, "fire": fire,
}


def _positive(name: str, value: float) -> None:
    if value <= 0:
        raise InputError(name, value, "more than 0 seconds", "600")
