# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A profile and the settings on top of it: the whole set with its sources, and what contradicts itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

from .._core.errors import FleetError
from .._core.units import format_bytes, parse_bytes
from .catalogue import SECRETS, modern
from .values import canonical

#: Largest share of memory for ``maxmemory``: the rest is for buffers and fragmentation, and with persistence for the
#: pages that a fork copies. Source: Redis administration guide, "Redis setup tips"; measured shares in anchors.
MAX_SHARE = 0.75
MAX_SHARE_PERSISTENT = 0.60


@dataclass(frozen=True)
class Declaration:
    """Settings with their sources, and one sentence per problem; nothing is applied while there is one."""

    settings: dict[str, Any]
    sources: dict[str, str]
    problems: list[str] = field(default_factory=list)


def declare(
    profile: Mapping[str, Any], overrides: Mapping[str, Any], memory: str | int, share: float = 0.0, force: bool = False
) -> Declaration:
    """Lay the overrides over a profile and derive ``maxmemory`` where neither gives it.

    :arg profile: ``{name, maxmemory_share, policies: […], settings: {parameter: {value, source}}}``.
    :arg overrides: values by parameter; they win.
    :arg memory: what Redis may count on, in bytes or with a unit.
    :arg share: share of it for ``maxmemory``; 0 takes the profile's.
    :arg force: allow a ``maxmemory`` beyond the safe share.
    """
    label = f"{profile['name']} profile"
    settings = {name: rule["value"] for name, rule in profile["settings"].items()}
    sources = {name: f"{label}: {rule['source']}" for name, rule in profile["settings"].items()}
    for given, value in overrides.items():
        name = str(given).strip().lower()
        for known in [known for known in settings if modern(known) == modern(name)]:
            del settings[known], sources[known]
        settings[name], sources[name] = value, "redis_tuning_settings"
    try:
        total = parse_bytes(memory, "redis_tuning_memory")
        if "maxmemory" not in settings:
            part = share or float(profile["maxmemory_share"])
            settings["maxmemory"] = int(total * part)
            sources["maxmemory"] = f"{label}: {part:.0%} of {format_bytes(total)}"
        problems = list(_problems(profile, settings, total, force))
    except FleetError as error:
        problems = [str(error)]
    return Declaration(settings, sources, problems)


def _problems(profile: Mapping[str, Any], settings: Mapping[str, Any], total: int, force: bool) -> list[str]:
    problems = [
        f"redis_tuning_settings.{name}: expected secrets in redis_tuning_secrets, which are never shown. Move it there."
        for name in sorted(SECRETS & set(settings))
    ]
    name, policy = profile["name"], str(settings.get("maxmemory-policy", "")).lower()
    if policy not in profile["policies"]:
        problems.append(
            f"redis_tuning_settings.maxmemory-policy: expected one of {', '.join(profile['policies'])} for "
            f"redis_tuning_profile {name}, found {policy!r}. Choose another policy or another profile."
        )
    limit = int(canonical("maxmemory", settings["maxmemory"], "0"))
    if limit == 0 and policy != "noeviction":
        problems.append(
            f"redis_tuning_settings.maxmemory: expected a limit, because {policy} evicts only at one, found 0. "
            "Give a size, or leave it out to have it derived."
        )
    persistent = _is_persistent(settings)
    share = MAX_SHARE_PERSISTENT if persistent else MAX_SHARE
    if limit > total * share and not force:
        problems.append(
            f"redis_tuning_settings.maxmemory: expected at most {share:.0%} of {format_bytes(total)} "
            f"{'with' if persistent else 'without'} persistence, found {format_bytes(limit)}. Lower it or "
            "redis_tuning_maxmemory_share, raise redis_tuning_memory, or set redis_tuning_force: true."
        )
    return problems


def _is_persistent(settings: Mapping[str, Any]) -> bool:
    """Whether Redis forks to save: ``appendonly`` is on, or there is a save point (Redis' default has some)."""
    append = canonical("appendonly", settings.get("appendonly", "no"), "no") == "yes"
    return append or canonical("save", settings.get("save", "3600 1 300 100 60 10000"), "") != ""
