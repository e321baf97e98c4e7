# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast back: at the load balancer, and by the playbook rollback.

Before the commit the old release still runs, and the guards send the traffic back. Afterwards the old release is
started, judged and switched to as a new one is; without gates, soak and watch, as somebody would who knows the release
they go back to.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from benchmarks.common import figure, progress
from benchmarks.rollout.lab import BARE, COMMON, Lab
from benchmarks.rollout.peers import Peer

PORTS = {"blue": 8001, "green": 8002}


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return the seconds per host at the proxy, and of the playbook for one host and for all."""
    fleet = Lab()
    fleet.settle("v1", "v2")
    first = ("--limit", f"{fleet.hosts[0]},edge,load")
    proxy, warm_one, warm_all, one, everything = [], [], [], [], []
    for number in range(rounds):
        proxy.append(max(at_the_proxy(fleet, host) for host in fleet.hosts))
        warm_one.append(sent_back(fleet, fleet.hosts[:1], *first))
        warm_all.append(sent_back(fleet, fleet.hosts))
        one.append(rollback(fleet, *first))
        fleet.settle("v2")
        everything.append(rollback(fleet))
        fleet.settle("v2")
        progress(f"round {number + 1}/{rounds}: proxy {proxy[-1]:.2f} s, before the commit {warm_one[-1]:.1f} s and "
                 f"{warm_all[-1]:.1f} s, after it {one[-1]:.1f} s and {everything[-1]:.1f} s")
    count = len(fleet.hosts)
    return [
        figure("warm rollback of a host at the proxy, the slowest", "<= 1", proxy, "s"),
        figure("rollback.yml before the commit, one host", "<= 5", warm_one, "s"),
        figure(f"rollback.yml before the commit, {count} hosts", "<= 15", warm_all, "s"),
        figure("rollback.yml of a release that was committed, one host", "", one, "s"),
        figure(f"rollback.yml of a release that was committed, {count} hosts", "", everything, "s"),
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


def sent_back(fleet: Lab, hosts: list[str], *arguments: str) -> float:
    """Return the seconds of the whole playbook while a rollout to these hosts soaks."""
    variables = {**COMMON, **BARE, "release_environment": fleet.environment, "release_name": "v1",
                 "rollout_soak_s": 120}
    rollout = threading.Thread(target=fleet.play, args=("rollout", *arguments), kwargs=variables)
    rollout.start()
    while any(fleet.ledgers()[host]["status"]["state"] != "SOAKING" for host in hosts):
        if not rollout.is_alive():
            raise RuntimeError("the rollout ended before it soaked")
        time.sleep(1)
    took_s = rollback(fleet, *arguments, says="Sent run")
    rollout.join()
    return took_s


def rollback(fleet: Lab, *arguments: str, says: str = "committed on every host") -> float:
    """Return the seconds of the whole playbook, which ends as it says."""
    started = time.monotonic()
    done = fleet.run("rollback", *arguments, rollback_to="previous", **BARE)
    took_s = time.monotonic() - started
    if says not in done.text:
        raise RuntimeError(done.output)
    return took_s
