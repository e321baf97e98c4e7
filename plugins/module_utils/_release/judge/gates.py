# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gates of a rollout: which run at which moment and where, what is wrong with them, and what they found.

A gate is ``{name, type, when, ...}``: ``type`` is health, command, load, metric or manual, ``when`` is alone (on each
host, before the new release has traffic), wave (once, after each wave has switched) or soak (once, after the soak).
"""

from __future__ import annotations

import re
from typing import Any, Iterable, Iterator, Mapping, Sequence

from ..._core.errors import InputError
from ..._core.verdict import INCONCLUSIVE, PASS
from .options import SOURCES

ALONE, WAVE, SOAK = MOMENTS = ("alone", "wave", "soak")

#: The moment of the judge, who is no gate of this list.
CANARY = "canary"

#: In the order in which they run: what costs nothing first, people last.
TYPES = ("health", "command", "load", "metric", "manual")

#: What a gate of each type cannot do without, and what else it knows.
_NEEDED: Mapping[str, Sequence[str]] = {
    "health": ("checks",), "command": ("argv",), "load": ("rate_rps", "duration_s", "thresholds"),
    "metric": ("thresholds",), "manual": ("timeout_s",)}
_KNOWN: Mapping[str, Sequence[str]] = {
    "health": ("consecutive", "interval_s", "deadline_s"), "command": ("rc", "contains", "timeout_s"),
    "load": ("warmup_s", "scenarios", "target", "baseline"),
    "metric": ("prometheus", "balancer", "load_probe", "wait_s", "deadline_s", "interval_s"), "manual": ("message",)}
_COMMON = ("name", "type", "when", "host")
_BASELINE = ("percentiles", "tolerance", "error_tolerance", "confidence")
#: The gates that have a variable of their own.
_ALONE, _WAVE, _WATCH = ("load on the new release alone", "load through the load balancer", "requests of the watch")
_VARIABLES = {_ALONE: "rollout_gate_alone", _WAVE: "rollout_gate_wave", _WATCH: "rollout_watch_thresholds"}
_SECONDS = ("duration_s", "timeout_s", "interval_s")

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")

EXAMPLE = "{name: orders, type: metric, when: wave, prometheus: {url: http://prometheus:9090, query: up}, " \
          "thresholds: [value > 0]}"

#: Evidence is for people and for the ledger: what a gate's numbers came from stays out of it.
_KEPT = ("verdict", "reasons", "thresholds", "metrics", "started_at", "duration_s")


def all_gates(request: Mapping[str, Any], moment: str = "") -> list[dict[str, Any]]:
    """Return the gates that have a variable of their own, and then the declared ones.

    :arg request: ``alone`` and ``wave`` (load gates, empty when off), ``declared`` (``rollout_gates``), and ``watch``,
        thresholds for the probe that runs along if there is one (``watched``) under the name ``watch_name``.
    :arg moment: only the gates of this moment, without a look at what others refer to; all when empty.
    """
    built_in: list[dict[str, Any]] = []
    if request["alone"] and moment in ("", ALONE):
        built_in.append({**request["alone"], "name": _ALONE, "type": "load", "when": ALONE})
    if request["wave"] and moment in ("", WAVE):
        built_in.append({**request["wave"], "name": _WAVE, "type": "load", "when": WAVE})
    if request["watch"] and request["watched"] and moment in ("", WAVE):
        built_in.append({"name": _WATCH, "type": "metric", "when": WAVE, "deadline_s": 5,
                         "interval_s": 1, "thresholds": request["watch"],
                         "load_probe": {"name": request["watch_name"]}})
    return [*built_in, *({"when": WAVE, **gate} for gate in request["declared"]
                         if moment in ("", gate.get("when", WAVE)))]


def field_of(name: Any) -> str:
    """Return where a user wrote the gate of a name."""
    return _VARIABLES.get(str(name)) or f"rollout_gates: {name}"


def arrange(request: Mapping[str, Any], moment: str, wave: int, host: str) -> dict[str, Any]:
    """Return what runs at a moment: ``types`` in their order, ``queue`` by type, ``options`` by name of the gate.

    Who stands in a queue is ``{name, type, when, wave, on}``; options, in which there may be secrets, are kept apart.

    :arg request: as for :func:`all_gates`, and ``load_host``, ``edge_hosts``, ``backend``, ``service`` and ``first``
        (nothing serves yet, so there is no baseline).
    :arg host: the host that asks; gates of the moment ``alone`` run there.
    """
    chosen = all_gates(request, moment)
    queue: dict[str, list[dict[str, Any]]] = {}
    for gate in sorted(chosen, key=lambda gate: TYPES.index(gate["type"])):
        kind = "health" if gate["type"] == "command" else gate["type"]
        for where in _where(gate, request, host):
            queue.setdefault(kind, []).append({**{key: gate[key] for key in ("name", "type", "when")},
                                               "wave": wave, "on": where})
    return {"types": list(queue), "queue": queue,
            "options": {gate["name"]: options_of(gate, request) for gate in chosen}}


def _where(gate: Mapping[str, Any], request: Mapping[str, Any], host: str) -> Sequence[str]:
    """The load balancers' own counters are read on each of them; else one place is enough."""
    if gate.get("host"):
        return [gate["host"]]
    if gate.get("balancer") is not None:
        return list(request["edge_hosts"])
    return [host if gate["when"] == ALONE else request["load_host"] or host]


def options_of(gate: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the task that runs a gate gives to its module."""
    options = {key: value for key, value in gate.items() if key not in _COMMON}
    if gate["type"] == "command":
        check = {"name": gate["name"], "type": "command", "argv": gate["argv"], "rc": gate.get("rc") or [0],
                 "timeout_s": gate.get("timeout_s", 60)}
        return {"checks": [{**check, **({"contains": gate["contains"]} if gate.get("contains") else {})}],
                "deadline_s": 0}
    if gate.get("balancer") is not None:
        options["balancer"] = {"backend": request["backend"], **gate["balancer"]}
    if gate.get("baseline") is not None:
        del options["baseline"]
        if not request["first"]:
            options |= {"baseline": gate["baseline"], "measured": measured(gate["name"], request["service"])}
    return options


def measured(gate: str, service: str) -> str:
    """Return the name under which a load host keeps what the old release did in a gate."""
    return _NOT_IN_NAMES.sub("-", f"rollout-{service}-{gate}")[:90]


def problems(request: Mapping[str, Any]) -> list[str]:
    """Return everything that is wrong with the gates, as sentences.

    :arg request: as for :func:`arrange`, and ``hosts``, those of the inventory.
    """
    gates = all_gates(request)
    found = [str(error) for gate in gates for error in wrong(gate)]
    names = [gate.get("name") for gate in gates]
    found += [str(InputError("rollout_gates", name, "names that are used once", EXAMPLE))
              for name in dict.fromkeys(names) if names.count(name) > 1]
    found += [str(InputError(f"{field_of(gate.get('name'))}.host", gate["host"], "a host of the inventory",
                             next(iter(request["hosts"]), "load1")))
              for gate in gates if gate.get("host") and gate["host"] not in (*request["hosts"], "localhost")]
    if request["watch"] and not request["watched"]:
        found.append("rollout_watch_thresholds: expected a watch to judge, found rollout_watch=false. Switch it on.")
    return found


def wrong(gate: Mapping[str, Any]) -> Iterator[InputError]:
    """Yield what is wrong with one gate, short of what its module would find; see plugin_utils/gate_options.py."""
    kind, name = gate.get("type"), gate.get("name")
    where = field_of(name)
    if not isinstance(name, str) or not name:
        yield InputError("rollout_gates.name", name, "a name", EXAMPLE)
        return
    if kind not in TYPES:
        yield InputError(f"{where}.type", kind, f"one of {', '.join(TYPES)}", EXAMPLE)
        return
    if gate["when"] not in MOMENTS:
        yield InputError(f"{where}.when", gate["when"], f"one of {', '.join(MOMENTS)}", EXAMPLE)
    known = {*_COMMON, *_NEEDED[kind], *_KNOWN[kind]}
    for key in gate:
        if key not in known:
            yield InputError(where, key, f"for type {kind} only {', '.join(sorted(known))}", EXAMPLE)
    for key in _NEEDED[kind]:
        if gate.get(key) in (None, "", [], {}):
            yield InputError(f"{where}.{key}", gate.get(key), f"a value, which type {kind} cannot do without", EXAMPLE)
    for key in _SECONDS:
        if key in gate and not _positive(gate[key]):
            yield InputError(f"{where}.{key}", gate[key], "more than 0 seconds", "30")
    if kind == "metric" and sum(gate.get(source) is not None for source in SOURCES) != 1:
        yield InputError(where, kind, f"exactly one of {', '.join(SOURCES)}", EXAMPLE)
    for source in SOURCES:
        if not isinstance(gate.get(source) or {}, Mapping):
            yield InputError(f"{where}.{source}", "(hidden)", "a dict", EXAMPLE)
    baseline = gate.get("baseline") or {}
    if not isinstance(baseline, Mapping):
        yield InputError(f"{where}.baseline", baseline, "a dict", "{tolerance: 20%}")
        return
    for key in baseline:
        if key not in _BASELINE:
            yield InputError(f"{where}.baseline", key, f"only {', '.join(_BASELINE)}", "{tolerance: 20%}")


def _positive(value: Any) -> bool:
    try:
        return float(value) > 0
    except (TypeError, ValueError):
        return False


def sentences(request: Mapping[str, Any]) -> list[str]:
    """Return the declared gates as the plan prints them."""
    moments = {ALONE: "on the new release alone", WAVE: "after each wave", SOAK: "after the soak"}
    return [f"{gate.get('type')} gate {gate.get('name')!r} {moments.get(gate['when'], gate['when'])}{_rule(gate)}"
            for gate in all_gates({**request, "alone": {}, "wave": {}})]


def _rule(gate: Mapping[str, Any]) -> str:
    limits = list(gate.get("thresholds") or [])
    if gate.get("baseline") is not None:
        limits.append("no worse than the old release")
    if gate.get("type") == "manual":
        limits.append(f"answered within {gate.get('timeout_s')} s")
    return f": {', '.join(map(str, limits))}" if limits else ""


def evidence(registered: Iterable[Any], wave: int, moment: str = "", judged: Any = None,
             budget: Any = None) -> list[dict[str, Any]]:
    """Return what the gates of a wave found, for the ledger.

    :arg registered: what Ansible registered of the tasks that ran gates; undefined, skipped and other waves' are
        left out. The soak is every wave's.
    :arg moment: only the gates of this moment; all of the wave when empty.
    :arg judged: and ``budget``: the same of the canary judge, who judges the first wave, and of the error budget after
        the wave.
    """
    found = [{**result["item"], **_found(result)} for result in _results(registered)
             if result["item"]["wave"] in (wave, 0) and moment in ("", result["item"]["when"])]
    others = [("canary judge", "judge", CANARY, judged)] * (wave == 1 and moment in ("", CANARY))
    others += [("error budget", "budget", WAVE, budget)] * (moment == WAVE)
    for name, kind, when, one in others:
        found += [{"name": name, "type": kind, "when": when, "wave": wave, "on": _asked(result["item"]),
                   **_found(result)} for result in (one or {}).get("results") or [] if "item" in result]
    return found


def _asked(item: Any) -> str:
    """The host that a loop was for; the second loop over the results of a first one has it one deeper."""
    return str(item["item"] if isinstance(item, Mapping) else item)


def refused(registered: Any) -> list[str]:
    """Return a sentence per gate that did not pass; no answer is not a pass."""
    return [f"{result['item']['name']}: {found['verdict']}: {'; '.join(found['reasons'])}"
            for result in _results([registered]) for found in [_found(result)] if found["verdict"] != PASS]


def _results(registered: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for one in registered:
        for result in (one or {}).get("results") or []:
            if isinstance(result.get("item"), Mapping) and not result.get("skipped"):
                yield result


def _found(result: Mapping[str, Any]) -> dict[str, Any]:
    if "verdict" in result:
        return {key: result[key] for key in _KEPT if result.get(key) is not None}
    told = str(result.get("msg") or "no answer")
    return {"verdict": INCONCLUSIVE, "reasons": [told], "thresholds": [], "metrics": {}}
