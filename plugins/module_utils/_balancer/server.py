# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server behind a load balancer, and what a caller wishes it to be: the same for every balancer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

READY, DRAIN, MAINT = "ready", "drain", "maint"


@dataclass(frozen=True)
class Server:
    """One server as the load balancer sees it.

    ``state`` is what an operator asked for: ready (takes traffic), drain (is checked, keeps its sessions,
    gets no new ones) or maint (is not checked, gets nothing). ``operational`` is what the balancer found:
    running, starting, stopping or stopped. ``check_health`` counts from 0 to
    ``check_rise + check_fall - 1``, and is 0 while the server is in maint. ``sessions`` are those in flight.
    """

    name: str
    state: str
    operational: str
    weight: int
    sessions: int
    address: str
    port: int
    checked: bool
    check_status: str = ""
    check_code: int | None = None
    check_text: str = ""
    check_health: int = 0
    check_rise: int = 0
    check_fall: int = 0
    counters: dict[str, Any] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """Whether the balancer's own check of this server is at full health."""
        return self.check_rise > 0 and self.check_health >= self.check_rise + self.check_fall - 1

    @property
    def check(self) -> str:
        """What the check said, for people: ``L7STS 500 Internal Server Error``."""
        said = (self.check_status, self.check_code, self.check_text)
        return " ".join(str(part) for part in said if part not in ("", None)) or "no answer yet"

    def to_result(self) -> dict[str, Any]:
        """Return what a module shows of this server; the counters are apart."""
        return {
            "name": self.name, "state": self.state, "operational": self.operational, "weight": self.weight,
            "sessions": self.sessions, "address": self.address, "port": self.port, "checked": self.checked,
            "healthy": self.healthy, "check_status": self.check_status, "check_code": self.check_code,
            "check_text": self.check_text, "check_health": self.check_health, "check_rise": self.check_rise,
            "check_fall": self.check_fall,
        }


@dataclass(frozen=True)
class Wish:
    """What a caller wants of one server; None leaves it as it is."""

    name: str
    state: str | None = None
    weight: int | None = None
    port: int | None = None

    def asked(self, server: Server) -> dict[str, Any]:
        """Return the attributes that the wish is about, as they are on this server."""
        return {key: getattr(server, key) for key in ("state", "weight", "port") if getattr(self, key) is not None}

    def wanted(self) -> dict[str, Any]:
        """Return the attributes that the wish is about, as they are wanted."""
        return {key: getattr(self, key) for key in ("state", "weight", "port") if getattr(self, key) is not None}
