# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systemd runtime: a service is a unit, perhaps with socket units that listen for it."""

from __future__ import annotations

import time
from typing import Mapping, Sequence

from .._core.errors import FleetError
from .._core.systemctl import parse_properties, systemctl
from .instance import State

_PROPERTIES = ("LoadState", "ActiveState", "SubState", "MainPID", "InvocationID", "CanReload", "NeedDaemonReload",
               "TriggeredBy", "ExecMainStartTimestampMonotonic", "Result")
ENDED = ("inactive", "failed")
UP = ("active", "reloading")


def state_of(found: Mapping[str, str], listening: Sequence[str], booted_s: float) -> State:
    """Return the state that properties tell.

    :arg listening: the socket units of it that are active.
    :arg booted_s: when the monotonic clock was 0, in seconds since 1970.
    """
    status, pid = found["ActiveState"], int(found["MainPID"])
    return State(
        status=f"{status} ({found['SubState']})",
        up=status in UP,
        alive=status not in ENDED,
        failed=status == "failed",
        pid=pid,
        generation=found["InvocationID"],
        started_s=booted_s + int(found["ExecMainStartTimestampMonotonic"]) / 1e6 if pid else 0.0,
        killed=status in ENDED and found["Result"] == "timeout",
        can_reload=found["CanReload"] == "yes",
        definition_changed=found["NeedDaemonReload"] == "yes",
        sockets=tuple(listening),
    )


class Unit:
    """One service unit of this host.

    :arg port: where it listens, if that is known.
    """

    def __init__(self, name: str, port: str = "") -> None:
        self.name = name if name.endswith(".service") else f"{name}.service"
        self.label = self.name
        self._port = port

    def state(self) -> State:
        """Ask systemd.

        :raises FleetError: when the unit is not loaded, or systemd does not answer.
        """
        found = self._properties()
        return state_of(found, self._sockets(found, "is-active", "active"),
                        time.time() - time.clock_gettime(time.CLOCK_MONOTONIC))

    def fill(self, text: str) -> str:
        """``{port}`` is that of an instance in a slot; who declares another unit knows where it listens."""
        return text.replace("{port}", self._port) if self._port else text

    def reload(self) -> None:
        """``systemctl reload``: what ExecReload says."""
        systemctl("reload", "--", self.name)

    def signal(self, name: str) -> None:
        """Send a signal to the main process."""
        systemctl("kill", "--kill-who=main", f"--signal={name}", "--", self.name)

    def refresh(self) -> None:
        """``systemctl daemon-reload``, if the unit file is newer than what systemd knows."""
        if self._properties()["NeedDaemonReload"] == "yes":
            systemctl("daemon-reload")

    def stop(self, deadline_s: float, sockets: bool) -> None:
        """``systemctl stop``; systemd kills it after TimeoutStopSec of the unit."""
        listening = self._sockets(self._properties(), "is-active", "active") if sockets else []
        systemctl("stop", "--no-block", "--", *listening, self.name)

    def kill(self) -> None:
        """SIGKILL to every process of the unit that is stopping; one that was started anew meanwhile is left alone."""
        if self._properties()["ActiveState"] == "deactivating":
            systemctl("kill", "--signal=SIGKILL", "--", self.name)

    def start(self) -> None:
        """Forget earlier failures, let its enabled sockets listen, which they cannot once it runs, and start it."""
        found = self._properties()
        if found["ActiveState"] in ENDED:
            systemctl("reset-failed", "--", self.name, strict=False)
            for socket in self._sockets(found, "is-enabled", "enabled"):
                systemctl("start", "--", socket)
        systemctl("start", "--no-block", "--", self.name)

    def _properties(self) -> dict[str, str]:
        found = parse_properties(systemctl("show", f"--property={','.join(_PROPERTIES)}", "--", self.name))
        if found["LoadState"] != "loaded":
            raise FleetError(f"Expected a unit {self.name}, found it {found['LoadState']}.",
                             "Install or unmask the unit, or correct its name.")
        return found

    def _sockets(self, found: Mapping[str, str], question: str, answer: str) -> list[str]:
        """Return the unit's socket units for which systemctl answers a question so."""
        sockets = [unit for unit in found.get("TriggeredBy", "").split() if unit.endswith(".socket")]
        words = systemctl(question, "--", *sockets, strict=False).split() if sockets else []
        return [unit for unit, word in zip(sockets, words) if word == answer]
