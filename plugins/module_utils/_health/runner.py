# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at many components at once, again and again until the answer is certain or time is up."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from .._core import verdict as core
from .._core.clock import Deadline, full_jitter, utc_now
from .._core.errors import InputError
from .checks import CHECKS, validate
from .observation import FAIL, PASS, WARN, Observation

if TYPE_CHECKING:
    from .memory import Memory

_SEVERITY = {PASS: 0, WARN: 1, FAIL: 2}

#: A look that has fewer seconds than this only finds that it has none, and hides what the one before has found.
LEAST_S = 0.02

#: Seconds that a check may be late after the deadline before it is given up.
GRACE_S = 1.0


class Watch:
    """One component: look until ``consecutive`` looks in a row are good, looking is hopeless or time is up.

    One that ``lasts`` may go wrong again: it is looked at until the others are settled.
    """

    def __init__(self, check: Mapping[str, Any], consecutive: int, interval_s: float) -> None:
        self.check = check
        self.lasts = False
        self.consecutive = consecutive
        self.interval_s = interval_s
        self.attempts = 0
        self.streak = 0
        self.called_off = False
        self.time = utc_now()
        self.last = Observation(FAIL, "an answer before the deadline", "none came.", "Allow more time.")

    @property
    def settled(self) -> bool:
        """Whether the answer cannot change any more."""
        return (self.streak >= self.consecutive and not self.lasts) or self.last.hopeless

    @property
    def judged(self) -> Observation:
        """The last observation; a failure when it was not good often enough."""
        found = self.last
        if found.status != FAIL and self.streak < self.consecutive and not (found.hopeless or self.called_off):
            output = f"good {self.streak} time(s) in a row before the deadline, {self.consecutive} needed."
            found = dataclasses.replace(found, status=FAIL, output=output, remedy="Allow more time.")
        return found

    @property
    def outcome(self) -> Observation:
        """What was judged as it counts: softened if the check is not critical, with the check's own remedy."""
        found = self.judged
        if found.status == FAIL and not self.check["critical"]:
            found = dataclasses.replace(found, status=WARN)
        if found.status != PASS and self.check["remedy"]:
            found = dataclasses.replace(found, remedy=self.check["remedy"])
        return found

    def run(self, deadline: Deadline, stop: threading.Event) -> None:
        """Look at least once; ``stop`` is set when the overall answer is certain."""
        backoff = full_jitter(cap_s=self.interval_s)
        while True:
            timeout_s = self.check["timeout_s"]
            if self.attempts:
                timeout_s = min(timeout_s, deadline.remaining_s)
            found = self._look(timeout_s)
            self.attempts += 1
            if self.attempts > 1 and found.status == FAIL and not found.hopeless and deadline.expired:
                return  # cut short: what was seen before says more
            self.last, self.time = found, utc_now()
            if found.status == FAIL:
                self.streak = 0
                pause_s = next(backoff)
            else:
                self.streak += 1
                backoff = full_jitter(cap_s=self.interval_s)
                pause_s = self.interval_s
            if self.settled:
                if self.outcome.status == FAIL:
                    stop.set()
                return
            if pause_s >= deadline.remaining_s:
                return
            self.called_off = stop.wait(pause_s)
            if self.called_off or deadline.remaining_s < LEAST_S:
                return

    def _look(self, timeout_s: float) -> Observation:
        try:
            return CHECKS[self.check["type"]](self.check, timeout_s)
        except ValueError as error:  # such as a header that no request can carry
            return Observation(FAIL, "parameters that can be used", f"{error}.", "Correct the check.", hopeless=True)

    def to_component(self) -> dict[str, Any]:
        """Return the component in the words of the draft "Health Check Response Format for HTTP APIs"."""
        found = self.outcome
        return {
            "componentType": self.check["type"],
            "status": found.status,
            "observedValue": found.value,
            "observedUnit": found.unit,
            "time": self.time,
            "output": found.output,
            "expected": found.expected,
            "remedy": found.remedy if found.status != PASS else "",
            "attempts": self.attempts,
            "critical": self.check["critical"],
            "age_s": 0.0,
        }


def observe(
    checks: Sequence[Mapping[str, Any]],
    consecutive: int = 1,
    deadline_s: float = 0.0,
    interval_s: float = 1.0,
    memory: Memory | None = None,
    cache_s: float = 10.0,
) -> dict[str, dict[str, Any]]:
    """Run all checks at once, each in its own thread, and return the components by name.

    :arg consecutive: how many good looks in a row each component needs.
    :arg deadline_s: seconds after which no new look is taken; with 0 each component is looked at once.
    :arg interval_s: pause between good looks, and the longest pause (full jitter) after a bad one.
    :arg memory: what earlier runs found. A result of at most ``cache_s`` seconds is used again, and a component whose
        circuit is open is not asked.

    Once a critical component is hopeless, or all of them are certain, nothing is waited for any more.

    :raises InputError: when a parameter is wrong, before anything was asked.
    """
    validate_looks(checks, consecutive, deadline_s, interval_s)
    if cache_s < 0:
        raise InputError("cache_s", cache_s, "0 or more seconds", "10")
    known = {check["name"]: memory.answer(check, cache_s) for check in checks} if memory else {}
    watches = [Watch(check, consecutive, interval_s) for check in checks if not known.get(check["name"])]
    watch_all(watches, Deadline(deadline_s), certain=any(seen and seen["status"] == FAIL for seen in known.values()))
    for watch in watches:
        component = watch.to_component()
        if memory and not watch.called_off:
            component = memory.learn(watch.check, component, good=watch.judged.status != FAIL)
        known[watch.check["name"]] = component
    if memory and watches:
        memory.save()
    return {check["name"]: known[check["name"]] or {} for check in checks}


def validate_looks(checks: Sequence[Mapping[str, Any]], consecutive: int, deadline_s: float, interval_s: float) -> None:
    """Refuse checks that cannot be made, and looks for which there is no time.

    :raises InputError: names the parameter.
    """
    validate(checks)
    if consecutive < 1:
        raise InputError("consecutive", consecutive, "1 or more", "3")
    if deadline_s < 0 or interval_s <= 0:
        raise InputError("deadline_s, interval_s", (deadline_s, interval_s), "no negative times", "30, 1")
    if consecutive > 1 and deadline_s < (consecutive - 1) * interval_s:
        enough = f"time for {consecutive} looks, {interval_s:g} s apart"
        raise InputError("deadline_s", deadline_s, enough, f"{consecutive * interval_s * 5:g}")


def watch_all(watches: Sequence[Watch], deadline: Deadline, certain: bool = False) -> None:
    """Run watches until all are settled or called off; with ``certain`` each looks once.

    A container or unit whose restarts are counted is looked at as long as anything else is waited for.
    """
    stop = threading.Event()
    if certain:
        stop.set()
    counted = [watch for watch in watches if watch.check["max_restarts"] is not None]
    for watch in counted:
        watch.lasts = any(other.check["critical"] for other in watches if other not in counted)
    threads = [threading.Thread(target=watch.run, args=(deadline, stop), daemon=True) for watch in watches]
    for thread in threads:
        thread.start()
    for waited_for in (True, False):
        for watch, thread in zip(watches, threads):
            if (watch.check["critical"] and not watch.lasts) is waited_for:
                thread.join(max(deadline.remaining_s, watch.check["timeout_s"] - deadline.elapsed_s) + GRACE_S)
        stop.set()


def decide(components: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Return the worst status and the first component that has it; nothing at all is a warning by nobody."""
    decided_by = max(components, key=lambda name: _SEVERITY[components[name]["status"]], default="")
    return (components[decided_by]["status"] if components else WARN), decided_by


def probe(
    checks: Sequence[Mapping[str, Any]],
    consecutive: int = 1,
    deadline_s: float = 30.0,
    interval_s: float = 1.0,
    check_mode: bool = False,
    state_file: str | None = None,
    cache_s: float = 10.0,
    breaker: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Observe all components and return a verdict with the components and the one that decided.

    With ``state_file`` results are used again for ``cache_s`` seconds, and ``breaker`` has the limits of
    :class:`.breaker.Limits`; both are left alone in check mode.

    In check mode each component is looked at once, commands only when they are declared read-only, and what
    fails makes the verdict inconclusive: what check mode did not change cannot be healthy yet.

    :raises InputError: when a parameter is wrong, before anything was asked.
    """
    if not checks:
        raise InputError("checks", checks, "at least one check", "[{name: ssh, type: tcp, port: 22}]")
    clock, started_at = Deadline(deadline_s), utc_now()
    left_out = [check for check in checks if check_mode and check["type"] == "command" and not check["read_only"]]
    asked = [check for check in checks if check not in left_out]
    if check_mode:
        consecutive, deadline_s = 1, 0.0
    components = observe(asked, consecutive, deadline_s, interval_s, _memory(state_file, breaker, check_mode), cache_s)
    status, decided_by = decide(components)
    reasons = [f"{name}: {found['output']}" for name, found in components.items() if found["status"] == FAIL]
    reasons += [f"{check['name']}: check mode, the command was not run" for check in left_out]
    verdict = core.FAIL if status == FAIL else core.INCONCLUSIVE if left_out or not components else core.PASS
    if check_mode and verdict == core.FAIL:
        verdict = core.INCONCLUSIVE
        reasons.insert(0, "check mode: nothing was changed, so this is not final")
    counts = {word: sum(found["status"] == word for found in components.values()) for word in _SEVERITY}
    return {
        **core.Verdict(
            verdict,
            reasons,
            metrics={"components": len(components), **counts},
            samples={"attempts": {name: found["attempts"] for name, found in components.items()}},
            started_at=started_at,
            duration_s=round(clock.elapsed_s, 3),
        ).to_result(),
        "status": status,
        "decided_by": decided_by,
        "components": components,
    }


def _memory(state_file: str | None, breaker: Mapping[str, Any] | None, check_mode: bool) -> Memory | None:
    if state_file is None or check_mode:
        return None
    from .breaker import Limits
    from .memory import Memory  # rarely needed: not compiled by the probes of a rollout

    return Memory(state_file, Limits(**(breaker or {})))
