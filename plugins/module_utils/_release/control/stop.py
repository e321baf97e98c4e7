# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stop flag: a file on each host that keeps a run, or any, from changing more of a service. It needs no lock.

It says who set it and why, and it expires by the clock of the host that it is on. What a run has begun is still
settled: going back is not stopped. A flag that only pauses sends nobody back: a run holds before its next wave.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any, Callable, Mapping

from ..._core import files
from ..._core.errors import FleetError, InputError
from ..ledger.records import DIRECTORY
from ..ledger.states import COMMITTED, FORWARD, INTENT

ANY = "any"
#: Steps that a flag keeps from beginning. A commit is none of them: by then every host serves the new release.
STOPPABLE = frozenset(FORWARD) - {COMMITTED}


class Stopped(FleetError):
    """Somebody set the stop flag for this run."""


class StopFlag:
    """One service's flag on this host: ``<directory>/<service>/stop.json``."""

    def __init__(self, service: str, directory: str = DIRECTORY, clock: Callable[[], float] = time.time) -> None:
        self.path = os.path.join(directory, service, "stop.json")
        self._clock = clock

    def read(self) -> dict[str, Any]:
        """Return ``{set, run, by, reason, pause, set_at, age_s, expires_in_s}``; only ``set`` when none holds."""
        content = files.read(self.path)
        if not content:
            return {"set": False}
        flag: dict[str, Any] = json.loads(content)
        now = self._clock()
        expires_in_s = round(flag.pop("expires_at") - now, 3)
        if expires_in_s <= 0:
            return {"set": False}
        return {"set": True, **flag, "age_s": round(now - flag["set_at"], 3), "expires_in_s": expires_in_s}

    def set(self, run: str, by: str, reason: str, ttl_s: float, pause: bool = False) -> dict[str, Any]:
        """Set it in place of one that may be there.

        :arg run: the run to stop, or ``any``. :arg pause: whether it only has to wait.
        """
        now = self._clock()
        files.make_directory(os.path.dirname(self.path))
        files.replace(self.path, json.dumps({"run": run, "by": by, "reason": reason, "pause": pause, "set_at": now,
                                             "expires_at": now + ttl_s}).encode())
        return self.read()

    def clear(self) -> None:
        """Take it away, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
            files.sync_directory(os.path.dirname(self.path))

    def check(self, run: str) -> dict[str, Any]:
        """Let a run go on; return the flag that pauses it, empty without one.

        :raises Stopped: when the flag names this run or any; the message has who set it and why.
        """
        flag = self.read()
        if stops(flag, run):
            raise self.refusal(flag)
        return flag if applies(flag, run) else {}

    def check_start(self, run: str) -> None:
        """Let a run begin, which a pause keeps it from as well.

        :raises Stopped: when the flag names this run or any.
        """
        flag = self.check(run)
        if flag:
            raise self.refusal(flag)

    @staticmethod
    def refusal(flag: Mapping[str, Any]) -> Stopped:
        """Return the error that says who set the flag and how it is taken away."""
        return Stopped(said(flag), "Clear the flag with the playbook stop and -e stop_state=absent, or wait until it "
                       f"expires in {flag['expires_in_s']:.0f} s.", stop=flag)


def applies(flag: Mapping[str, Any], run: str) -> bool:
    """Whether a flag, as read, stops or pauses this run."""
    return bool(flag.get("set")) and flag["run"] in (ANY, run)


def stops(flag: Mapping[str, Any], run: str) -> bool:
    """Whether a flag, as read, sends this run back."""
    return applies(flag, run) and not flag.get("pause")


def said(flag: Mapping[str, Any]) -> str:
    """Return the sentence about a flag for people."""
    how = "paused" if flag.get("pause") else "stopped"
    return f"{how} by {flag['by']}: {flag['reason'] or 'no reason was given'}"


def begins_a_step(record: Mapping[str, Any]) -> bool:
    """Whether a record for the ledger announces a change that a flag may keep from happening."""
    return record.get("phase") == INTENT and record["state"] in STOPPABLE


def stop(service: str, run: str, holder: str, reason: str, ttl_s: float, directory: str = DIRECTORY,
         check_mode: bool = False, *, pause: bool = False) -> dict[str, Any]:
    """Set the flag; one that says the same is left alone.

    :arg pause: whether a run only has to wait for it to be taken away.
    """
    if ttl_s <= 0:
        raise InputError("ttl_s", ttl_s, "more than 0 seconds", "3600")
    flag = StopFlag(service, directory)
    before = flag.read()
    wanted = {"run": run, "by": holder, "reason": reason, "pause": pause}
    changed = not before["set"] or any(before.get(key) != value for key, value in wanted.items())
    return {"changed": changed, "stop": before if check_mode or not changed else flag.set(
        run, holder, reason, ttl_s, pause)}


def clear(service: str, run: str, directory: str = DIRECTORY, check_mode: bool = False) -> dict[str, Any]:
    """Take the flag away when it names this run; ``any`` takes away every flag."""
    flag = StopFlag(service, directory)
    before = flag.read()
    changed = before["set"] and run in (ANY, before["run"])
    if changed and not check_mode:
        flag.clear()
    return {"changed": changed, "stop": flag.read()}
