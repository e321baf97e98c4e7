# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A slot as a whole, from its replicas, and which one is in use."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from .._core.errors import FleetError


def slot_from(replicas: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a slot as a whole: as its first replica, or as the first that does not run; it runs only with all."""
    return {**min(replicas, key=lambda one: bool(one["running"])), "replicas": replicas}


def slot_in_use(name: str, slots: Mapping[str, Mapping[str, Any]], committed: Callable[[], str]) -> str:
    """Return the slot of a service that is in use: the one that runs.

    :arg name: by which the runtime knows the service.
    :arg slots: what it says of them, by their names.
    :arg committed: says which one that should be; asked when none runs.
    :raises FleetError: when it is not certain.
    """
    found = [slot for slot, one in slots.items() if any(each["running"] for each in one["replicas"])]
    if not found:
        found = [slot for slot in slots if len(slots) == 1 or slot == committed()]
    if len(found) != 1:
        known = ", ".join(f"{slot} {one['status']}" for slot, one in slots.items()) or "none"
        raise FleetError(f"Expected one slot of {name} to be in use, found: {known}.",
                         "Deploy it, or let the rollout that is under way end (playbook rollout or rollback).")
    return found[0]
