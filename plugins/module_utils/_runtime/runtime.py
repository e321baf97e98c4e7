# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rollout needs of every runtime: a service has two slots on a host, each with one or more replicas."""

from __future__ import annotations

from typing import Any, Protocol

from .compose import Compose
from .engine import Engine
from .units import Units

COMPOSE, SYSTEMD = "compose", "systemd"
RUNTIMES = (COMPOSE, SYSTEMD)


class Runtime(Protocol):
    """What the slots of one service on this host are and where its images come from."""

    def instances(self) -> dict[str, dict[str, Any]]:
        """Return what each slot that is here runs, and in ``replicas`` what each of its instances does."""

    def stop(self, slot: str, grace_s: int) -> None:
        """Stop every instance of a slot, and return when they have ended."""

    def resolve(self, reference: str) -> dict[str, Any]:
        """Return ``{reference, pinned, digest, present}`` of an image.

        :raises FleetError: when it is not here and cannot be had.
        """

    def stored(self, reference: str) -> list[str]:
        """Return the images that are on this host and of which this may be one, pinned by digest."""


def runtime_of(name: str, service: str, home: str, docker_socket: str) -> Runtime:
    """Return the runtime of a service.

    :arg name: one of :data:`RUNTIMES`.
    :arg home: directory of the service with its slots and images; only systemd needs it.
    """
    return Units(service, home) if name == SYSTEMD else Compose(service, Engine(docker_socket))
