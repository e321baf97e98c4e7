# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard of a service on this host: what becomes of a run that nobody hears of any more.

There are two kinds. On a load balancer it sends the traffic of the whole run back; on a host with a runtime it then
settles containers and ledger. Its order is a file that survives a crash; the program that carries it out is started by
:mod:`.unit`. The time to live is on the clock that counts since the boot of this host, so that setting the time
moves nothing; after a reboot it begins anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any, Callable, Iterator, Mapping

from ..._core import files
from ..._core.clock import utc_now
from ..._core.errors import FleetError
from ..ledger.records import DIRECTORY

BALANCER, RUNTIME = "balancer", "runtime"
KINDS = (BALANCER, RUNTIME)

NONE, ARMED, FIRED, DISARMED = "none", "armed", "fired", "disarmed"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"

#: What was done, for people, and whether that is all there is to do.
Outcome = tuple[list[str], bool]


class GuardFired(FleetError):
    """The guard has taken this run for dead and sent it back; the run must stop."""


def since_boot_s() -> float:
    """Return the seconds since this host was booted, those asleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def why(order: Mapping[str, Any]) -> str:
    """Return what ended the time of an order."""
    if "ended" in order:
        return f"because {order['ended']['by']} asked for it ({order['ended']['reason']})"
    return f"after {order['ttl_s']:g} s without news of it"


class Guard:
    """One guard's order: ``<directory>/<service>/guard-<kind>.json``."""

    def __init__(self, kind: str, service: str, directory: str = DIRECTORY,
                 clock: Callable[[], float] = since_boot_s) -> None:
        self.kind, self.service, self.directory = kind, service, directory
        self.path = os.path.join(directory, service, f"guard-{kind}.json")
        self._mutex = f"{self.path}.lock"
        self._clock = clock

    def read(self) -> dict[str, Any]:
        """Return ``{state, run, token, ttl_s, remaining_s, armed_at, settings, hosts, outcome, fired_at}``.

        ``state`` is ``none`` (and alone), ``armed``, ``fired`` or ``disarmed``. With ``ended``, ``{by, reason}``,
        somebody did not wait for its time.
        """
        found = self._load()
        if not found:
            return {"state": NONE}
        return {**{key: value for key, value in found.items() if key not in ("boot_id", "until_s")},
                "remaining_s": round(self._remaining_s(found), 3) if found["state"] == ARMED else 0.0}

    def arm(self, run: str, token: int, ttl_s: float, settings: Mapping[str, Any],
            hosts: Mapping[str, Mapping[str, Any]]) -> None:
        """Arm it, or extend what is armed for this run by further hosts; the time to live begins anew.

        :arg token: the fencing token of the lock under which the run goes on.
        :raises GuardFired: when it has fired for this run.
        :raises FleetError: when this host has already followed a higher token.
        """
        with self._order(run, token) as found:
            extends = found.get("state") == ARMED and found["run"] == run
            self._write({
                "state": ARMED, "run": run, "token": token, "settings": dict(settings), "armed_at": utc_now(),
                "hosts": {**(found["hosts"] if extends else {}), **hosts}, "outcome": [], "fired_at": "",
                **self._until(ttl_s)})

    def renew(self, run: str, token: int, ttl_s: float) -> bool:
        """Begin the time to live anew; return whether this run has a guard here.

        :raises GuardFired: when it has fired for this run.
        :raises FleetError: when this host has already followed a higher token.
        """
        with self._order(run, token) as found:
            armed = found.get("state") == ARMED and found["run"] == run
            if armed:
                found.pop("ended", None)  # it goes on after that, with a new token
                self._write({**found, "token": token, **self._until(ttl_s)})
            return armed

    def disarm(self, run: str, token: int) -> bool:
        """Take the order away, whichever run gave it; return whether there was one. It is the commit of a run.

        :raises GuardFired: when it has fired for this run.
        :raises FleetError: when this host has already followed a higher token.
        """
        with self._order(run, token) as found:
            armed = found.get("state") == ARMED
            if armed:
                self._write({**found, "run": run, "token": token, "state": DISARMED})
            return armed

    def end(self, run: str, by: str, reason: str) -> bool:
        """End its time now; return whether this run has a guard here. That of a load balancer ends the run with it.

        :arg by: who does not wait for its time, and :arg reason: why; who asks first is remembered.
        """
        files.make_directory(os.path.dirname(self.path))
        with files.exclusive(self._mutex):
            found = self._load()
            armed = found.get("state") == ARMED and found["run"] == run
            if armed:
                self._write({"ended": {"by": by, "reason": reason}, **found, **self._until(0.0)})
            return armed

    @contextlib.contextmanager
    def held_off(self, run: str, token: int) -> Iterator[None]:
        """Keep it from firing in the middle of the block.

        :raises FleetError: when this host has already followed a higher token.
        """
        files.make_directory(os.path.dirname(self.path))
        with files.shared(self._mutex):
            self._refuse(self._load(), run, token, also_fired=False)
            yield

    def fire(self, act: Callable[[Mapping[str, Any]], Outcome]) -> bool:
        """Do ``act`` and write down what it did; return whether that was all. Nothing is done before its time."""
        with files.exclusive(self._mutex):
            found = self._load()
            if found.get("state") != ARMED or self._remaining_s(found) > 0:
                return False
            outcome, done = act(found)
            self._write({**found, "state": FIRED if done else ARMED, "outcome": outcome, "fired_at": utc_now()})
            return done

    @contextlib.contextmanager
    def _order(self, run: str, token: int) -> Iterator[dict[str, Any]]:
        """Hold the order, which nobody else reads or writes meanwhile, if this run may change it."""
        files.make_directory(os.path.dirname(self.path))
        with files.exclusive(self._mutex):
            found = self._load()
            self._refuse(found, run, token)
            yield found

    def _refuse(self, found: Mapping[str, Any], run: str, token: int, also_fired: bool = True) -> None:
        if not found:
            return
        if token < found["token"]:
            raise FleetError(
                f"token: this host has already followed token {found['token']} (run {found['run']}), found the older "
                f"{token}.", "Another run took the lock over; this one must stop.", token=found["token"])
        fires = found["state"] == FIRED or (found["state"] == ARMED and self.kind == BALANCER and "ended" in found)
        if also_fired and fires and (found["run"], found["token"]) == (run, token):
            raise GuardFired(
                f"The guard sent run {run} back at {found['fired_at'] or utc_now()}, {why(found)}: "
                f"{'; '.join(found['outcome']) or 'it is at it'}.", "Run the same command again. If that was too "
                "early, raise rollout_guard_ttl_s.", order=dict(found))

    def _until(self, ttl_s: float) -> dict[str, Any]:
        return {"ttl_s": ttl_s, "until_s": self._clock() + ttl_s, "boot_id": _boot_id()}

    def _remaining_s(self, found: Mapping[str, Any]) -> float:
        until_s = found["until_s"] if found["boot_id"] == _boot_id() else found["ttl_s"]
        return float(until_s - self._clock())

    def _load(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(files.read(self.path) or b"{}")
        return found

    def _write(self, order: Mapping[str, Any]) -> None:
        files.replace(self.path, json.dumps(order).encode())


def _boot_id() -> str:
    return files.read(_BOOT_ID).decode().strip()
