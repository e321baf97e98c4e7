# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Capacity: what serves during each wave, what has to, and how many hosts or replicas the load of now asks for.

A release starts in the free slot beside the one that serves and takes its traffic over only when it is healthy, so a
wave takes no host away. What is missing is what does not serve when the rollout begins: a drained or sick host, one
without a release yet. It serves after its wave.
"""

from __future__ import annotations

import math
import re
from typing import Any, Iterable, Mapping, Sequence

from ..._core.errors import InputError

#: Share of its measured capacity that a host is planned to use at most.
UTILISATION = 0.7

_MINIMUM = re.compile(r"^(\d+(?:\.\d+)?)(%?)$")


def steps(waves: Iterable[Sequence[str]], observations: Mapping[str, Mapping[str, Any]],
          rates: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return what serves during each wave, in order.

    :arg observations: per host what :func:`.observation.observe` returned; ``serving`` is what counts.
    :arg rates: declared capacity by host in requests per second; used only when every host has one.
    :returns: per wave ``serving`` and ``hosts`` (numbers of hosts), ``old`` (how many of those that serve have the
        old release when the wave is through), ``rps`` and ``of_rps`` (None when not declared) and ``share`` (0 to 1, of
        the declared capacity, or else of the hosts).
    """
    declared = all(rates.get(host) for host in observations)
    now = {host for host, one in observations.items() if one["serving"]}
    through: set[str] = set()
    found = []
    for wave in waves:
        serving = now | through
        through = through | set(wave)
        rps, of_rps = (sum(rates[host] for host in hosts) for hosts in (serving, observations)) if declared else (
            None, None)
        found.append({"serving": len(serving), "hosts": len(observations), "old": len(now - through), "rps": rps,
                      "of_rps": of_rps, "share": rps / of_rps if rps is not None and of_rps else
                      len(serving) / len(observations)})
    return found


def check_minimum(minimum: Any, found: Sequence[Mapping[str, Any]], down: Sequence[str]) -> None:
    """Refuse a plan in which less serves at some time than has to.

    :arg minimum: a share (``"80%"``) of the capacity or a number of hosts; empty asks for nothing.
    :arg found: the result of :func:`steps`.
    :arg down: the hosts that do not serve now, for the message.
    :raises InputError: naming the first wave that is below, with the numbers.
    """
    if minimum in ("", None):
        return
    match = None if isinstance(minimum, bool) else _MINIMUM.match(str(minimum).strip())
    if not match or (match.group(2) and float(match.group(1)) > 100):
        raise InputError("rollout_min_capacity", minimum, "a share from 0% to 100%, or a number of hosts", '"80%"')
    least = float(match.group(1))
    for number, one in enumerate(found, 1):
        if (one["share"] * 100 if match.group(2) else one["serving"]) + 1e-9 < least:
            raise InputError(
                "rollout_min_capacity", text(one), f"at least {minimum}{'' if match.group(2) else ' hosts'} in wave "
                f"{number} (without traffic now: {', '.join(down)}; bring them back first)", f"{_floor(one, match)}")


def _floor(one: Mapping[str, Any], match: re.Match[str]) -> str:
    return f'"{math.floor(one["share"] * 100)}%"' if match.group(2) else str(one["serving"])


def text(one: Mapping[str, Any]) -> str:
    """Return one step for people: ``3 of 3 hosts serve (100%), 600 of 600 rps``."""
    rps = "" if one["rps"] is None else f", {one['rps']:g} of {one['of_rps']:g} rps"
    return f"{one['serving']} of {one['hosts']} hosts serve ({one['share']:.0%}){rps}"


def proposal(load_rps: float, host_rps: float, replicas: Sequence[int],
             utilisation: float = UTILISATION) -> dict[str, Any]:
    """Return how many hosts the load asks for, or how many replicas on each of those there are; one host may be lost.

    Hosts: the least ``n`` for which the other ``n − 1`` carry the load at the planned utilisation, and not less than 2.
    Replicas: the least number for which all hosts but one do, if each further replica bore what the measured ones bear.
    That is a bound: beyond the processors of a host another replica adds nothing.

    :arg load_rps: load of now, in requests per second.
    :arg host_rps: measured capacity of one host with its replicas, in requests per second.
    :arg replicas: how many each host has now.
    :returns: ``hosts``, ``wanted``, ``replicas`` (average of a host), ``wanted_replicas`` (per host; None with one
        host, which no other replaces), ``load_rps``, ``host_rps``, ``used`` (share of the capacity of all hosts) and
        ``text``.
    :raises InputError: for a capacity that is not above 0.
    """
    if not host_rps > 0:
        raise InputError("rollout_capacity_rps", host_rps, "requests per second above 0", "200")
    hosts = len(replicas)
    wanted = max(2, math.ceil(load_rps / (host_rps * utilisation)) + 1)
    used = load_rps / (host_rps * hosts) if hosts else math.inf
    change = "as there are" if wanted == hosts else f"{abs(wanted - hosts)} {'more' if wanted > hosts else 'fewer'}"
    said = (f"load now {load_rps:g} rps, {used:.0%} of {host_rps * hosts:g} rps; proposal: {wanted} hosts, {change} "
            f"(one may be lost, the others used to {utilisation:.0%})")
    each = sum(replicas) / hosts if hosts else 0.0
    needed = max(1, math.ceil(load_rps * each / (host_rps * utilisation * (hosts - 1)))) if hosts > 1 else None
    if needed:
        said += (f"; or, on the {hosts} hosts there are, release_replicas: {needed} (a host bears {host_rps:g} "
                 f"rps with {each:g}; with more it bears more only as far as its processors go: measure "
                 "rollout_capacity_rps again)")
    return {"hosts": hosts, "wanted": wanted, "replicas": each, "wanted_replicas": needed, "load_rps": load_rps,
            "host_rps": host_rps, "used": used, "text": said}
