# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard on a load balancer: the servers that had the traffic before the run get it back, all hosts in one pass."""

from __future__ import annotations

import sys
import time
from typing import Any, Mapping, Sequence

from ..._balancer.haproxy import HAProxy
from ..._balancer.replicas import least_of
from ..._balancer.runtime_socket import RuntimeSocket
from ..._balancer.server import DRAIN, MAINT, READY, Server, Wish
from ..._balancer.state_file import save
from ..._balancer.switch import Switch
from ..._balancer.tasks import change_servers
from ..._core.clock import Deadline
from ..._core.errors import InputError
from . import unit
from .order import BALANCER, Guard, Outcome

ROOMS = ("_core", "_balancer", "_release.ledger", "_release.guard")
_SETTINGS = ("backend", "socket", "state_file", "deadline_s", "drain_deadline_s")
_POLL_S = 0.2
_STOPPED = "stopped"


def change_guarded(guard: Mapping[str, Any], **arguments: Any) -> dict[str, Any]:
    """Do :func:`..._balancer.tasks.change_servers` with a guard that was armed before.

    :arg guard: ``service``, ``run``, ``token``, ``ttl_s``, ``directory``, and of the host whose servers are
        changed ``host``, ``old`` (servers; may be empty), ``new`` (servers) and ``weight``. With ``ttl_s`` 0 nothing
        is armed; an older token than was seen here is refused all the same.
    """
    if guard["ttl_s"] > 0 and not (guard["host"] and guard["new"]):
        raise InputError("guard", {key: guard[key] for key in ("host", "new")}, "host and new with ttl_s above 0",
                         "{host: app1, old: [app1-blue], new: [app1-green], …}")
    one, run, token = Guard(BALANCER, guard["service"], guard["directory"]), guard["run"], guard["token"]
    if guard["ttl_s"] > 0:
        settings = {key: arguments[key] for key in _SETTINGS}
        one.arm(run, token, guard["ttl_s"], settings,
                {guard["host"]: {key: guard[key] for key in ("old", "new", "weight")}})
        unit.start(one, sys.modules[__name__], ROOMS)
    with one.held_off(run, token):
        return change_servers(**arguments)


def go_back(balancer: HAProxy, backend: str, hosts: Mapping[str, Mapping[str, Any]], deadline_s: float,
            drain_deadline_s: float) -> Outcome:
    """Old in, new out, for every host at once; return what was done and whether nothing is left to do.

    A new release that works keeps the traffic of its host until the servers of the old one beside it have full health
    by the load balancer's own check: all of them, or after the deadline enough of them, see :func:`_may_go`. Those of
    an old one that is not are then checked on, without traffic.

    :arg hosts: by host ``old`` and ``new`` (servers), and the ``weight`` that the new ones had without traffic.
    :arg deadline_s: longest wait for the old servers' health. :arg drain_deadline_s: for the new ones' sessions.
    """
    before = balancer.servers(backend)
    olds = [name for one in hosts.values() for name in one["old"]]
    Switch(balancer, backend, [Wish(name, DRAIN) for name in olds if before[name].state == MAINT]).run()
    deadline, servers = Deadline(deadline_s), balancer.servers(backend)
    while not deadline.expired and not all(_fit(servers[name]) for name in olds):
        time.sleep(_POLL_S)
        servers = balancer.servers(backend)
    back = {host: one for host, one in hosts.items() if _may_go(one, hosts, servers)}
    Switch(balancer, backend, [Wish(name, READY) for one in back.values() for name in one["old"]]
           + [Wish(name, MAINT) for one in back.values() for name in one["new"]],
           drain_deadline_s=drain_deadline_s).run()
    Switch(balancer, backend, [Wish(name, weight=one["weight"]) for one in back.values() for name in one["new"]]).run()
    said = [f"{host}: {', '.join(one['old']) or 'nothing'} in, {', '.join(one['new'])} out"
            for host, one in back.items()]
    said += [f"{host}: the traffic stays on {', '.join(one['new'])}; not healthy: {_sick(one['old'], servers)}"
             for host, one in hosts.items() if host not in back]
    return said, len(back) == len(hosts)


def _sick(names: Sequence[str], servers: Mapping[str, Server]) -> str:
    return ", ".join(name for name in names if not _fit(servers[name])) or "any other server"


def _fit(server: Server) -> bool:
    return server.healthy or not server.checked


def _may_go(one: Mapping[str, Any], hosts: Mapping[str, Mapping[str, Any]], servers: Mapping[str, Server]) -> bool:
    """Whether there is something better than this host's new servers, or nothing to lose with them.

    That is as many fit old ones as there are new ones that serve, or the least that a slot needs. A host that had
    nothing needs any server that stays.
    """
    new = [servers[name] for name in one["new"]]
    serving = sum(server.state == READY and server.operational != _STOPPED for server in new)
    leaving = {name for other in hosts.values() for name in other["new"]}
    better = one["old"] or [name for name in servers if name not in leaving]
    fit = sum(_fit(servers[name]) and servers[name].state != MAINT for name in better)
    return fit >= min(serving, least_of(len(one["old"])))


def due(guard: Guard, order: Mapping[str, Any]) -> bool:
    """Send the run back that nobody hears of."""
    settings = order["settings"]
    balancer = HAProxy(RuntimeSocket(settings["socket"]))

    def act(found: Mapping[str, Any]) -> Outcome:
        outcome = go_back(balancer, settings["backend"], found["hosts"], settings["deadline_s"],
                          settings["drain_deadline_s"])
        if settings["state_file"]:
            save(settings["state_file"], balancer.states)
        sys.stdout.write("\n".join([*outcome[0], ""]))
        return outcome

    return guard.fire(act)


def main() -> None:
    """Stand guard; see :func:`.unit.run`."""
    unit.run(BALANCER, due)
