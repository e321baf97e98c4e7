# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container as one instance of a service."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import urllib.parse

from .._core.clock import epoch_s
from .._core.errors import FleetError
from .engine import Engine, EngineError
from .instance import State

_NET_S = 5  # Docker kills that much later than the caller, should the caller die


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
