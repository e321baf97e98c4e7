# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waves: the hosts of a rollout in the order asked for, by size, group and failure domain."""

from __future__ import annotations

import re
from typing import Any, Mapping, Sequence

from ..._core.errors import InputError

SIZES_EXAMPLE = '[1, "25%", "100%"]'
GROUP_EXAMPLE = '{group: eu, size: "50%"}'
ROLLING, BLUE_GREEN, CANARY = "rolling", "blue_green", "canary"
STRATEGIES = (ROLLING, BLUE_GREEN, CANARY)

_SIZE = re.compile(r"^(\d+)(%?)$")


def wave_size(size: Any, total: int) -> int:
    """Return how many of ``total`` hosts a size (``2``) or a share (``"25%"``, rounded down, at least 1) means.

    :raises InputError: when it is neither, or means no host at all.
    """
    match = None if isinstance(size, bool) else _SIZE.match(str(size).strip())
    number = int(match.group(1)) if match else 0
    if not match or number == 0 or (match.group(2) and number > 100):
        raise InputError("rollout_waves", size, "numbers of hosts above 0, or shares from 1% to 100%", SIZES_EXAMPLE)
    return max(1, total * number // 100) if match.group(2) else number


def make_waves(hosts: Sequence[str], canaries: Sequence[str], wishes: Sequence[Any],
               groups: Mapping[str, Sequence[str]] | None = None,
               domains: Mapping[str, str] | None = None) -> list[list[str]]:
    """Split hosts into waves: the canaries first, then the rest by ``wishes``. Every host is in exactly one wave.

    A wish is a size, or ``{group: eu}``: the hosts of this group that are left, in waves of its ``size`` (all of them
    at once by default). Shares are of the hosts that are left after the canaries, or of those of the group. A size at
    the end repeats.

    :arg groups: hosts by name of an inventory group.
    :arg domains: failure domain by host. No wave has hosts of two; hosts of one are next to each other.
    :raises InputError: for a canary that is no host of the plan, a host named twice, a group that is not there, hosts
        in no wave, or sizes that mean nothing.
    """
    strangers = [host for host in canaries if host not in hosts]
    if strangers or len(set(canaries)) != len(canaries):
        raise InputError("rollout_canary_hosts", list(canaries), f"hosts out of {', '.join(hosts)}, each once",
                         f"[{hosts[0]}]" if hosts else "[]")
    if not wishes:
        raise InputError("rollout_waves", wishes, "at least one size", SIZES_EXAMPLE)
    rest = _by_domain([host for host in hosts if host not in canaries], domains)
    total = len(rest)
    waves = [list(canaries)] if canaries else []
    for number, wish in enumerate(wishes, 1):
        size, members, repeats = _meant(wish, rest, total, groups or {}, number == len(wishes))
        while members:
            waves.append(members[:size])
            rest = [host for host in rest if host not in members[:size]]
            members = members[size:] if repeats else []
    if rest:
        raise InputError("rollout_waves", list(wishes), f"waves with every host, also {', '.join(rest)}",
                         f'[{GROUP_EXAMPLE}, "100%"]')
    return [part for wave in waves for part in _split(wave, domains)]


def _meant(wish: Any, rest: Sequence[str], total: int, groups: Mapping[str, Sequence[str]],
           last: bool) -> tuple[int, list[str], bool]:
    """Return the size of the wish's waves, the hosts that it is about, and whether it goes on until they are done."""
    if not isinstance(wish, Mapping):
        return wave_size(wish, total), list(rest), last
    if wish.get("group") not in groups or set(wish) - {"group", "size"}:
        raise InputError("rollout_waves", dict(wish), "a group of the inventory, and the size of its waves",
                         GROUP_EXAMPLE)
    members = [host for host in rest if host in groups[wish["group"]]]
    return wave_size(wish.get("size", "100%"), len(members)), members, True


def _by_domain(hosts: Sequence[str], domains: Mapping[str, str] | None) -> list[str]:
    if not domains:
        return list(hosts)
    order = list(dict.fromkeys(domains[host] for host in hosts))
    return sorted(hosts, key=lambda host: order.index(domains[host]))


def _split(wave: Sequence[str], domains: Mapping[str, str] | None) -> list[list[str]]:
    parts: dict[str, list[str]] = {}
    for host in wave:
        parts.setdefault(domains[host] if domains else "", []).append(host)
    return list(parts.values())


def check_strategy(strategy: str, judged: bool, domains: Mapping[str, str] | None) -> None:
    """Refuse a strategy that is none, or that cannot be what it promises.

    :raises InputError: for ``canary`` without a judge, and for one switch of hosts in several failure domains.
    """
    if strategy not in STRATEGIES:
        raise InputError("rollout_strategy", strategy, f"one of {', '.join(STRATEGIES)}", ROLLING)
    if strategy == CANARY and not judged:
        raise InputError("rollout_judge", {}, "its rules, because rollout_strategy canary goes by them", "{weight: 10}")
    if strategy != ROLLING and len(set((domains or {}).values())) > 1:
        raise InputError("rollout_strategy", strategy,
                         "rolling, because rollout_failure_domain allows no wave of several domains", ROLLING)
