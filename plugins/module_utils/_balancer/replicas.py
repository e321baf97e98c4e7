# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The replicas of a slot: what their servers are called, which ports they have, and how many of them are enough.

A slot with a count of replicas has the first so many of these names and ports, so another count moves nobody.
"""

from __future__ import annotations

from typing import Collection, Mapping


def numbered(name: str, count: int) -> list[str]:
    """Return a name for each of so many replicas, of which the first is called as if it were alone."""
    return [name if number == 1 else f"{name}-{number}" for number in range(1, count + 1)]


def server_names(host: str, slot: str, count: int) -> list[str]:
    """Return the servers of a slot: ``app1-blue``, ``app1-blue-2``, ``app1-blue-3``."""
    return numbered(f"{host}-{slot}", count)


def server_ports(slots: Mapping[str, int], slot: str, count: int) -> list[int]:
    """Return their ports. Slots take turns: blue 8001, 8003, 8005 and green 8002, 8004, 8006.

    :arg slots: port of the first replica by slot; also as text.
    """
    return [int(slots[slot]) + number * len(slots) for number in range(count)]


def overlap(slots: Mapping[str, int], count: int) -> bool:
    """Whether two replicas would have the same port, or one would have none that there is."""
    ports = [port for slot in slots for port in server_ports(slots, slot, count)]
    return len(set(ports)) != len(ports) or not all(1 <= port <= 65535 for port in ports)


def known_servers(known: Collection[str], host: str, slot: str) -> list[str]:
    """Return all servers of a slot out of those that a load balancer has, also where the slot needs fewer."""
    return [name for name in server_names(host, slot, len(known)) if name in known]


def least_of(count: int) -> int:
    """Return how many of a slot's replicas have to be fit before it may take traffic back from a release that works.

    Half of them: one that is sick must not keep a bad release in, and a few must not get the traffic of all.
    """
    return max(1, (count + 1) // 2)
