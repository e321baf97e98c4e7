# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a rollout: which hosts, in which waves, through which gates, and back to what."""

from __future__ import annotations

import re
from typing import Any, Iterable, Mapping, Sequence

from .._core.errors import InputError
from . import rollback
from .bundle import name_of
from .burn_rate import Budget
from .history import ROLLBACK
from .judge import check
from .states import RESULT, SOAKING, STAGED
from .stop import applies, said

SIZES_EXAMPLE = '[1, "25%", "100%"]'

_RELEASE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
_SERVICE = re.compile(r"^[a-z0-9][a-z0-9-]{0,62}$")
_SIZE = re.compile(r"^(\d+)(%?)$")


def wave_size(size: Any, total: int) -> int:
    """Return how many of ``total`` hosts a size (``2``) or a share (``"25%"``, rounded down, at least 1) means.

    :raises InputError: when it is neither, or means no host at all.
    """
    match = None if isinstance(size, bool) else _SIZE.match(str(size).strip())
    number = int(match.group(1)) if match else 0
    if not match or number == 0 or (match.group(2) and number > 100):
        raise InputError("rollout_waves", size, "numbers of hosts above 0, or shares from 1% to 100%", SIZES_EXAMPLE)
    return max(1, total * number // 100) if match.group(2) else number


def make_waves(hosts: Sequence[str], canaries: Sequence[str], sizes: Sequence[Any]) -> list[list[str]]:
    """Split hosts into waves: the canaries first, then the rest by ``sizes``, of which the last one repeats.

    Shares are of the hosts that are left after the canaries. Every host is in exactly one wave.

    :raises InputError: for a canary that is no host of the plan, a host named twice, or sizes that mean nothing.
    """
    strangers = [host for host in canaries if host not in hosts]
    if strangers or len(set(canaries)) != len(canaries):
        raise InputError("rollout_canary_hosts", list(canaries), f"hosts out of {', '.join(hosts)}, each once",
                         f"[{hosts[0]}]" if hosts else "[]")
    if not sizes:
        raise InputError("rollout_waves", sizes, "at least one size", SIZES_EXAMPLE)
    rest = [host for host in hosts if host not in canaries]
    counts = [wave_size(size, len(rest)) for size in sizes]
    waves = [list(canaries)] if canaries else []
    while rest:
        count = counts.pop(0) if len(counts) > 1 else counts[0]
        waves.append(rest[:count])
        rest = rest[count:]
    return waves


def check_release(release: Any) -> str:
    """Return the name of a release.

    :raises InputError: when it could not be an image tag.
    """
    if not _RELEASE.match(str(release)):
        raise InputError("deploy_compose_release", release,
                         "letters, digits, dot, underscore and dash, at most 128, beginning with a letter or digit",
                         "v42")
    return str(release)


def make_plan(observations: Mapping[str, Mapping[str, Any]], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plan, or everything that speaks against it in ``problems``.

    :arg observations: per host, in the order of the inventory, what :func:`.observation.observe` returned.
    :arg request: ``service``, ``release``, ``kind`` (rollout or rollback), ``canary`` (bool), ``canary_hosts``,
        ``waves`` (sizes), ``gates`` (sentences), ``judge`` and ``budget`` (their rules, empty when off),
        ``soak_s``, ``ports`` (by slot), ``balancers_required`` (bool: every load balancer must know the servers
        already), ``configs`` (digest of the bundle to go back to by host, of a rollback).
    """
    hosts = [host for host, one in observations.items() if not one["in_place"]]
    first = not any(one["active"] for one in observations.values())
    problems = list(_problems(observations, request, hosts))
    waves: list[list[str]] = []
    try:
        canaries = list(request["canary_hosts"]) if request["canary"] and not first else []
        make_waves(list(observations), canaries, request["waves"])
        canaries = [host for host in canaries if host in hosts]
        if request["canary"] and not first and not canaries and len(hosts) > 1:
            canaries = hosts[:1]
        waves = make_waves(hosts, canaries, ["100%"] if first else request["waves"])
    except InputError as error:
        problems.append(str(error))
    plan = {
        "service": request["service"], "release": request["release"], "kind": request["kind"],
        "image": next((one["image"]["pinned"] for one in observations.values() if one["image"]), ""),
        "digest": next((one["image"]["digest"] for one in observations.values() if one["image"]), ""),
        "bundles": {host: name_of(request["release"], one["wanted"]["config"]) for host, one in observations.items()},
        "hosts": hosts, "in_place": [host for host in observations if host not in hosts],
        "waves": [{"number": number, "name": "canary" if number == 1 and wave == canaries else f"wave {number}",
                   "hosts": wave} for number, wave in enumerate(waves, 1)],
        "interrupted": [host for host, one in observations.items() if one["interrupted"]],
        "first": first, "gates": list(request["gates"]), "soak_s": request["soak_s"],
        "rollback_target": {host: _target_of(observations[host]) for host in hosts},
        "todo": bool(hosts) and not problems, "problems": problems,
    }
    return {**plan, "text": plan_text(plan)}


def _problems(observations: Mapping[str, Mapping[str, Any]], request: Mapping[str, Any],
              hosts: Sequence[str]) -> Iterable[str]:
    try:
        check_release(request["release"])
    except InputError as error:
        yield str(error)
    if not _SERVICE.match(str(request["service"])):
        yield str(InputError("deploy_compose_service", request["service"], "lower-case letters, digits and dashes",
                             "shop"))
    yield from _judge_problems(request["judge"])
    try:
        Budget.of(request["budget"])
    except InputError as error:
        yield f"rollout_budget.{error}"
    if request["ports"] and len(set(request["ports"].values())) != 2:
        yield str(InputError("deploy_compose_ports", request["ports"], "two slots with different ports",
                             "{blue: 8001, green: 8002}"))
    if request["balancers_required"]:
        for host, one in observations.items():
            lacking = [f"{host}-{slot} on {edge}" for slot, states in one["balancers"].items()
                       for edge, state in states.items() if not state]
            if lacking:
                yield (f"load balancer: expected the servers of {host} in its backend, found none: "
                       f"{', '.join(lacking)}. Run the playbook deploy, which sets the load balancer up.")
    for text in dict.fromkeys(text for one in observations.values() for text in one["problems"]):
        yield f"{text} Found on: {', '.join(host for host, one in observations.items() if text in one['problems'])}."
    digests = {one["image"]["digest"] for one in observations.values() if one["image"]}
    if len(digests) > 1:
        listed = ", ".join(f"{host} {one['image']['digest'][:19]}" for host, one in observations.items())
        yield (f"deploy_compose_image: expected one image for all hosts, found different digests: {listed}. "
               "Give the image by digest, or let every host use the same registry.")
    if request["kind"] == ROLLBACK:
        yield from rollback.problems(observations, request["release"], request["configs"], hosts)
    for host in hosts:
        one = observations[host]
        for conflict in one["conflicts"]:
            yield f"{host}: {conflict}. Find out which is right and correct the other; nothing is guessed here."
        if one["frozen"]:
            yield (f"{host}: FROZEN since run {one['last_run']} of release {one['last_release']}. Repair the host, "
                   "then record it as ROLLED_BACK with evenkeel.fleet.release (action: record).")


def _judge_problems(judge: Mapping[str, Any]) -> Iterable[str]:
    try:
        check(judge)
        for name, low, high, example in (("weight", 1, 256, 10), ("deadline_s", 1, 86400, 120), ("looks", 1, 1000, 5)):
            if not low <= int(judge.get(name, example)) <= high:
                raise InputError(name, judge[name], f"{low} to {high}", str(example))
    except InputError as error:
        yield f"rollout_judge.{error}"


def _target_of(observation: Mapping[str, Any]) -> dict[str, str]:
    current = observation["current"] or {}
    return {"release": current.get("release", ""), "digest": current.get("digest", ""),
            "slot": observation["active"]}


def plan_text(plan: Mapping[str, Any]) -> list[str]:
    """Return the plan as lines for people."""
    if not plan["hosts"]:
        return [f"{plan['service']} {plan['release']} is already active on every host: nothing to do."]
    lines = [f"{plan['kind']} of {plan['service']} to {plan['release']}, image {plan['image']}"]
    bundles: dict[str, list[str]] = {}
    for host in plan["hosts"]:
        bundles.setdefault(plan["bundles"][host], []).append(host)
    lines += [f"bundle {name} ({', '.join(hosts)})" for name, hosts in bundles.items()]
    if plan["in_place"]:
        lines.append(f"already there: {', '.join(plan['in_place'])}")
    if plan["interrupted"]:
        lines.append(f"first settle what an earlier run left on: {', '.join(plan['interrupted'])}")
    lines += [f"{wave['number']}. {wave['name']}: {', '.join(wave['hosts'])}" for wave in plan["waves"]]
    lines += [f"gate: {gate}" for gate in plan["gates"]]
    targets: dict[str, list[str]] = {}
    for host, target in plan["rollback_target"].items():
        text = f"{target['release']} {target['digest'][:19]} in slot {target['slot']}" if target["release"] else \
            f"what slot {target['slot']} serves" if target["slot"] else "nothing (first deployment)"
        targets.setdefault(text, []).append(host)
    lines += [f"way back: {text} ({', '.join(hosts)})" for text, hosts in targets.items()]
    lines.append(f"commit after a soak of {plan['soak_s']} s")
    return lines


def missing_evidence(plan: Mapping[str, Any], before: int, run: str, progress: Mapping[str, str],
                     ledgers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return why wave ``before`` may not begin; empty when every host proves that it is where it has to be.

    A host of an earlier wave proves that it is through when the controller saw it get there and its own ledger,
    read now, ends with the result of SOAKING (switched, and its gate passed) with this release in this run.
    A host of this wave or a later one has to be staged. No answer is not a proof, and a stop flag refutes it.

    :arg before: number of the wave that asks; one more than there are asks for all of them.
    :arg progress: per host what the controller saw, ``<run> <state>``.
    :arg ledgers: per host what M(evenkeel.fleet.release_info) just returned there.
    """
    missing = []
    for wave in plan["waves"]:
        for host in wave["hosts"]:
            status = ledgers[host].get("status") or {}
            needed = SOAKING if wave["number"] < before else STAGED
            if ledgers[host].get("unreachable"):
                missing.append(f"{host} does not answer")
            elif applies(ledgers[host].get("stop") or {}, run):
                missing.append(said(ledgers[host]["stop"]))
            elif progress[host] != f"{run} {needed}":
                missing.append(f"{host} is not {needed} (last seen: {progress[host] or 'nothing'})")
            elif needed == SOAKING and _position(status) != (run, plan["release"], SOAKING, RESULT):
                missing.append(f"the ledger of {host} does not prove {SOAKING} (its last record: "
                               f"{status.get('state') or 'none'})")
    return list(dict.fromkeys(missing))


def _position(status: Mapping[str, Any]) -> tuple[Any, ...]:
    return status.get("run"), status.get("release"), status.get("state"), status.get("phase")
