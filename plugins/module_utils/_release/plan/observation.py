# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one host runs, from three witnesses: its containers, its ledger and every load balancer."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from ..._balancer.replicas import known_servers, server_names, server_ports
from ..._balancer.server import DRAIN, MAINT, READY
from ..ledger.states import UNTOUCHED
from .resume import through


def server_states(answers: Iterable[Mapping[str, Any]], backend: str) -> dict[str, dict[str, str]]:
    """Return the administrative state (``ready``, ``drain``, ``maint``) by server name, per load balancer.

    :arg answers: what M(evenkeel.fleet.balancer_info) returned, the balancer's name as ``item``. One that is not
        set up yet has no servers.
    """
    return {answer["item"]: {server["name"]: server["state"]
                             for server in answer["backends"].get(backend, {}).get("servers", [])}
            for answer in answers}


def _misplaced(answers: Iterable[Mapping[str, Any]], backend: str, ports: Mapping[str, int]) -> list[str]:
    """Return the servers that a load balancer asks at another port than that of the slot."""
    return [f"{server['name']} at port {server['port']} on {answer['item']}" for answer in answers
            for server in answer["backends"].get(backend, {}).get("servers", [])
            if server["port"] != ports.get(server["name"], server["port"])]


def _serves(answer: Mapping[str, Any], backend: str, names: Sequence[str]) -> bool:
    """Whether a load balancer sends traffic to all of these servers and finds them healthy."""
    healthy = [server["name"] for server in answer["backends"].get(backend, {}).get("servers", [])
               if server["state"] == READY and server["healthy"]]
    return bool(names) and set(names) <= set(healthy)


def _alone(states: Mapping[str, Mapping[str, Mapping[str, str]]], names: Sequence[str],
           resting: Sequence[str]) -> bool:
    """Whether every load balancer has all of these servers ready, and every other one of the host resting."""
    found: dict[str, dict[str, str]] = {}
    for by_edge in states.values():
        for edge, servers in by_edge.items():
            found.setdefault(edge, {}).update(servers)
    return bool(found and names) and all(
        set(names) <= set(servers)
        and all(state == READY if name in names else state in resting for name, state in servers.items())
        for servers in found.values())


def _runs(instance: Mapping[str, Any], wanted: Mapping[str, Any], count: int) -> bool:
    """Whether a slot has so many replicas, which all run and all are the wanted release."""
    ones = instance.get("replicas", [])
    return len(ones) == count and all(
        one["running"] and all(one[key] == wanted[key] for key in ("release", "digest", "config")) for one in ones)


def _asked_for(status: Mapping[str, Any], wanted: Mapping[str, Any]) -> int:
    """Return the number of replicas of the wanted configuration; 0 when what is asked for is none.

    One that was committed before, such as that of a rollback, is as the ledger says.
    """
    known = next((one for one in status["history"] if one.get("config") == wanted["config"]), None)
    number = str(known.get("replicas", 1) if known else wanted["replicas"])
    return int(number) if number.isdecimal() else 0


def observe(found: Mapping[str, Any], host: str, backend: str, answers: Sequence[Mapping[str, Any]],
            slots: Mapping[str, int], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the one fact that all steps on a host use.

    :arg found: what M(evenkeel.fleet.release_info) returned on the host.
    :arg backend: the load balancers' backend; its servers are those of :mod:`..._balancer.replicas`.
    :arg answers: see :func:`server_states`.
    :arg slots: port of the first replica by slot name, for example ``{"blue": 8001, "green": 8002}``.
    :arg wanted: the release asked for: ``release``, ``digest``, ``config``, ``replicas``.
    :returns: ``active`` (the slot that serves, empty when none does), ``target`` (the other one, or the first when
        none serves), ``replicas`` (how many the target gets, 0 when that is no number), ``active_servers``,
        ``active_ports``, ``target_servers`` and ``target_ports`` (those that the slot has or gets, one for each
        replica), ``in_place`` (the wanted release serves everywhere with all its replicas and nothing is left to do),
        ``through`` (see :func:`.resume.through`), ``serving`` (every load balancer sends traffic to all replicas of a
        slot and finds them healthy), ``load_rps`` (requests of the whole service in the last second), ``misplaced``
        (servers that a load balancer asks at another port, as text), ``conflicts``
        (sentences about witnesses that contradict each other), ``untouched`` (whether the ledger ends with a run that
        had not touched anything that runs), ``balancers`` (state of every server that there is, by slot and load
        balancer) and what the witnesses said.
    """
    status, instances, balancers = found["status"], found["instances"], server_states(answers, backend)
    current = status["current"] or {}
    states = {slot: {edge: {name: servers[name] for name in known_servers(servers, host, slot)}
                     for edge, servers in balancers.items()} for slot in slots}
    serving = [slot for slot in slots if any(READY in servers.values() for servers in states[slot].values())]
    active = current.get("slot", "")
    conflicts = []
    if active and active not in slots:
        conflicts.append(f"the ledger says that slot {active} serves, and the slots are {', '.join(slots)}")
    elif active and not status["interrupted"] and any(slot != active for slot in serving):
        conflicts.append(f"the ledger says that slot {active} serves release {current['release']}, and a load "
                         f"balancer sends traffic to {', '.join(slot for slot in serving if slot != active)}")
    if not active and len(serving) == 1 and instances.get(serving[0], {}).get("running"):
        active = serving[0] if not status["interrupted"] else ""
    instance = instances.get(active, {})
    others = {one["digest"] for one in instance.get("replicas", [])} - {current.get("digest")}
    if status["interrupted"] and current and others:
        conflicts.append(f"the ledger says that slot {active} has release {current['release']} to go back to, and its "
                         f"container was made of another image ({', '.join(sorted(others))[:19]})")
    target = next(slot for slot in slots if slot != active)
    has = (current.get("replicas", 1) if current else len(instance.get("replicas", []))) if active in slots else 0
    gets = _asked_for(status, wanted)
    active_servers, target_servers = server_names(host, active, has), server_names(host, target, gets)
    active_ports = server_ports(slots, active, has) if has else []
    target_ports = server_ports(slots, target, gets)
    in_place = bool(
        active and not conflicts and not status["interrupted"] and not status["frozen"]
        and current.get("release") == wanted["release"] and _runs(instance, wanted, has)
        and _alone(states, active_servers, [MAINT]))
    return {
        "host": host, "active": active, "target": target, "replicas": gets,
        "active_servers": active_servers, "active_ports": active_ports,
        "target_servers": target_servers, "target_ports": target_ports,
        "misplaced": _misplaced(answers, backend, dict(zip([*active_servers, *target_servers],
                                                           [*active_ports, *target_ports]))),
        "in_place": in_place, "conflicts": conflicts,
        "through": not conflicts and through(found, wanted) and _runs(instances.get(target, {}), wanted, gets)
        and _alone(states, target_servers, [MAINT, DRAIN]),
        "serving": bool(balancers) and all(any(_serves(answer, backend, names) for names in (
            active_servers, target_servers)) for answer in answers),
        "load_rps": sum(answer["backends"].get(backend, {}).get("counters", {}).get("rate", 0) for answer in answers),
        "current": status["current"], "previous": status["previous"], "releases": status["releases"],
        "history": status["history"], "problems": found["problems"],
        "state": status["state"], "phase": status["phase"], "untouched": status["state"] in UNTOUCHED,
        "last_run": status["run"], "last_release": status["release"],
        "interrupted": status["interrupted"], "frozen": status["frozen"], "token": found["token"],
        "instances": dict(instances), "balancers": states, "image": found["image"], "stored": found["stored"],
        "neighbours": found["neighbours"], "irreversible": status["irreversible"], "bundles": found["bundles"],
        "wanted": dict(wanted),
    }
