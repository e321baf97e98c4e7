# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hooks: commands of the operator between the steps of a rollout."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ..._core.errors import InputError

#: When a hook runs, in the order of a rollout.
PHASES = ("before_stage", "before_switch", "after_switch", "before_commit", "after_commit", "after_rollback")
#: In these there is nothing left to fail: a hook that fails is a warning.
LENIENT = ("after_commit", "after_rollback")
#: Once per host that the phase is about, on the first one of them, or on the controller.
HOST, ONCE, CONTROLLER = "host", "once", "controller"
PLACES = (HOST, ONCE, CONTROLLER)
TIMEOUT_S = 30.0
KEYS = frozenset(("name", "command", "where", "timeout_s"))
EXAMPLE = "{before_switch: [{name: warm cache, command: /usr/local/bin/warm, where: once, timeout_s: 30}]}"


def problems(hooks: Mapping[str, Any]) -> Iterable[str]:
    """Yield what is wrong with the declaration."""
    for phase, listed in hooks.items():
        if phase not in PHASES:
            yield str(InputError("rollout_hooks", phase, f"phases out of {', '.join(PHASES)}", EXAMPLE))
        elif not isinstance(listed, list):
            yield str(InputError(f"rollout_hooks.{phase}", listed, "a list of hooks", EXAMPLE))
        else:
            for number, hook in enumerate(listed):
                yield from _problems(f"rollout_hooks.{phase}[{number}]", hook)


def _problems(where: str, hook: Any) -> Iterable[str]:
    if not isinstance(hook, Mapping) or set(hook) - KEYS or not {"name", "command"} <= set(hook):
        yield str(InputError(where, sorted(hook) if isinstance(hook, Mapping) else hook,
                             f"name and command, and at most {', '.join(sorted(KEYS))}", EXAMPLE))
        return
    if not isinstance(hook["command"], str) or not hook["command"].strip():
        yield str(InputError(f"{where}.command", hook["command"], "a command line for sh", "/usr/local/bin/warm"))
    if hook.get("where", HOST) not in PLACES:
        yield str(InputError(f"{where}.where", hook["where"], f"one of {', '.join(PLACES)}", HOST))
    try:
        limit = float(hook.get("timeout_s", TIMEOUT_S))
    except (TypeError, ValueError):
        limit = 0.0
    if not 0 < limit <= 86400:
        yield str(InputError(f"{where}.timeout_s", hook["timeout_s"], "seconds above 0, at most 86400", "30"))


def longest_s(hooks: Mapping[str, Any]) -> tuple[str, float]:
    """Return the phase whose hooks may take longest, and how long that is, in seconds."""
    spent = {phase: sum(float(hook.get("timeout_s", TIMEOUT_S)) for hook in hooks.get(phase) or []) for phase in PHASES}
    phase = max(PHASES, key=lambda one: spent[one])
    return phase, spent[phase]


def outcome(results: Mapping[str, Mapping[str, Any]], hook: Mapping[str, Any], phase: str) -> dict[str, Any]:
    """Return ``{records, failures}`` of one command: what came of it, by host, and a sentence for each that failed.

    :arg results: by host of the phase, what the task that ran the command returned; most of them skipped it when the
        hook runs in one place.
    :arg phase: one of ``PHASES``, or what else the command is, such as ``migration``.
    """
    place = hook.get("where", HOST)
    what = f"hook {hook['name']} of {phase}" if phase in PHASES else f"{phase} {hook['name']}"
    records, failures = [], []
    for host, result in results.items():
        if result.get("skipped"):
            continue
        where, code = ("the controller" if place == CONTROLLER else host), result.get("rc")
        records.append({"phase": phase, "name": hook["name"], "host": host, "where": place, "rc": code})
        if code != 0:
            failures.append(f"{what} failed on {where}: {_reason(result, hook)}")
    if not records:
        failures.append(f"{what} did not run: nobody who had to answers")
    return {"records": records, "failures": failures}


def _reason(result: Mapping[str, Any], hook: Mapping[str, Any]) -> str:
    """Return why: the last line with a word that the command wrote, which therefore must hold no secret."""
    code = result.get("rc")
    if code is None:
        return "it does not answer"
    if code in (124, 137):
        return f"it took longer than {float(hook.get('timeout_s', TIMEOUT_S)):g} s"
    written = [line for line in (result.get("stdout_lines") or []) + (result.get("stderr_lines") or [])
               if any(map(str.isalnum, line))]
    return f"rc {code}{': ' + written[-1].strip()[:200] if written else ''}"


def lines(hooks: Mapping[str, Any]) -> list[str]:
    """Return the hooks for people, in the order in which they run."""
    return [f"hook {phase}: {hook['name']} ({hook.get('where', HOST)})"
            for phase in PHASES for hook in hooks.get(phase) or []]
