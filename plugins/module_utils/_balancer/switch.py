# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Move servers in and out of traffic: add before remove, and put everything back when that fails."""

from __future__ import annotations

import time
from typing import Callable, Iterable, Mapping, Sequence

from .._core.clock import Deadline
from .._core.errors import FleetError, InputError
from .haproxy import HAProxy
from .replicas import least_of
from .server import DRAIN, MAINT, READY, Server, Wish

_POLL_S = 0.1
_TUNNELS, _OTHERS = "tunnels", "others"
_HIGHEST_WEIGHT = 256  # HAProxy's own bound for an absolute weight


class Switch:
    """One batch of wishes for one backend.

    :arg healthy: wait for full health by the balancer's own check before a server gets traffic.
    :arg deadline_s: longest wait for that health, in seconds, for all servers together.
    :arg degraded: when that time is over, enough of them will do, see :func:`.replicas.least_of`.
    :arg drain_deadline_s: longest wait until no session is left on servers that leave, in seconds; 0 does not wait.
    :arg tunnel_drain_deadline_s: instead of that for tunnels, such as WebSockets, from the same moment; None makes no
        difference between them and other sessions.
    :raises FleetError: when the backend or a server is unknown, or a wish cannot be carried out as written.
    """

    def __init__(
        self,
        balancer: HAProxy,
        backend: str,
        wishes: Sequence[Wish],
        healthy: bool = False,
        deadline_s: float = 30.0,
        drain_deadline_s: float = 0.0,
        tunnel_drain_deadline_s: float | None = None,
        degraded: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._balancer = balancer
        self._backend = backend
        self._wishes = wishes
        self._healthy = healthy
        self._deadline_s = deadline_s
        self._degraded = degraded
        tunnels_s = drain_deadline_s if tunnel_drain_deadline_s is None else tunnel_drain_deadline_s
        self._drain_deadlines_s = {_OTHERS: drain_deadline_s, _TUNNELS: tunnels_s}
        self._sleep = sleep
        self.before = balancer.servers(backend)
        self._refuse_nonsense()
        #: Sessions that were left when their drain deadline had passed, by server: ``tunnels`` and ``others``.
        self.remained: dict[str, dict[str, int]] = {}

    @property
    def changed(self) -> bool:
        """Whether a wish differs from what was there at the start."""
        return any(wish.asked(self.before[wish.name]) != wish.wanted() for wish in self._wishes)

    def run(self) -> dict[str, Server]:
        """Carry the wishes out and return the servers as they then are.

        :raises FleetError: when a server does not get healthy in time, or HAProxy lost a change because it was
            reloaded in between; every server is then as before.
        """
        try:
            self._run()
            after = self._balancer.servers(self._backend)
            self._see_that_all_is_done(after)
        except FleetError as error:
            raise FleetError(f"{error.msg} {self._put_back()}", error.remedy, **error.details) from error
        return after

    def _see_that_all_is_done(self, after: Mapping[str, Server]) -> None:
        for wish in self._wishes:
            found = wish.asked(after[wish.name])
            if found != wish.wanted():
                raise FleetError(
                    f"{wish.name}: expected {wish.wanted()} after the change, found {found}.",
                    "Somebody else changed it, or HAProxy was reloaded, in the same moment. Run again.",
                )

    def _run(self) -> None:
        self._set_numbers()
        self._stage()
        if self._healthy:
            self._wait_healthy()
        self._set_states(READY)
        self._set_states(DRAIN)
        self._drain()
        self._set_states(MAINT)

    def _refuse_nonsense(self) -> None:
        names = [wish.name for wish in self._wishes]
        for wish in self._wishes:
            server = self.before.get(wish.name)
            if server is None:
                known = ", ".join(self.before)
                raise InputError("servers[].name", wish.name, f"a server of backend {self._backend}: {known}")
            if names.count(wish.name) > 1:
                raise InputError("servers[].name", wish.name, "each server once")
            if wish.weight is not None and not 0 <= wish.weight <= _HIGHEST_WEIGHT:
                raise InputError("servers[].weight", wish.weight, f"0 to {_HIGHEST_WEIGHT}", "100")
            if wish.port is not None and not 1 <= wish.port <= 65535:
                raise InputError("servers[].port", wish.port, "1 to 65535", "8001")
            if self._healthy and self._needs_health(wish) and not server.checked:
                raise InputError(
                    "healthy", True, f"a health check for {wish.name} in HAProxy's configuration",
                    f"server {wish.name} … check",
                )

    def _needs_health(self, wish: Wish) -> bool:
        """A server that gets traffic, or that is staged for it; not one that leaves."""
        return wish.state == READY or (wish.state == DRAIN and self.before[wish.name].state != READY)

    def _set_numbers(self) -> None:
        for wish in self._wishes:
            server = self.before[wish.name]
            if wish.port not in (None, server.port):
                self._balancer.set_port(self._backend, server, wish.port or 0)
            if wish.weight not in (None, server.weight):
                self._balancer.set_weight(self._backend, wish.name, wish.weight or 0)

    def _stage(self) -> None:
        for wish in self._wishes:
            server = self.before[wish.name]
            staged = wish.state == DRAIN or (wish.state == READY and self._healthy)
            if staged and server.state == MAINT and server.checked:
                self._balancer.stage(self._backend, wish.name)

    def _wait_healthy(self) -> None:
        names = [wish.name for wish in self._wishes if self._needs_health(wish)]
        deadline = Deadline(self._deadline_s)
        while True:
            servers = self._balancer.servers(self._backend)
            sick = [servers[name] for name in names if not servers[name].healthy]
            if not sick:
                return
            if deadline.expired and self._degraded and len(names) - len(sick) >= least_of(len(names)):
                return
            if deadline.expired:
                raise _unhealthy(sick, self._deadline_s)
            self._sleep(min(_POLL_S, deadline.remaining_s))

    def _set_states(self, state: str) -> None:
        """Set one state on those that want it and do not have it; staged servers have drain already."""
        now = self._balancer.servers(self._backend)
        for wish in self._wishes:
            if wish.state == state and now[wish.name].state != state:
                self._balancer.set_state(self._backend, wish.name, state)

    def _drain(self) -> None:
        """Wait for the sessions of those that leave; on the way to maint they drain first."""
        clock = Deadline(max(self._drain_deadlines_s.values()))
        if clock.seconds <= 0:
            return
        leaving = [wish.name for wish in self._wishes if wish.state in (DRAIN, MAINT)]
        for name in leaving:
            if self.before[name].state == READY:
                self._balancer.set_state(self._backend, name, DRAIN)
        while True:
            began_s = clock.elapsed_s
            awaited = [kind for kind, deadline_s in self._drain_deadlines_s.items() if began_s < deadline_s]
            servers = self._balancer.servers(self._backend)
            sessions = {name: servers[name].sessions for name in leaving if servers[name].sessions}
            if not sessions:
                self.remained = {}
                return
            if len(awaited) < len(self._drain_deadlines_s):  # before that it does not matter who they are
                self.remained = self._split(sessions)
                if not any(one[kind] for one in self.remained.values() for kind in awaited):
                    return
            took_s = clock.elapsed_s - began_s  # long where HAProxy has many sessions to tell
            self._sleep(min(max(_POLL_S, 10 * took_s), clock.remaining_s))

    def _split(self, names: Iterable[str]) -> dict[str, dict[str, int]]:
        """Tell tunnels from other sessions, by server; a session that ends meanwhile is neither."""
        tunnels, servers = self._balancer.tunnels(self._backend), self._balancer.servers(self._backend)
        return {name: {_TUNNELS: min(tunnels[name], count), _OTHERS: max(0, count - tunnels[name])}
                for name in names if (count := servers[name].sessions)}

    def _put_back(self) -> str:
        """Return every server to what it was; the answer is for the error message."""
        try:
            for wish in self._wishes:
                was = self.before[wish.name]
                if wish.state is not None:
                    self._balancer.set_state(self._backend, wish.name, was.state)
                if wish.weight is not None:
                    self._balancer.set_weight(self._backend, wish.name, was.weight)
                if wish.port is not None:
                    self._balancer.set_port(self._backend, was, was.port)
        except FleetError as error:
            return f"They could not be put back: {error.msg}"
        states = ", ".join(f"{wish.name} {self.before[wish.name].state}" for wish in self._wishes)
        return f"Put back as before: {states}."


def _unhealthy(sick: Sequence[Server], deadline_s: float) -> FleetError:
    found = "; ".join(
        f"{server.name}: {server.check}, health {server.check_health} of {server.check_rise + server.check_fall - 1}"
        for server in sick
    )
    return FleetError(
        f"Expected full health by HAProxy's own check within {deadline_s:g} s, found {found}.",
        "See what the server answers at its check path, or raise deadline_s if it starts slowly.",
        unhealthy=[server.to_result() for server in sick],
    )
