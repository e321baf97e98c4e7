# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one host runs, from three witnesses: its containers, its ledger and every load balancer."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from .resume import through

READY, MAINT = "ready", "maint"


def server_states(answers: Iterable[Mapping[str, Any]], backend: str) -> dict[str, dict[str, str]]:
    """Return the administrative state (``ready``, ``drain``, ``maint``) by server name, per load balancer.

    :arg answers: what M(evenkeel.fleet.balancer_info) returned, the balancer's name as ``item``. One that is not
        set up yet has no servers.
    """
    return {answer["item"]: {server["name"]: server["state"]
                             for server in answer["backends"].get(backend, {}).get("servers", [])}
            for answer in answers}


def _serves(answer: Mapping[str, Any], backend: str, names: Sequence[str]) -> bool:
    """Whether a load balancer sends traffic to one of these servers and finds it healthy."""
    return any(server["name"] in names and server["state"] == READY and server["healthy"]
               for server in answer["backends"].get(backend, {}).get("servers", []))


def observe(found: Mapping[str, Any], host: str, backend: str, answers: Sequence[Mapping[str, Any]],
            slots: Mapping[str, int], wanted: Mapping[str, str]) -> dict[str, Any]:
    """Return the one fact that all steps on a host use.

    :arg found: what M(evenkeel.fleet.release_info) returned on the host.
    :arg backend: the load balancers' backend; its servers are ``<host>-<slot>``.
    :arg answers: see :func:`server_states`.
    :arg slots: port by slot name, for example ``{"blue": 8001, "green": 8002}``.
    :arg wanted: the release asked for: ``release``, ``digest``, ``config``.
    :returns: ``active`` (the slot that serves, empty when none does), ``target`` (the other one, or the first when
        none serves), their ``active_port`` and ``target_port``, ``in_place`` (the wanted release serves everywhere and
        nothing is left to do), ``through`` (see :func:`.resume.through`), ``serving`` (every load balancer sends it
        traffic and finds it healthy), ``load_rps`` (requests of the whole service in the last second), ``conflicts``
        (sentences about witnesses that contradict each other) and what the witnesses said.
    """
    status, instances, balancers = found["status"], found["instances"], server_states(answers, backend)
    current = status["current"] or {}
    states = {slot: {edge: servers.get(f"{host}-{slot}", "") for edge, servers in balancers.items()} for slot in slots}
    names = [f"{host}-{slot}" for slot in slots]
    serving = [slot for slot in slots if READY in states[slot].values()]
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
    if status["interrupted"] and current and instance and instance["digest"] != current["digest"]:
        conflicts.append(f"the ledger says that slot {active} has release {current['release']} to go back to, and its "
                         f"container was made of another image ({instance['digest'][:19]})")
    others = [slot for slot in slots if slot != active]
    in_place = bool(
        active and not conflicts and not status["interrupted"] and not status["frozen"]
        and current.get("release") == wanted["release"] and instance.get("running")
        and instance.get("digest") == wanted["digest"] and instance.get("config") == wanted["config"]
        and balancers and all(state == READY for state in states[active].values())
        and all(state == MAINT for slot in others for state in states[slot].values()))
    return {
        "host": host, "active": active, "target": others[0], "target_port": slots[others[0]],
        "active_port": slots.get(active),
        "in_place": in_place, "conflicts": conflicts,
        "through": not conflicts and through(found, wanted, instances.get(others[0], {}), states, others[0]),
        "serving": bool(balancers) and all(_serves(answer, backend, names) for answer in answers),
        "load_rps": sum(answer["backends"].get(backend, {}).get("counters", {}).get("rate", 0) for answer in answers),
        "current": status["current"], "previous": status["previous"], "releases": status["releases"],
        "history": status["history"], "problems": found["problems"],
        "state": status["state"], "phase": status["phase"],
        "last_run": status["run"], "last_release": status["release"],
        "interrupted": status["interrupted"], "frozen": status["frozen"], "token": found["token"],
        "instances": dict(instances), "balancers": states, "image": found["image"], "stored": found["stored"],
        "irreversible": status["irreversible"], "bundles": found["bundles"], "wanted": dict(wanted),
    }
