# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of a restart: from what was seen of the fleet to a plan, and from progress to the next turn."""

from __future__ import annotations

import time
from typing import Any, Collection, Iterator, Mapping, Sequence

from .._balancer.replicas import numbered, server_names
from .._core.errors import InputError
from .need import RELOAD, SOCKET
from .queue import DONE, FAILED, PENDING, Member, Progress, backoff_s, minimum_of, next_turn, simulate
from .summary import SILENT

BEGUN = "begun"
_GAPLESS = (RELOAD, SOCKET)


def instances(services: Sequence[Mapping[str, Any]], replicas: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the services of a host with an entry for each replica, named by ``instance`` and numbered by ``replica``.

    :arg replicas: how many a service has, by its name; 1 by default.
    """
    return [{**service, "instance": name, "replica": number} for service in services
            for number, name in enumerate(numbered(service["name"], replicas.get(service["name"], 1)), 1)]


def make_plan(observations: Mapping[str, Sequence[Mapping[str, Any]]], balancers: Mapping[str, Mapping[str, Any]],
              request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plan, or everything that speaks against it in ``problems``.

    :arg observations: per host, in the order of the inventory, its :func:`instances`, each with ``look``: what
        M(evenkeel.fleet.service_restart) said in check mode.
    :arg balancers: per load balancer, what M(evenkeel.fleet.balancer_info) returned.
    :arg request: ``mode`` (restart or shutdown), ``only`` (names of services; empty is all), ``min_available``,
        ``retries``, ``backoff_s``, ``return_all`` (bool).

    A shutdown is an emergency: neither capacity nor a load balancer speaks against it.
    """
    restarts = request["mode"] == "restart"
    members = [_member(host, service, balancers, request) for host, services in observations.items()
               for service in services]
    services = list(dict.fromkeys(one["service"] for one in members))
    problems = [str(InputError("graceful_restart_only", name, "a service that a host of this run declares in "
                               "graceful_restart_services")) for name in request["only"] if name not in services]
    problems += dict.fromkeys(_name_problems(members))
    problems += _balancer_problems(members, balancers) if restarts else []
    minimum: dict[str, int] = {}
    for name in services if restarts else []:
        own = [one for one in members if one["service"] == name]
        try:
            minimum[name] = minimum_of(own[0]["min_available"], len(own))
        except InputError as error:
            problems.append(f"{name}: {error}")
    plan: dict[str, Any] = {
        "mode": request["mode"], "retries": request["retries"], "backoff_s": request["backoff_s"],
        "members": {one["identity"]: one for one in members}, "minimum": minimum,
        "services": services, "turns": [], "problems": problems,
    }
    if not problems and restarts:
        turns, held = simulate(_queue(plan), minimum, *_serving(plan, {}, balancers))
        plan["turns"] = [[one.identity for one in turn] for turn in turns]
        plan["problems"] = [
            f"graceful_restart_min_available: {identity} cannot be restarted: {reason}. Lower it, add a host, give "
            "the service a way to reload or a socket unit, or bring back what an earlier run left without traffic "
            "(graceful_restart_return_all=true)." for identity, reason in held.items()]
    wanted = [one for one in members if one["wanted"]]
    plan["todo"] = bool(wanted) and not plan["problems"]
    return {**plan, "text": _text(plan, balancers)}


def choose_turn(plan: Mapping[str, Any], progress: Mapping[str, Mapping[str, Mapping[str, Any]]],
                balancers: Mapping[str, Mapping[str, Any]], hosts: Collection[str],
                now_s: float | None = None) -> dict[str, Any]:
    """Return the next turn: ``batch`` (instance by host), ``wait_s``, ``over`` and ``held`` (reasons).

    :arg progress: per host and instance: ``state`` (begun, done or failed), ``attempts``, ``failed_at_s`` (seconds
        since 1970) and ``final`` (bool: do not try again, and let nobody else begin).
    :arg hosts: those that still answer; what the others have not done they never will.
    :arg now_s: seconds since 1970; the controller's clock by default.

    After a final failure, and when a load balancer does not say who is in service, nobody begins any more.
    """
    known = {f"{host}/{instance}": one for host, found in progress.items() for instance, one in found.items()}
    final = [f"{identity}: {one['reason']}" for identity, one in known.items() if one.get("final")]
    final += [f"the load balancer {edge} does not say who is in service" for edge in _silent(balancers)]
    if final:
        left = [one["identity"] for one in plan["members"].values() if one["wanted"] and one["identity"] not in known]
        return {"batch": {}, "wait_s": 0.0, "over": True, "held": dict.fromkeys(left, final[0])}
    lost = {identity: known.get(identity, {"attempts": 0}) for identity, one in plan["members"].items()
            if one["host"] not in hosts and known.get(identity, {}).get("state") != DONE}
    known.update({identity: {**one, "state": BEGUN} for identity, one in lost.items()})
    turn = next_turn(_queue(plan), plan["minimum"], *_serving(plan, known, balancers), _progress(plan, known),
                     time.time() if now_s is None else now_s)
    return {"batch": {one.host: one.instance for one in turn.members}, "wait_s": turn.wait_s, "over": turn.over,
            "held": {**turn.held, **dict.fromkeys(lost, SILENT)}}


def _member(host: str, service: Mapping[str, Any], balancers: Mapping[str, Mapping[str, Any]],
            request: Mapping[str, Any]) -> dict[str, Any]:
    look, backend, minimum = service["look"], service.get("backend", ""), service.get("min_available")
    slot = look["slot"]
    number = service["replica"]
    declared = service.get("server")
    server = (numbered(declared, number) if declared else server_names(host, slot, number) if slot else [host])[-1]
    states = {edge: _server(found, backend, server).get("state", "") for edge, found in balancers.items()} \
        if backend else {}
    return {
        "identity": f"{host}/{service['instance']}", "host": host, "service": service["name"],
        "instance": service["instance"],
        "priority": service.get("priority", "medium"), "method": look["method"], "why": look["why"],
        "gap": look["method"] not in _GAPLESS, "wanted": look["wanted"], "needs": look["needs"],
        "healthy": look["healthy"], "alive": look["alive"],
        "open": look["open"], "backend": backend, "server": server, "states": states,
        "edges": [edge for edge, state in states.items() if state == "ready" or (state and request["return_all"])],
        "min_available": request["min_available"] if minimum is None else minimum,
    }


def _silent(balancers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [edge for edge, found in balancers.items() if "backends" not in found]


def _server(found: Mapping[str, Any], backend: str, name: str) -> Mapping[str, Any]:
    servers = found.get("backends", {}).get(backend, {}).get("servers", [])
    return next((server for server in servers if server["name"] == name), {})


def _name_problems(members: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    identities = [one["identity"] for one in members]
    for one in members:
        if identities.count(one["identity"]) > 1:
            expected = f"each name once on {one['host']}"
            yield str(InputError("graceful_restart_services[].name", one["instance"], expected))


def _balancer_problems(members: Sequence[Mapping[str, Any]],
                       balancers: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for edge in _silent(balancers):
        yield f"{edge}: expected the load balancer to say who is in service, found no answer. See that HAProxy runs."
    for one in members:
        lacking = [edge for edge, state in one["states"].items() if not state]
        if lacking or (one["backend"] and not balancers):
            yield (f"{one['identity']}: expected a server {one['server']} in backend {one['backend']} of every load "
                   f"balancer, found none at {', '.join(lacking) or 'all: there is no load balancer'}. Correct server "
                   "or backend, or run the playbook deploy, which sets the load balancers up.")


def _queue(plan: Mapping[str, Any]) -> list[Member]:
    return [Member(one["host"], one["service"], one["priority"], one["gap"], one["wanted"], name=one["instance"],
                   returns=not one["backend"] or set(one["edges"]) == set(one["states"]))
            for one in plan["members"].values()]


def _progress(plan: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> dict[str, Progress]:
    """Return the queue's view: a begun instance of which nothing came back is failed for good."""
    result = {}
    for identity in plan["members"]:
        one = known.get(identity, {"state": PENDING, "attempts": 0})
        again = one["state"] == FAILED and one["attempts"] <= plan["retries"]
        retry_at_s = one["failed_at_s"] + backoff_s(one["attempts"], plan["backoff_s"]) if again else None
        result[identity] = Progress(FAILED if one["state"] == BEGUN else one["state"], one["attempts"], retry_at_s)
    return result


def _serving(plan: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]],
             balancers: Mapping[str, Mapping[str, Any]]) -> tuple[set[str], set[str]]:
    """Return who is up and who is idle.

    Up is who is healthy as last seen, and ready and at full health at every load balancer now. Idle is who has no
    traffic from any of them; without a load balancer, who did not run when the plan was made.
    """
    up, idle = set(), set()
    for identity, one in plan["members"].items():
        state = known.get(identity, {}).get("state", PENDING)
        healthy = one["healthy"] if state == PENDING else state == DONE
        servers = [_server(found, one["backend"], one["server"]) for found in balancers.values() if one["backend"]]
        if healthy and all(server.get("state") == "ready" and server.get("healthy") for server in servers):
            up.add(identity)
        elif not one["alive"] if not servers else not any(map(_has_traffic, servers)):
            idle.add(identity)
    return up, idle


def _has_traffic(server: Mapping[str, Any]) -> bool:
    return server.get("state") == "ready" and server.get("operational") != "stopped"


def _text(plan: Mapping[str, Any], balancers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the plan as lines for people."""
    members: Mapping[str, Mapping[str, Any]] = plan["members"]
    wanted = [one for one in members.values() if one["wanted"]]
    left = [identity for identity, one in members.items() if not one["wanted"]]
    if not wanted:
        return [f"Nothing to do: {', '.join(members) or 'no host declares graceful_restart_services'}."]
    lines = []
    if plan["mode"] == "shutdown":
        lines.append(f"SHUTDOWN of {len(wanted)} instances, all at once")
        lines += [f"{one['identity']}: {_found(one)}, then SIGKILL at the deadline" for one in wanted]
        lines += [f"{edge}: no answer from this load balancer; it goes on without" for edge in _silent(balancers)]
    else:
        lines.append(f"restart of {len(wanted)} instances in {len(plan['turns'])} turns")
        up = _serving(plan, {}, balancers)[0]
        for number, turn in enumerate(plan["turns"], 1):
            lines += [f"{number}. {identity}: {members[identity]['method']}, because {members[identity]['why']}; "
                      f"{_found(members[identity])}" for identity in turn]
            for service in dict.fromkeys(members[identity]["service"] for identity in turn):
                own = [identity for identity, one in members.items() if one["service"] == service]
                away = [identity for identity in turn if members[identity]["gap"]]
                left_up = [identity for identity in own if identity in up and identity not in away]
                lines.append(f"   {service}: {len(left_up)} of {len(own)} in service meanwhile, at least "
                             f"{plan['minimum'][service]}")
            up |= {one.identity for one in _queue(plan) if one.returns and one.identity in turn}
    lines += [f"{one['identity']}: {one['server']} is {state} at {edge} and stays so" for one in wanted
              for edge, state in one["states"].items() if edge not in one["edges"] and state]
    if left:
        lines.append(f"left alone: {', '.join(left)}")
    return lines


def _found(one: Mapping[str, Any]) -> str:
    asks = f"; {'; '.join(one['needs'])}" if one["needs"] else ""
    return f"now {'healthy' if one['healthy'] else 'NOT healthy'}, {one['open']} connections{asks}"
