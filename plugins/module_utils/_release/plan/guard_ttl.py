# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a guard has to wait: longer than any time in which a rollout gives no sign of life."""

from __future__ import annotations

import contextlib
import math
from typing import Any, Mapping, Sequence

from ..._core.errors import InputError
from ..declared.hooks import TIMEOUT_S as HOOK_S

#: Seconds that the rollout needs for itself between two steps.
SPARE_S = 10.0

#: How often a load gate without a verdict is tried, and what else a gate takes when nobody says so, in seconds.
TRIES, DEADLINE_S, TIMEOUT_S = 3, 30.0, 60.0

_WHAT = {"alone": "the start of a release with the gates and hooks before its switch",
         "wave": "the switch of a wave with the gates and hooks after it",
         "soak": "the gates after the soak and the hooks before the commit"}


#: The moment whose time the hooks of a phase take.
_HOOKS = {"before_switch": "alone", "after_switch": "wave", "before_commit": "soak"}


def ttl_of(ttl_s: float, waves: Sequence[Sequence[str]], forks: int) -> float:
    """Return the time to live of the guards: ``ttl_s`` for each round in which Ansible goes through the largest wave.

    :arg forks: how many hosts it asks at a time.
    """
    return ttl_s * math.ceil(max(map(len, waves), default=1) / forks)


def check_ttl(ttl_s: float, steps_s: Mapping[str, float], gates: Sequence[Mapping[str, Any]],
              hooks: Mapping[str, Any]) -> None:
    """Refuse a time to live that a step of one round may outlast; 0 is no guard.

    :arg steps_s: longest time by moment (``alone``, ``wave``, ``soak``) without gates and hooks.
    :arg gates: all of them. :arg hooks: by phase.
    :raises InputError: naming the step that takes longest and its seconds.
    """
    steps = [*gates, *({"timeout_s": HOOK_S, **hook, "type": "command", "when": moment}
                       for phase, moment in _HOOKS.items() for hook in hooks.get(phase) or [])]
    needed = {what: steps_s[moment] + sum(_longest_s(one) for one in steps if one.get("when", "wave") == moment)
              for moment, what in _WHAT.items()}
    what = max(needed, key=needed.__getitem__)
    if 0 < ttl_s < needed[what] + SPARE_S:
        raise InputError("rollout_guard_ttl_s", ttl_s, f"at least {needed[what] + SPARE_S:g} seconds, because {what} "
                         f"may take {needed[what]:g}", f"{needed[what] + 2 * SPARE_S:g}")


def _longest_s(gate: Mapping[str, Any]) -> float:
    """Return the seconds of one gate; a manual one gives signs of life, nonsense is refused elsewhere.

    A load gate alone that has a baseline sends its load to the old release as well, each time.
    """
    with contextlib.suppress(TypeError, ValueError):
        kind = gate.get("type", "load")
        if kind == "load":
            loads = 2 if gate.get("when") == "alone" and gate.get("baseline") is not None else 1
            return TRIES * loads * (1.0 + float(gate.get("warmup_s", 0)) + float(gate.get("duration_s", 0)))
        if kind == "command":
            return float(gate.get("timeout_s", TIMEOUT_S))
        if kind in ("health", "metric"):
            return float(gate.get("deadline_s", DEADLINE_S)) + float(gate.get("wait_s", 0))
    return 0.0
