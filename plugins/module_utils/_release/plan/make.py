# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a rollout: which hosts, in which waves, through which gates, and back to what."""

from __future__ import annotations

import re
from typing import Any, Iterable, Mapping, Sequence

from ..._balancer.replicas import overlap
from ..._core.errors import InputError
from ..declared import hooks, migration, notification
from ..declared.bundle import name_of
from ..judge.burn_rate import Budget
from ..judge.canary import check
from ..judge.latency import LatencyRules
from ..ledger.history import ROLLBACK
from . import capacity, rollback
from .guard_ttl import check_ttl, ttl_of
from .resume import going_on
from .text import plan_text
from .waves import BLUE_GREEN, CANARY, ROLLING, check_strategy, make_waves

_RELEASE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
_SERVICE = re.compile(r"^[a-z0-9][a-z0-9-]{0,62}$")


def check_release(release: Any) -> str:
    """Return the name of a release.

    :raises InputError: when it could not be an image tag.
    """
    if not _RELEASE.match(str(release)):
        raise InputError("release_name", release,
                         "letters, digits, dot, underscore and dash, at most 128, beginning with a letter or digit",
                         "v42")
    return str(release)


def make_plan(observations: Mapping[str, Mapping[str, Any]], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plan, or everything that speaks against it in ``problems``.

    :arg observations: per host, in the order of the inventory, what :func:`.observation.observe` returned.
    :arg request: ``service``, ``release``, ``runtime``, ``kind`` (rollout or rollback), ``strategy``, ``canary``
        (bool), ``canary_hosts``, ``waves`` (wishes, see :func:`.waves.make_waves`), ``groups`` (the inventory's),
        ``domains`` (failure domain by host, empty for none), ``rates`` (declared requests per second by host),
        ``min_capacity``, ``gates`` (sentences), ``judge`` and ``budget`` (their rules, empty when off), ``hooks``,
        ``migration``, ``notify``, ``lock_ttl_s``, ``soak_s``, ``ports`` (by slot), ``balancers_required`` (bool:
        every load balancer must know the servers already), ``edge_hosts`` (load balancers by host), ``lock_host``,
        ``configs`` (digest of the bundle to go back to by host, of a rollback), ``accept_irreversible`` (bool: a
        rollback may go past an irreversible migration), ``guard_ttl_s`` (0 without guards), ``forks`` (see
        :func:`.guard_ttl.ttl_of`), ``steps_s`` and ``all_gates`` (see :func:`.guard_ttl.check_ttl`).
    """
    hosts = [host for host, one in observations.items() if not one["in_place"]]
    first = not any(one["active"] for one in observations.values())
    run, resumed = going_on(observations, request["release"])
    waves: list[list[str]] = []
    canaries: list[str] = []
    found: list[dict[str, Any]] = []
    problems = list(_problems(observations, request, hosts))
    try:
        rest = [host for host in hosts if host not in resumed]
        waves, canaries = _waves(observations, {**request, "canary": request["canary"] and not resumed}, rest, first)
        waves = [resumed, *waves] if resumed else waves
        found = [] if first else capacity.steps(waves, observations, request["rates"])
        # No wave takes a host away, and a rollback is how sick ones come back.
        if found and request["kind"] != ROLLBACK:
            capacity.check_minimum(request["min_capacity"], found,
                                   [host for host, one in observations.items() if not one["serving"]])
    except InputError as error:
        problems.append(str(error))
    domains = {} if first else request["domains"]
    plan = {
        "service": request["service"], "release": request["release"], "kind": request["kind"],
        "strategy": request["strategy"],
        "image": next((one["image"]["pinned"] for one in observations.values() if one["image"]), ""),
        "digest": next((one["image"]["digest"] for one in observations.values() if one["image"]), ""),
        "pull": [host for host in hosts if observations[host]["image"] and not observations[host]["image"]["present"]],
        "bundles": {host: name_of(request["release"], one["wanted"]["config"]) for host, one in observations.items()},
        "replicas": {host: [len(one["active_servers"]), one["replicas"]] for host, one in observations.items()},
        "hosts": hosts, "in_place": [host for host in observations if host not in hosts],
        "waves": [{"number": number, "hosts": wave,
                   "name": "resumed" if wave == resumed else _name(number, wave, canaries, request["strategy"]),
                   "domain": domains.get(wave[0], ""), "capacity": found[number - 1] if found else {}}
                  for number, wave in enumerate(waves, 1)],
        "proposal": _proposal(observations, request["rates"]),
        "run": run, "resumed": resumed,
        "interrupted": [host for host, one in observations.items() if one["interrupted"] and host not in resumed],
        "first": first, "gates": list(request["gates"]), "soak_s": request["soak_s"],
        "hooks": {} if problems else dict(request["hooks"]),
        # A run that goes on has migrated before; its commit records that all the same.
        "migration": {} if problems or request["kind"] == ROLLBACK else migration.planned(
            request["migration"], hosts, request["service"]),
        "guard_ttl_s": 0 if first or request["migration"].get("irreversible") or any(
            one["irreversible"] for one in observations.values()) else ttl_of(
                request["guard_ttl_s"], waves, request["forks"]),
        "rollback_target": {host: _target_of(observations[host]) for host in hosts},
        "todo": bool(hosts) and not problems, "problems": problems,
    }
    return {**plan, "text": plan_text(plan)}


def _waves(observations: Mapping[str, Mapping[str, Any]], request: Mapping[str, Any], hosts: Sequence[str],
           first: bool) -> tuple[list[list[str]], list[str]]:
    """Return the waves and the canaries. What is asked for is checked with all hosts, also those that need nothing."""
    domains = request["domains"]
    check_strategy(request["strategy"], bool(request["judge"]), domains)
    lacking = [host for host in observations if domains and not domains.get(host)]
    if lacking:
        raise InputError("rollout_failure_domain", ", ".join(lacking), "a variable that every host has; without it are",
                         "zone")
    at_once = first or request["strategy"] != ROLLING
    wishes = ["100%"] if at_once else request["waves"]
    canaries = list(request["canary_hosts"]) if request["canary"] and not at_once else []
    make_waves(list(observations), canaries, request["waves"], request["groups"], domains)
    canaries = [host for host in canaries if host in hosts]
    if request["canary"] and not at_once and not canaries and len(hosts) > 1:
        canaries = list(hosts[:1])
    return make_waves(hosts, canaries, wishes, request["groups"], {} if first else domains), canaries


def _name(number: int, wave: Sequence[str], canaries: Sequence[str], strategy: str) -> str:
    if strategy != ROLLING:
        return {BLUE_GREEN: "all hosts at once", CANARY: "all hosts, by weight"}[strategy]
    return "canary" if set(wave) <= set(canaries) else f"wave {number}"


def _proposal(observations: Mapping[str, Mapping[str, Any]], rates: Mapping[str, float]) -> dict[str, Any]:
    """Return how many hosts, or replicas per host, the load of now asks for; empty when no capacity is declared."""
    declared = [rates[host] for host in observations if rates.get(host)]
    if not declared or len(declared) < len(observations):
        return {}
    load = max(one["load_rps"] for one in observations.values())
    replicas = [max(1, len(one["active_servers"])) for one in observations.values()]
    return capacity.proposal(load, sum(declared) / len(declared), replicas)


def _problems(observations: Mapping[str, Mapping[str, Any]], request: Mapping[str, Any],
              hosts: Sequence[str]) -> Iterable[str]:
    try:
        check_release(request["release"])
    except InputError as error:
        yield str(error)
    if not _SERVICE.match(str(request["service"])):
        yield str(InputError("release_service", request["service"], "lower-case letters, digits and dashes",
                             "shop"))
    yield from _judge_problems(request["judge"])
    yield from notification.problems(request["notify"])
    wrong = list(hooks.problems(request["hooks"]))
    yield from wrong
    phase, longest_s = ("", 0.0) if wrong else hooks.longest_s(request["hooks"])
    if longest_s >= request["lock_ttl_s"]:
        yield str(InputError("rollout_lock_ttl_s", request["lock_ttl_s"], f"more than {longest_s:g} seconds, because "
                             f"the hooks of {phase} may take as long", f"{longest_s + 300:g}"))
    try:
        Budget.of(request["budget"], "rollout_budget")
    except InputError as error:
        yield str(error)
    try:
        check_ttl(request["guard_ttl_s"], request["steps_s"], request["all_gates"], {} if wrong else request["hooks"])
    except InputError as error:
        yield str(error)
    yield from _balancer_problems(request["edge_hosts"], request["lock_host"])
    if request["ports"] and len(set(request["ports"].values())) != 2:
        yield str(InputError("release_ports", request["ports"], "two slots with different ports",
                             "{blue: 8001, green: 8002}"))
    yield from _replica_problems(observations, request["ports"])
    if request["balancers_required"]:
        for host, one in observations.items():
            yield from _server_problems(host, one)
    for text in dict.fromkeys(text for one in observations.values() for text in one["problems"]):
        yield f"{text} Found on: {', '.join(host for host, one in observations.items() if text in one['problems'])}."
    digests = {one["image"]["digest"] for one in observations.values() if one["image"]}
    if len(digests) > 1:
        listed = ", ".join(f"{host} {one['image']['digest'][:19]}" for host, one in observations.items())
        yield (f"release_image: expected one image for all hosts, found different digests: {listed}. "
               "Give the image by digest, or let every host use the same registry.")
    if request["kind"] == ROLLBACK:
        yield from rollback.problems(observations, request["release"], request["configs"], hosts)
        if not request["accept_irreversible"]:
            yield from rollback.irreversible(observations, request["release"], request["configs"], hosts)
    else:
        yield from migration.problems(request["migration"], hosts, request["groups"]["all"],
                                      request["runtime"])
    for host in hosts:
        one = observations[host]
        for conflict in one["conflicts"]:
            yield f"{host}: {conflict}. Find out which is right and correct the other; nothing is guessed here."
        if one["frozen"] and one["last_run"]:
            yield (f"{host}: FROZEN since run {one['last_run']} of release {one['last_release']}. Repair the host, "
                   "then record it as ROLLED_BACK with evenkeel.fleet.release (action: record).")


def _replica_problems(observations: Mapping[str, Mapping[str, Any]], ports: Mapping[str, int]) -> Iterable[str]:
    for wanted in dict.fromkeys(one["wanted"]["replicas"] for one in observations.values() if not one["replicas"]):
        yield str(InputError("release_replicas", wanted, "a number of replicas, 1 or more", "2"))
    most = max((_most(one) for one in observations.values()), default=1)
    if len(set(ports.values())) == 2 and overlap(ports, most):
        yield str(InputError("release_ports", ports, f"two slots whose ports stay apart with {most} replicas, "
                             "each two above the one before, up to 65535", "{blue: 8001, green: 8002}"))


def _most(observation: Mapping[str, Any]) -> int:
    """Return how many replicas a host has or gets, whichever is more: the servers that it needs for both ways."""
    return max(len(observation["active_servers"]), len(observation["target_servers"]))


def _balancer_problems(edge_hosts: Mapping[str, Sequence[str]], lock_host: str) -> Iterable[str]:
    first = next(iter(edge_hosts.values()), [])
    if any(set(edges) != set(first) for edges in edge_hosts.values()):
        yield str(InputError("release_edge_hosts", dict(edge_hosts),
                             "the same load balancers for every host of a service", f"[{', '.join(first)}]"))
    if lock_host not in first:
        yield str(InputError("rollout_lock_host", lock_host, "a load balancer of the service, because its guard frees "
                             "the lock of a run that it has sent back", next(iter(first), "edge1")))


def _server_problems(host: str, one: Mapping[str, Any]) -> Iterable[str]:
    lacking = [f"{host}-{slot} on {edge}" for slot, by_edge in one["balancers"].items()
               for edge, servers in by_edge.items() if not servers]
    if lacking:
        yield (f"load balancer: expected the servers of {host} in its backend, found none: "
               f"{', '.join(lacking)}. Run the playbook deploy, which sets the load balancer up.")
        return
    few = [f"{name} on {edge}" for slot, names in ((one["target"], one["target_servers"]),
                                                   (one["active"], one["active_servers"])) if names
           for edge, servers in one["balancers"][slot].items() for name in names if name not in servers]
    if few:
        yield (f"release_replicas: expected a server of every load balancer for each replica of {host}, found "
               f"{_most(one)} replicas and no {', '.join(few)}. Set load_balancer_replicas to {_most(one)} and run the "
               "playbook deploy, or lower release_replicas.")
    if one["misplaced"]:
        yield (f"load_balancer_slots: expected the servers of {host} at the ports of release_ports, found "
               f"{', '.join(one['misplaced'])}. Give both the same ports and run the playbook deploy.")


def _judge_problems(judge: Mapping[str, Any]) -> Iterable[str]:
    try:
        rules = check(judge)
        if judge.get("latency") is not None:
            LatencyRules.parse(judge["latency"], rules.alpha)
        weights = judge.get("weight", [10])
        for weight in weights if isinstance(weights, list) else [weights]:
            if isinstance(weight, bool) or not 1 <= int(weight) <= 256:
                raise InputError("weight", weight, "1 to 256", "10")
        if isinstance(weights, list) and (not weights or sorted(set(weights)) != weights):
            raise InputError("weight", weights, "weights that rise", "[5, 33]")
        for name, low, high, example in (("deadline_s", 1, 86400, 120), ("looks", 1, 100, 100)):
            if not low <= int(judge.get(name, example)) <= high:
                raise InputError(name, judge[name], f"{low} to {high}", str(example))
    except InputError as error:
        yield f"rollout_judge.{error}"


def _target_of(observation: Mapping[str, Any]) -> dict[str, str]:
    current = observation["current"] or {}
    return {"release": current.get("release", ""), "digest": current.get("digest", ""),
            "slot": observation["active"]}
