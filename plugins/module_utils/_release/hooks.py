# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hooks: commands of the operator between the steps of a rollout."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from .._core.errors import InputError

#: When a hook runs, in the order of a rollout.
PHASES = ("before_stage", "before_switch", "after_switch", "before_commit", "after_commit", "after_rollback")
#: Once per host that the phase is about, on the first one of them, or on the controller.
HOST, ONCE, CONTROLLER = "host", "once", "controller"
PLACES = (HOST, ONCE, CONTROLLER)
TIMEOUT_S = 60.0
KEYS = frozenset(("name", "command", "on", "timeout_s"))
EXAMPLE = "{before_switch: [{name: warm cache, command: /usr/local/bin/warm, on: once, timeout_s: 30}]}"


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
    if hook.get("on", HOST) not in PLACES:
        yield str(InputError(f"{where}.on", hook["on"], f"one of {', '.join(PLACES)}", HOST))
    try:
        limit = float(hook.get("timeout_s", TIMEOUT_S))
    except (TypeError, ValueError):
        limit = 0.0
    if not 0 < limit <= 86400:
        yield str(InputError(f"{where}.timeout_s", hook["timeout_s"], "seconds above 0, at most 86400", "60"))


def lines(hooks: Mapping[str, Any]) -> list[str]:
    """Return the hooks for people, in the order in which they run."""
    return [f"hook {phase}: {hook['name']} ({hook.get('on', HOST)})"
            for phase in PHASES for hook in hooks.get(phase) or []]
