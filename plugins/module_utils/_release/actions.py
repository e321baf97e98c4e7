# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module evenkeel.fleet.release does: lock, renew, unlock, record, stop, clear."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

from .._core.errors import InputError
from .ledger import DIRECTORY, Ledger
from .lock import Lock, LockHeld
from .stop import StopFlag, begins_a_step, clear, stop


def lock(service: str, run: str, holder: str, ttl_s: float, directory: str = DIRECTORY,
         check_mode: bool = False) -> dict[str, Any]:
    """Take the lock; ``changed`` is whether this run did not have it yet.

    :raises LockHeld: naming the holder and the age.
    :raises Stopped: when the stop flag on this host keeps this run from beginning.
    """
    _positive("ttl_s", ttl_s)
    StopFlag(service, directory).check(run)
    one = Lock(service, directory)
    before = one.read()
    if check_mode:
        if before["held"] and before["run"] != run and not before["expired"]:
            raise LockHeld(f"The lock is held by {before['holder']} (run {before['run']}).", lock=before)
        return {"changed": not before["held"] or before["run"] != run, "lock": before}
    found = one.acquire(holder, run, ttl_s)
    return {"changed": found["token"] != before["token"] or not before["held"], "lock": found}


def renew(service: str, run: str, ttl_s: float, directory: str = DIRECTORY, check_mode: bool = False) -> dict[str, Any]:
    """Begin the lock's time to live anew.

    :raises LockHeld: when this run does not hold it.
    :raises Stopped: when the stop flag on this host keeps it from going on.
    """
    _positive("ttl_s", ttl_s)
    StopFlag(service, directory).check(run)
    one = Lock(service, directory)
    return {"changed": True, "lock": one.read() if check_mode else one.renew(run, ttl_s)}


def unlock(service: str, run: str, directory: str = DIRECTORY, check_mode: bool = False) -> dict[str, Any]:
    """Give this run's lock back; somebody else's is left alone."""
    one = Lock(service, directory)
    before = one.read()
    mine = before["held"] and before["run"] == run
    if mine and not check_mode:
        one.release(run)
    return {"changed": mine, "lock": one.read()}


def record(service: str, run: str, release: str, records: Sequence[Mapping[str, Any]], token: int, host: str,
           operator: str, directory: str = DIRECTORY, check_mode: bool = False) -> dict[str, Any]:
    """Append records to this host's ledger.

    :raises Stopped: when one of them begins a step, and the stop flag on this host keeps this run from it.
    """
    if not records:
        raise InputError("records", list(records), "at least one record", "[{state: STAGED, phase: intent}]")
    if any(map(begins_a_step, records)):
        StopFlag(service, directory).check(run)
    ledger = Ledger(service, directory)
    if check_mode:
        return {"changed": True, "records": []}
    return {"changed": True, "records": ledger.append(
        records, token, run=run, release=release, host=host, operator=operator)}


ACTIONS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "lock": lock, "renew": renew, "unlock": unlock, "record": record, "stop": stop, "clear": clear,
}


def _positive(name: str, value: float) -> None:
    if value <= 0:
        raise InputError(name, value, "more than 0 seconds", "600")
