# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The restart queue: who goes next, so that no service ever has fewer instances in service than it needs.

An instance is ``<host>/<service>``, of further replicas ``<host>/<service>-2`` and so on. It is up when it certainly
serves, idle when it certainly serves nobody, and otherwise in doubt: it does not count, but may have users. Whoever is
not up goes first, because that takes away nothing that counts; then by priority. Nothing here waits, asks or changes
anything: the same function makes the plan and drives the run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Collection, Mapping, Sequence

from .._core.errors import InputError
from .._core.units import parse_share

PRIORITIES = ("high", "medium", "low")
PENDING, DONE, FAILED = "pending", "done", "failed"


@dataclass(frozen=True)
class Member:
    """One instance of a service, whether it is to be restarted or not; its name is that of the service by default.

    ``gap`` is whether it serves nobody while it restarts, ``returns`` whether it is in service afterwards.
    """

    host: str
    service: str
    priority: str = "medium"
    gap: bool = True
    wanted: bool = True
    returns: bool = True
    name: str = ""

    @property
    def instance(self) -> str:
        """Its name on its host."""
        return self.name or self.service

    @property
    def identity(self) -> str:
        """Its name in plans and messages."""
        return f"{self.host}/{self.instance}"


@dataclass(frozen=True)
class Progress:
    """How far one instance is: pending, done or failed, after how many attempts, and when it may try again.

    ``retry_at_s`` is in seconds since 1970; None is never.
    """

    state: str = PENDING
    attempts: int = 0
    retry_at_s: float | None = None


@dataclass
class Turn:
    """What comes next.

    ``members`` go now, at most one of each host. Without any, ``wait_s`` is the time in seconds until one may try
    again; without that either, the queue is at its end and ``held`` says for whom capacity was never free.
    """

    members: list[Member] = field(default_factory=list)
    wait_s: float = 0.0
    held: dict[str, str] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return not self.members and not self.wait_s


def minimum_of(wanted: Any, total: int, name: str = "graceful_restart_min_available") -> int:
    """Return how many of ``total`` instances a number (``2``) or a share (``"50%"``, rounded up) means.

    :raises InputError: when it is neither, or more than there are.
    """
    example = '2, or "50%"'
    if isinstance(wanted, str) and wanted.strip().endswith("%"):
        return math.ceil(total * parse_share(wanted, name) - 1e-9)
    try:
        number = int(str(wanted))
    except ValueError:
        raise InputError(name, wanted, "a number of instances or a share of them", example) from None
    if not 0 <= number <= total:
        raise InputError(name, wanted, f"0 to {total}, the number of instances", example)
    return number


def backoff_s(attempts: int, base_s: float, cap_s: float = 60.0) -> float:
    """Return the seconds until the next attempt: ``base_s`` after the first one, then twice as long each time."""
    return min(cap_s, base_s * 2.0 ** max(0, attempts - 1))


def next_turn(members: Sequence[Member], minimum: Mapping[str, int], up: Collection[str], idle: Collection[str],
              progress: Mapping[str, Progress], now_s: float) -> Turn:
    """Return the next turn.

    A turn takes from one class only: those that are not up, by priority, then those that are; of the first class of
    which somebody may go. An instance that is up goes when its service has one more in service than it needs. One
    without a gap keeps serving, so it goes alone also when there is none to spare, but not when there are too few. Of
    those in doubt one of each service goes at a time; those that are idle all go.

    :arg members: all instances, in the order of the inventory.
    :arg minimum: by service, how many have to be in service.
    :arg up: the identities that are certainly in service now; ``idle``: those that certainly are not.
    """
    waiting = [one for one in members if one.wanted and _open(progress[one.identity])]
    ready = [one for one in waiting if (progress[one.identity].retry_at_s or 0.0) <= now_s]
    spare = {service: sum(one.identity in up for one in members if one.service == service) - least
             for service, least in minimum.items()}
    for rank in sorted({_rank(one, up) for one in ready}):
        turn = _fill([one for one in ready if _rank(one, up) == rank], up, idle, dict(spare))
        if turn:
            return Turn(members=turn)
    retries = [progress[one.identity].retry_at_s or 0.0 for one in waiting if one not in ready]
    if retries:
        return Turn(wait_s=min(retries) - now_s)
    return Turn(held={one.identity: _short(one, spare[one.service], minimum[one.service]) for one in ready})


def simulate(members: Sequence[Member], minimum: Mapping[str, int], up: Collection[str],
             idle: Collection[str]) -> tuple[list[list[Member]], dict[str, str]]:
    """Return the turns of a run in which everything goes well, and who would be held."""
    progress = {one.identity: Progress() for one in members}
    serving = set(up)
    turns: list[list[Member]] = []
    while True:
        turn = next_turn(members, minimum, serving, idle, progress, 0.0)
        if turn.over:
            return turns, turn.held
        turns.append(turn.members)
        for one in turn.members:
            progress[one.identity] = Progress(DONE)
            if one.returns:
                serving.add(one.identity)


def _short(one: Member, spare: int, least: int) -> str:
    return f"{one.service} would have {spare + least - one.gap} in service of at least {least}"


def _open(progress: Progress) -> bool:
    return progress.state == PENDING or (progress.state == FAILED and progress.retry_at_s is not None)


def _rank(member: Member, up: Collection[str]) -> tuple[bool, int]:
    """Return the class of an instance; the lowest goes first."""
    return member.identity in up, PRIORITIES.index(member.priority)


def _fill(candidates: Sequence[Member], up: Collection[str], idle: Collection[str],
          spare: dict[str, int]) -> list[Member]:
    turn: list[Member] = []
    hosts: set[str] = set()
    for one in candidates:
        others = [other for other in turn if other.service == one.service and other.identity not in idle]
        if one.host in hosts or not _may_go(one, up, idle, spare[one.service], alone=not others):
            continue
        hosts.add(one.host)
        turn.append(one)
        if one.identity in up:
            spare[one.service] -= 1
    return turn


def _may_go(one: Member, up: Collection[str], idle: Collection[str], spare: int, alone: bool) -> bool:
    if one.identity in up:
        return spare > 0 or (not one.gap and alone and spare == 0)
    return alone or one.identity in idle
