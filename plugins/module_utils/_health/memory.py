# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What earlier looks found, kept in a file between runs: the last result of each component and its breaker."""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import Any, Callable, Mapping

from .._core import files
from .._core.errors import FleetError, InputError
from .breaker import OPEN, Breaker, Limits
from .observation import FAIL, WARN
from .options import CHECK


class Record:
    """One component: its last result, when that was found (seconds since 1970), and its breaker."""

    def __init__(self, fingerprint: str, breaker: Breaker) -> None:
        self.fingerprint = fingerprint
        self.breaker = breaker
        self.component: dict[str, Any] | None = None
        self.at = 0.0


class Memory:
    """The records of all components by name.

    :arg path: the file, of mode 0600; its directory has to exist. A file that cannot be read as ours is begun anew.
    :arg limits: of the breakers.
    :arg clock: seconds since 1970, since monotonic clocks do not survive a reboot.

    No secret is written, nor anything derived from one.
    """

    def __init__(self, path: str, limits: Limits, clock: Callable[[], float] = time.time) -> None:
        if not os.path.isdir(os.path.dirname(path) or "."):
            raise InputError("state_file", path, "a file in a directory that exists", "/var/lib/evenkeel/health.json")
        self.path = path
        self.clock = clock
        self._limits = limits
        self._changed: set[str] = set()
        self._records = self._load()

    def record(self, check: Mapping[str, Any]) -> Record:
        """Return what is known of a check; nothing when it was defined differently then."""
        name, fingerprint = check["name"], _fingerprint(check)
        known = self._records.get(name)
        if known is None or known.fingerprint != fingerprint:
            known = self._records[name] = Record(fingerprint, Breaker(self._limits))
        return known

    def age_s(self, check: Mapping[str, Any]) -> float | None:
        """Return the age of the last result in seconds; None when there is none, or when it is from the future."""
        known = self.record(check)
        age_s = self.clock() - known.at
        return round(age_s, 3) if known.component is not None and age_s >= 0 else None

    def answer(self, check: Mapping[str, Any], cache_s: float) -> dict[str, Any] | None:
        """Return the result to use instead of looking: a recent one, or that the circuit is open; None to look."""
        known, age_s = self.record(check), self.age_s(check)
        if known.component is None:
            return None
        state, wait_s = known.breaker.state(self.clock()), known.breaker.wait_s(self.clock())
        seen = {**known.component, "age_s": age_s, "circuit": state}
        if age_s is not None and age_s <= cache_s:
            return seen
        if state != OPEN:
            return None
        output = f"circuit open, next look in {wait_s:.0f} s; {known.component['output']}"
        return {**seen, "status": FAIL if check["critical"] else WARN, "output": output, "attempts": 0}

    def learn(self, check: Mapping[str, Any], component: dict[str, Any], good: bool) -> dict[str, Any]:
        """Take a result that was just found; return it with the state of its circuit."""
        known, now = self.record(check), self.clock()
        known.breaker.record(good, now)
        known.component, known.at = component, now
        self._changed.add(check["name"])
        return {**component, "circuit": known.breaker.state(now)}

    def save(self) -> None:
        """Write what was learnt; what other runs have learnt meanwhile of other components stays.

        :raises FleetError: when the file cannot be written.
        """
        try:
            with files.exclusive(f"{self.path}.lock"):
                latest = self._load()
                latest.update((name, self._records[name]) for name in self._changed)
                text = json.dumps({name: _to_dict(known) for name, known in latest.items()})
                files.replace(self.path, text.encode(), 0o600)
        except OSError as error:
            raise _unusable("write", self.path, error) from error
        self._changed.clear()

    def _load(self) -> dict[str, Record]:
        try:
            content = json.loads(files.read(self.path) or b"{}")
            return {str(name): _from_dict(self._limits, state) for name, state in content.items()}
        except OSError as error:
            raise _unusable("read", self.path, error) from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}


def _unusable(verb: str, path: str, error: OSError) -> FleetError:
    return FleetError(f"state_file: cannot {verb} {path}: {error.strerror}.", "Choose another path.")


def _fingerprint(check: Mapping[str, Any]) -> str:
    """Return a digest of what a check asks, without its secrets."""
    asked = {name: value for name, value in check.items() if not CHECK.get(name, {}).get("no_log")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _to_dict(known: Record) -> dict[str, Any]:
    return {
        "fingerprint": known.fingerprint,
        "breaker": known.breaker.to_dict(),
        "component": known.component,
        "at": known.at,
    }


def _from_dict(limits: Limits, state: Mapping[str, Any]) -> Record:
    known = Record(str(state["fingerprint"]), Breaker.from_dict(limits, state["breaker"]))
    known.component, known.at = state["component"] and dict(state["component"]), float(state["at"])
    return known
