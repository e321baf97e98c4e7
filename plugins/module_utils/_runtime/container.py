# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container as one instance of a service, by its name or by the Compose service whose slot it is."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import urllib.parse
from typing import Callable

from .._core.clock import epoch_s
from .._core.errors import FleetError
from .compose import Compose
from .engine import Engine, EngineError
from .instance import State

_NET_S = 5  # Docker kills that much later than the caller, should the caller die


def slot_of(service: str, engine: Engine, committed: Callable[[], str]) -> tuple[str, dict[int, str]]:
    """Return the slot of a Compose service that is in use, and its containers by replica: the slot that runs.

    :arg committed: says which one that should be; asked when none runs.
    :raises FleetError: when it is not certain.
    """
    slots = Compose(service, engine).instances()
    found = [slot for slot, one in slots.items() if any(each["running"] for each in one["replicas"])]
    if not found:
        found = [slot for slot in slots if len(slots) == 1 or slot == committed()]
    if len(found) != 1:
        known = ", ".join(f"{slot} {one['status']}" for slot, one in slots.items()) or "none"
        raise FleetError(f"Expected one slot of the Compose service {service} to be in use, found: {known}.",
                         "Deploy it, or let the rollout that is under way end (playbook rollout or rollback).")
    return found[0], {one["replica"]: str(one["container"]) for one in slots[found[0]]["replicas"]}


class Container:
    """One container of this host's Docker Engine."""

    def __init__(self, name: str, engine: Engine) -> None:
        self.label = name
        self._path = f"/containers/{urllib.parse.quote(name, safe='')}"
        self._engine = engine

    def state(self) -> State:
        """Ask the engine.

        :raises FleetError: when there is no such container, or no engine.
        """
        found = self._engine.container(self.label)["State"]
        alive = bool(found["Running"])
        return State(status=found["Status"], up=found["Status"] == "running", alive=alive,
                     failed=found["Status"] in ("exited", "dead"), pid=int(found["Pid"]), generation=found["StartedAt"],
                     started_s=_seconds(found["StartedAt"]) if alive else 0.0)

    def fill(self, text: str) -> str:
        """``{port}`` is the first port of this host under which the container is published."""
        bindings = self._engine.container(self.label)["HostConfig"]["PortBindings"] or {}
        ports = [one["HostPort"] for bound in bindings.values() for one in bound or []]
        return text.replace("{port}", ports[0]) if ports else text

    def reload(self) -> None:
        """Containers declare no way to reload."""
        raise FleetError(f"{self.label}: expected a way to reload, found none.", "Set reload_signal.")

    def signal(self, name: str) -> None:
        """Send a signal to the main process.

        Not with the engine's kill: without a stop signal in the image's configuration, that makes the engine forget
        the container's restart policy for its next end.
        """
        os.kill(self.state().pid, signal.Signals[name])

    def refresh(self) -> None:
        """A container is what it was made from; another definition makes another container."""

    def stop(self, deadline_s: float, sockets: bool) -> None:
        """The container's stop signal, in the background; the engine kills it a little after the deadline."""
        threading.Thread(target=self._stop, args=(int(deadline_s) + _NET_S,), daemon=True).start()

    def _stop(self, grace_s: int) -> None:
        with contextlib.suppress(FleetError):  # whether it ended is seen by who waits
            self._engine.post(f"{self._path}/stop?t={grace_s}", wait_s=grace_s)

    def kill(self) -> None:
        """End it at once; one that just ended by itself is as good."""
        try:
            self._engine.post(f"{self._path}/kill?signal=SIGKILL")
        except EngineError:
            if self.state().alive:
                raise

    def start(self) -> None:
        """Start it."""
        self._engine.post(f"{self._path}/start")


def _seconds(text: str) -> float:
    """Return the seconds since 1970 of a time of the engine, which has up to nine digits after the point."""
    whole, _point, fraction = text.rstrip("Z").partition(".")
    return epoch_s(f"{whole}Z") + float(f"0.{fraction or 0}")
