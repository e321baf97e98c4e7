# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One running instance of a service, whatever runs it: a systemd unit or a container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class State:
    """What there is of an instance now.

    ``status`` is the runtime's own word. ``up`` is whether it runs as it should, ``alive`` whether any process of it
    may still be there, ``failed`` whether it has ended and nothing will start it again, ``killed`` whether the
    runtime ended it by force because it took too long. ``pid`` is its main process, 0 without one. ``generation`` is
    another text after each start. ``started_s`` is when the main process began, in seconds since 1970, 0 without one.
    ``definition_changed`` is whether what it was started from reads differently now. ``sockets`` are the socket units
    that listen for it.
    """

    status: str
    up: bool
    alive: bool
    failed: bool
    pid: int
    generation: str
    started_s: float
    killed: bool = False
    can_reload: bool = False
    definition_changed: bool = False
    sockets: tuple[str, ...] = ()


class Instance(Protocol):
    """What a restart needs of every runtime. Nothing here waits for the service; who calls decides how long to wait."""

    label: str

    def state(self) -> State:
        """Look.

        :raises FleetError: when there is no such instance.
        """

    def fill(self, text: str) -> str:
        """Fill in what only the runtime knows: ``{port}``, where a replica or a container is reached on this host."""

    def reload(self) -> None:
        """Reload as the runtime declares it; return when that ended."""

    def signal(self, name: str) -> None:
        """Send a signal, such as ``SIGHUP``, to the main process."""

    def refresh(self) -> None:
        """Make the runtime read a definition that has changed."""

    def stop(self, deadline_s: float, sockets: bool) -> None:
        """Ask it to end and return at once; the runtime itself kills it some time after the deadline.

        :arg sockets: also stop what listens for it, so that nothing starts it again.
        """

    def kill(self) -> None:
        """End every process of it at once."""

    def start(self) -> None:
        """Start it, and what listens for it; one that runs is left alone. Return at once."""
