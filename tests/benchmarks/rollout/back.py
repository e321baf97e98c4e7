# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast back: at the load balancer with both releases warm, and by the playbook rollback.

The playbook runs without gates, soak and watch, as somebody would who knows the release they go back to.
"""

from __future__ import annotations

import json
import time
from typing import Any

from benchmarks.common import figure, progress
from benchmarks.rollout.lab import BARE, Lab
from benchmarks.rollout.peers import Peer

PORTS = {"blue": 8001, "green": 8002}


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return the seconds per host at the proxy, and of the playbook for one host and for all."""
    fleet = Lab()
    fleet.settle("v1", "v2")
    warm, one, everything = [], [], []
    for number in range(rounds):
        warm.append(max(at_the_proxy(fleet, host) for host in fleet.hosts))
        one.append(rollback(fleet, "--limit", f"{fleet.hosts[0]},edge,load"))
        fleet.settle("v2")
        everything.append(rollback(fleet))
        fleet.settle("v2")
        told = f"proxy {warm[-1]:.2f} s, one host {one[-1]:.1f} s, all {everything[-1]:.1f} s"
        progress(f"round {number + 1}/{rounds}: {told}")
    return [
        figure("warm rollback of a host at the proxy, the slowest", "<= 1", warm, "s"),
        figure("rollback.yml, one host", "<= 5", one, "s"),
        figure(f"rollback.yml, {len(fleet.hosts)} hosts", "<= 15", everything, "s"),
    ]


def at_the_proxy(fleet: Lab, host: str) -> float:
    """Return the seconds in which the load balancer goes back from the new release to the old one, both warm."""
    new = fleet.ledgers()[host]["status"]["current"]["slot"]
    old = next(slot for slot in PORTS if slot != new)
    Peer.on(host, f"docker compose --project-directory /opt/evenkeel/pitch/{old} start")
    Peer.until(host, f"python3 -c \"import urllib.request as r; r.urlopen('http://127.0.0.1:{PORTS[old]}/health')\"")
    took_s = switch(fleet, host, old, new)
    switch(fleet, host, new, old)
    Peer.on(host, f"docker compose --project-directory /opt/evenkeel/pitch/{old} stop")
    return took_s


def switch(fleet: Lab, host: str, to: str, away: str) -> float:
    """Move a host's traffic as the role does."""
    servers = [{"name": f"{host}-{to}", "state": "ready"}, {"name": f"{host}-{away}", "state": "maint"}]
    options = {"backend": "be_pitch", "servers": servers, "healthy": True, "drain_deadline_s": 5}
    result = fleet.ask("edge[0]", "evenkeel.fleet.balancer_server", json.dumps(options))[fleet.edge]
    return float(result["duration_s"])


def rollback(fleet: Lab, *arguments: str) -> float:
    """Return the seconds of the whole playbook."""
    started = time.monotonic()
    fleet.run("rollback", *arguments, rollback_to="previous", **BARE)
    return time.monotonic() - started
