# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the two modules do: change servers, read servers."""

from __future__ import annotations

import time
from typing import Any, Callable, Mapping, Sequence

from .._core.clock import Deadline
from .haproxy import HAProxy, pick
from .runtime_socket import RuntimeSocket
from .server import Server, Wish
from .state_file import save
from .switch import Switch


def change_servers(
    socket: str,
    backend: str,
    servers: Sequence[Mapping[str, Any]],
    healthy: bool,
    deadline_s: float,
    drain_deadline_s: float,
    tunnel_drain_deadline_s: float | None,
    state_file: str,
    check_mode: bool,
    warn: Callable[[str], None],
    degraded: bool = False,
) -> dict[str, Any]:
    """Carry out wishes for servers of one backend and keep the states over a restart.

    :arg servers: dicts with ``name`` and optionally ``state``, ``weight``, ``port``; an empty list only saves.
    :arg state_file: where the states are saved after a change; empty does not save.
    :raises FleetError: on an unknown backend or server, a silent runtime API, or health that does not come in time.
    """
    wishes = [Wish(**wish) for wish in servers]
    runtime = RuntimeSocket(socket)
    balancer = HAProxy(runtime)
    if not wishes:
        return _only_save(balancer, state_file, check_mode)
    if check_mode and not (runtime.exists and backend in balancer.backends()):
        warn(f"check mode: {socket} has no backend {backend} yet, so every server counts as a change")
        return {
            "changed": True,
            "servers": [{"name": wish.name, **wish.wanted()} for wish in wishes],
            "remained": {},
            "duration_s": 0.0,
            "diff": _diff(backend, wishes, {}),
        }
    clock = Deadline(deadline_s)
    switch = Switch(balancer, backend, wishes, healthy, deadline_s, drain_deadline_s, tunnel_drain_deadline_s, degraded)
    changed, after = switch.changed, switch.before
    if not check_mode:
        try:
            after = switch.run()
        finally:
            if changed and state_file:
                save(state_file, balancer.states)
    results = [after[wish.name].to_result() for wish in wishes]
    return {
        "changed": changed,
        "servers": [{**result, **wish.wanted()} for result, wish in zip(results, wishes)] if check_mode else results,
        "remained": switch.remained,
        "duration_s": round(clock.elapsed_s, 3),
        "diff": _diff(backend, wishes, switch.before),
    }


def _only_save(balancer: HAProxy, state_file: str, check_mode: bool) -> dict[str, Any]:
    if state_file and not check_mode:
        save(state_file, balancer.states)
    return {"changed": False, "servers": [], "remained": {}, "duration_s": 0.0}


def read_servers(socket: str, backend: str | None, check_mode: bool, warn: Callable[[str], None]) -> dict[str, Any]:
    """Return backends with their servers, states and counters.

    :arg backend: only this one; None returns all.
    :raises FleetError: when the backend is unknown or nobody answers; in check mode, where both may yet have
        to be installed, the answer is then empty.
    """
    runtime = RuntimeSocket(socket)
    balancer = HAProxy(runtime)
    if check_mode and not runtime.exists:
        warn(f"check mode: no HAProxy at {socket} yet")
        return {"changed": False, "process": {}, "backends": {}}
    backends, totals = balancer.backends(), balancer.totals()
    if backend is not None:
        missing = check_mode and backend not in backends
        backends = {} if missing else {backend: pick(backends, backend)}
    return {
        "changed": False,
        "process": _with_start(balancer.process()),
        "backends": {
            name: {"servers": [_with_counters(server) for server in servers], "counters": totals[name]}
            for name, servers in backends.items()
        },
    }


def _with_start(process: dict[str, Any]) -> dict[str, Any]:
    """Add when it started, in seconds of the target's clock since 1970; up to a second late."""
    return {**process, "started_s": time.time() - process["uptime_s"]}


def _with_counters(server: Server) -> dict[str, Any]:
    return {**server.to_result(), "counters": server.counters}


def _diff(backend: str, wishes: Sequence[Wish], before: Mapping[str, Server]) -> dict[str, Any]:
    """Return Ansible's diff, of nothing but what the wishes are about."""
    return {
        "before_header": backend,
        "after_header": backend,
        "before": {wish.name: wish.asked(before[wish.name]) for wish in wishes if wish.name in before},
        "after": {wish.name: wish.wanted() for wish in wishes},
    }
