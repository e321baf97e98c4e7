# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of a service: one run at a time, with a time to live and a fencing token that only grows.

The lock is a file on the host that the inventory names. Every change of it happens inside an advisory lock of
that host's kernel, which a dying process cannot leave behind; readers see whole files only. Age and expiry are
measured on that host's clock alone. A lock that has not expired is taken over in two cases only: the guard on that
host has sent its run back, so that it can do nothing any more; or the holder himself says that its controller is
gone. The token is kept in a file of its own, so that it goes on growing after the lock was given back; a target's
ledger refuses a lower one.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any, Callable, Iterator, Mapping

from ..._core import files
from ..._core.errors import FleetError
from ..guard.order import BALANCER, FIRED, Guard
from ..ledger.records import DIRECTORY


class LockHeld(FleetError):
    """Another run holds the lock, or this one lost it."""


class Lock:
    """One service's lock on this host: ``<directory>/<service>/lock.json``."""

    def __init__(self, service: str, directory: str = DIRECTORY, clock: Callable[[], float] = time.time) -> None:
        self.directory = os.path.join(directory, service)
        self.path = os.path.join(self.directory, "lock.json")
        self._token_path = os.path.join(self.directory, "token")
        self._mutex = f"{self.path}.lock"
        self._clock = clock

    def read(self) -> dict[str, Any]:
        """Return what :meth:`acquire` was told, ``token``, ``took_over``, ``age_s``, ``expires_in_s`` and ``expired``.

        Without a lock only ``held`` (false) and ``token`` (the last one given) are there. An expired lock is
        still held until somebody takes it over.
        """
        content = files.read(self.path)
        if not content:
            return {"held": False, "token": int(files.read(self._token_path) or b"0")}
        lock: dict[str, Any] = json.loads(content)
        now = self._clock()
        lock.setdefault("controller", {})
        lock.update(held=True, age_s=round(now - lock["acquired_at"], 3),
                    expires_in_s=round(lock["expires_at"] - now, 3), expired=now >= lock.pop("expires_at"))
        return lock

    def acquire(self, holder: str, run: str, ttl_s: float, controller: Mapping[str, str] | None = None,
                abandoned: int = 0, seen: int = 0) -> dict[str, Any]:
        """Take the lock, or take one over, and return it as :meth:`read` does.

        The same controller may ask again for the same run: it gets its own lock, renewed, with the same token.

        :arg controller: what tells the process that drives the run from any other one.
        :arg abandoned: token of a lock of this holder whose controller is gone; it is taken over at once.
        :arg seen: highest token that the hosts' ledgers know; the new one is higher, also on a host that never kept the
            lock before.
        :raises LockHeld: naming the holder and the age.
        """
        controller = dict(controller or {})
        files.make_directory(self.directory)
        with files.exclusive(self._mutex):
            found = self.read()
            if found["held"] and (found["run"], found["controller"]) == (run, controller):
                return self._write({**found, "ttl_s": ttl_s})
            if found["held"] and not self._free(found, holder, abandoned):
                raise LockHeld(
                    f"The lock is held by {found['holder']} (run {found['run']}) since {found['age_s']:.0f} s; "
                    f"it expires in {found['expires_in_s']:.0f} s.",
                    "Wait for that run, or until the lock expires: the next run then takes it over.", lock=found)
            token = max(int(files.read(self._token_path) or b"0"), seen) + 1
            files.replace(self._token_path, str(token).encode())
            took_over = {key: found[key] for key in ("holder", "run", "token", "age_s")} if found["held"] else None
            return self._write({"holder": holder, "run": run, "controller": controller, "token": token,
                                "acquired_at": self._clock(), "ttl_s": ttl_s, "took_over": took_over})

    def _free(self, found: Mapping[str, Any], holder: str, abandoned: int) -> bool:
        guard = Guard(BALANCER, os.path.basename(self.directory), os.path.dirname(self.directory)).read()
        sent_back = guard["state"] == FIRED and (guard["run"], guard["token"]) == (found["run"], found["token"])
        return found["expired"] or sent_back or (found["holder"], found["token"]) == (holder, abandoned)

    def renew(self, run: str, ttl_s: float, token: int | None = None) -> dict[str, Any]:
        """Begin the time to live anew.

        :arg token: the one that the run has got; None does not ask.
        :raises LockHeld: when this run no longer holds the lock, or goes on elsewhere with a newer token.
        """
        with self._own(run, token) as found:
            return self._write({**found, "ttl_s": ttl_s})

    def release(self, run: str, token: int | None = None) -> bool:
        """Give the lock back; return whether this run held it. Somebody else's lock is left alone.

        :arg token: as for :meth:`renew`: a run that went on elsewhere has the same name.
        """
        try:
            with self._own(run, token):
                os.unlink(self.path)
                files.sync_directory(self.directory)
                return True
        except LockHeld:
            return False

    @contextlib.contextmanager
    def _own(self, run: str, token: int | None = None) -> Iterator[dict[str, Any]]:
        files.make_directory(self.directory)
        with files.exclusive(self._mutex):
            found = self.read()
            if not found["held"] or found["run"] != run or token not in (None, found["token"]):
                owner = f"{found['holder']} (run {found['run']}, token {found['token']})" if found["held"] else "nobody"
                raise LockHeld(f"Expected the lock to be held by run {run}, found that {owner} holds it.",
                               "It expired and was taken over, or was given back; this run must stop.", lock=found)
            yield found

    def _write(self, lock: dict[str, Any]) -> dict[str, Any]:
        kept = {key: lock[key] for key in ("holder", "run", "controller", "token", "acquired_at", "ttl_s", "took_over")}
        files.replace(self.path, json.dumps({**kept, "expires_at": self._clock() + lock["ttl_s"]}).encode())
        return self.read()
