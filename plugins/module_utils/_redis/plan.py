# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to change: every wanted setting next to its running value, refused as a whole when one is wrong."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Mapping

from .._core.errors import FleetError, InputError
from .._core.units import format_bytes
from .catalogue import PROTECTED, RESTART_ONLY, SECRETS, modern, shown
from .server import Server
from .values import aligned, canonical

NONE, SET, RESTART = "none", "set", "restart"


@dataclass(frozen=True)
class Change:
    """One setting: canonical values before and after, and the action: none, set (live) or restart."""

    setting: str
    before: str
    after: str
    action: str


def propose(wanted: Mapping[str, Any], server: Server, force: bool = False) -> list[Change]:
    """Compare the wanted settings with the server, in alphabetical order.

    :arg force: allow a ``maxmemory`` below the memory in use.
    :raises FleetError: when a parameter is unknown, given twice, has an impossible value or endangers the data.
    """
    names = _checked_names(wanted, server)
    changes = []
    for given, name in sorted(names.items(), key=lambda pair: pair[1]):
        after = canonical(name, wanted[given], server.config[name])
        before = aligned(name, server.config[name], after)
        action = NONE if before == after else RESTART if _needs_restart(name, server) else SET
        changes.append(Change(name, before, after, action))
    if not force:
        _refuse_eviction(changes, server)
    return changes


def _checked_names(wanted: Mapping[str, Any], server: Server) -> dict[str, str]:
    """Return given name → the server's name, all known and none twice."""
    names = {given: str(given).strip().lower() for given in wanted}
    unknown = sorted(given for given, name in names.items() if name not in server.config)
    if unknown:
        near = {given: difflib.get_close_matches(names[given], server.config, n=3) for given in unknown}
        hints = [f"{given}: did you mean {' or '.join(found)}?" for given, found in near.items() if found]
        raise FleetError(
            f"settings: expected parameters that Redis {server.info['redis_version']} knows, "
            f"found {', '.join(unknown)}; nothing was changed.",
            " ".join(hints) or "See the server's CONFIG GET * for the names.",
            unknown=unknown,
        )
    by_parameter: dict[str, str] = {}
    for given, name in names.items():
        other = by_parameter.setdefault(modern(name), given)
        if other != given:
            raise FleetError(
                f"settings.{given}: expected every parameter once, found it again as {other}; nothing was changed.",
                f"Leave out {given} or {other}.",
            )
    return names


def refuse_open_secrets(wanted: Mapping[str, Any]) -> None:
    """Refuse a secret among the settings that are shown.

    :raises FleetError: naming the parameter, not its value.
    """
    for given in wanted:
        if str(given).strip().lower() in SECRETS:
            raise FleetError(
                f"settings.{given}: expected it in secret_settings, which are never shown; nothing was changed.",
                f"Move {given} to secret_settings.",
            )


def _needs_restart(name: str, server: Server) -> bool:
    protected = name in PROTECTED and server.config.get("enable-protected-configs", "yes") == "no"
    return modern(name) in RESTART_ONLY or protected


def _refuse_eviction(changes: list[Change], server: Server) -> None:
    """Refuse a new limit that is below what is in use: Redis would evict, or refuse writes, at once."""
    used = server.number("used_memory")
    for change in changes:
        if change.setting == "maxmemory" and change.action == SET and 0 < int(change.after) < used:
            raise InputError(
                "settings.maxmemory", change.after,
                f"at least the {format_bytes(used)} in use, because Redis would evict or refuse writes at once",
                f"maxmemory: {used}, or force: true",
            )


def masked(change: Change) -> dict[str, str]:
    """Return the change as results and reports may show it."""
    return {
        "setting": change.setting,
        "before": shown(change.setting, change.before),
        "after": shown(change.setting, change.after),
        "action": change.action,
    }
