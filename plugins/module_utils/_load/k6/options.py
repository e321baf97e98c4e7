# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a k6 script as variables of the role load_test.

Source of the defaults: Grafana k6's documentation, "Options reference" and "Executors".
"""

from __future__ import annotations

import math
from typing import Any, Callable, Mapping

from ..._core.errors import InputError
from .duration import parse_duration
from .threshold import Untranslatable, scope_of, translate_threshold

#: The shape of a script that names no scenario.
NAME = "k6"

_DEFAULT_MAX_DURATION = "10m"
_SHORTCUTS = ("vus", "duration", "iterations", "stages")

#: What changes nothing here: bodies are never kept, and it is k6's own output.
_WITHOUT_EFFECT = frozenset({"discardResponseBodies", "summaryTrendStats", "summaryTimeUnit", "systemTags", "paused"})

#: What every scenario may have beside its executor's options.
_COMMON = {
    "gracefulStop": "what was begun is waited for up to timeout_s",
    "gracefulRampDown": "a user goes when it has its answer",
    "startTime": "every shape starts at once",
    "env": "there is no script to give it to",
    "tags": "set tags on the requests of the scenario",
}


def translate(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``variables``, what is ``untranslated`` and what are ``approximations``, the last two as sentences.

    :arg options: the options of a k6 script, as ``k6 inspect`` prints them or as they are in the script.
    :raises InputError: when they are not of the form that k6 takes.
    """
    if not isinstance(options, Mapping):
        raise InputError("options", options, "a mapping, the options of a k6 script", "{vus: 10, duration: 30s}")
    given = {name: value for name, value in options.items() if not _empty(value)}
    return _Translation(given).result()


class _Translation:
    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given
        self._untranslated: list[str] = []
        self._approximations: list[str] = []
        self._shapes: dict[str, dict[str, Any]] = {}
        self._variables: dict[str, Any] = {}

    def result(self) -> dict[str, Any]:
        scenarios = self._given.pop("scenarios", None)
        if scenarios is not None and not isinstance(scenarios, Mapping):
            raise InputError("scenarios", scenarios, "a mapping", "{browse: {executor: constant-vus, …}}")
        shortcuts = {name: self._given.pop(name) for name in _SHORTCUTS if name in self._given}
        for name, scenario in (scenarios or {NAME: _scenario_of(shortcuts)}).items():
            self._scenario(str(name), scenario)
        if scenarios and shortcuts:
            self._leave(", ".join(shortcuts), "scenarios are there too, and k6 refuses both together")
        if len(self._shapes) == 1:
            self._variables["load_test_shape"] = next(iter(self._shapes))
        elif self._shapes:
            self._approximations.append(f"scenarios: k6 starts {', '.join(self._shapes)} at the same time; here each "
                                        "is a shape, and load_test_shape chooses one for a run")
        if self._shapes:
            self._variables["load_test_extra_shapes"] = self._shapes
        self._thresholds(self._given.pop("thresholds", {}))
        self._rest()
        self._leave("default function", "requests are data here: describe them in load_test_extra_scenarios")
        return {"variables": self._variables, "untranslated": self._untranslated,
                "approximations": self._approximations}

    def _leave(self, what: str, why: str) -> None:
        self._untranslated.append(f"{what}: {why}")

    def _scenario(self, name: str, scenario: Any) -> None:
        where = f"scenarios.{name}"
        if not isinstance(scenario, Mapping):
            raise InputError(where, scenario, "a mapping", "{executor: constant-vus, vus: 10, duration: 30s}")
        own = {key: value for key, value in scenario.items() if not _empty(value)}
        executor = str(own.pop("executor", ""))
        if executor not in _EXECUTORS:
            self._leave(f"{where}.executor", f"there is none like {executor or 'an empty one'}")
            return
        for key, why in _COMMON.items():
            if key in own and own.pop(key) not in (0, "0s"):
                self._leave(f"{where}.{key}", why)
        function = own.pop("exec", "default")
        if function != "default":
            self._leave(f"{where}.exec", f"describe what {function} asks as a scenario and name it in "
                        "load_test_scenarios")
        shape, approximation = _EXECUTORS[executor](own, where)
        if approximation:
            self._approximations.append(f"{where}: {approximation}")
        for key in own:
            self._leave(f"{where}.{key}", f"{executor} has no such option here")
        self._shapes[name] = shape

    def _thresholds(self, thresholds: Any) -> None:
        if not isinstance(thresholds, Mapping):
            raise InputError("thresholds", thresholds, "a mapping of metrics to lists", "{http_reqs: ['rate>50']}")
        for selector, ones in thresholds.items():
            for one in ones if isinstance(ones, (list, tuple)) else [ones]:
                try:
                    metric, scenario = scope_of(str(selector))
                    text = translate_threshold(metric, one)
                    if scenario and scenario not in self._shapes:
                        raise Untranslatable(f"the scenario {scenario} was not translated")
                except Untranslatable as reason:
                    shown = one.get("threshold") if isinstance(one, Mapping) else one
                    self._leave(f"thresholds.{selector} {shown}", str(reason))
                    continue
                place = self._shapes[scenario] if scenario else self._variables
                place.setdefault("thresholds" if scenario else "load_test_thresholds", []).append(text)
                if metric == "checks":
                    self._approximations.append(f"thresholds.{selector}: a failed check is an error here, and so are "
                                                "wrong statuses and broken connections")

    def _rest(self) -> None:
        if "insecureSkipTLSVerify" in self._given:
            self._variables["load_test_validate_certs"] = not self._given.pop("insecureSkipTLSVerify")
        if "userAgent" in self._given:
            self._variables["load_test_headers"] = {"User-Agent": str(self._given.pop("userAgent"))}
        for name in self._given:
            if name not in _WITHOUT_EFFECT and self._given[name] is not False:
                self._leave(name, "there is no option like it")


def _empty(value: Any) -> bool:
    """Whether k6 prints it for what was not set."""
    return value is None or value in ({}, []) or (isinstance(value, Mapping) and all(map(_empty, value.values())))


def _scenario_of(shortcuts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scenario that k6 derives from vus, duration, iterations, stages; the last ones win."""
    vus = shortcuts.get("vus", 1)
    if "iterations" in shortcuts:
        return {"executor": "shared-iterations", "vus": vus, "iterations": shortcuts["iterations"],
                "maxDuration": shortcuts.get("duration", _DEFAULT_MAX_DURATION)}
    if "stages" in shortcuts:
        return {"executor": "ramping-vus", "startVUs": vus, "stages": shortcuts["stages"]}
    if "duration" in shortcuts:
        return {"executor": "constant-vus", "vus": vus, "duration": shortcuts["duration"]}
    return {"executor": "per-vu-iterations", "vus": vus, "iterations": 1}


def _number(own: dict[str, Any], key: str, where: str, default: float | None = None) -> float:
    value = own.pop(key, default)
    try:
        number = float(value)
        if math.isfinite(number):
            return number
    except (TypeError, ValueError):
        pass
    raise InputError(f"{where}.{key}", value, "a number", "10")


def _per_second(own: dict[str, Any], where: str) -> float:
    """Return by what a rate has to be multiplied, because it is one per timeUnit."""
    unit = own.pop("timeUnit", "1s")
    unit_s = parse_duration(unit, f"{where}.timeUnit")
    if not unit_s:
        raise InputError(f"{where}.timeUnit", unit, "a duration above 0", "1s")
    return 1 / unit_s


def _constant_vus(own: dict[str, Any], where: str) -> tuple[dict[str, Any], str]:
    return {"executor": "constant_vus", "vus": int(_number(own, "vus", where, 1)),
            "duration_s": parse_duration(own.pop("duration", None), f"{where}.duration")}, ""


def _shared_iterations(own: dict[str, Any], where: str) -> tuple[dict[str, Any], str]:
    return {"executor": "constant_vus", "vus": int(_number(own, "vus", where, 1)),
            "iterations": int(_number(own, "iterations", where, 1)),
            "duration_s": parse_duration(own.pop("maxDuration", _DEFAULT_MAX_DURATION), f"{where}.maxDuration"),
            }, "an iteration is a request here, or a journey where the scenario has one"


def _per_vu_iterations(own: dict[str, Any], where: str) -> tuple[dict[str, Any], str]:
    shape, approximation = _shared_iterations(own, where)
    shape["iterations"] *= shape["vus"]
    return shape, f"{approximation}; the users share the {shape['iterations']}, whoever is faster does more"


def _ramping_vus(own: dict[str, Any], where: str) -> tuple[dict[str, Any], str]:
    first = int(_number(own, "startVUs", where, 1))
    return {"executor": "ramping_vus", "stages": _stages(own, where, "vus", first, int)}, ""


def _constant_arrival_rate(own: dict[str, Any], where: str) -> tuple[dict[str, Any], str]:
    per_s = _per_second(own, where)
    return {"executor": "constant_arrival_rate", "rate_rps": round(_number(own, "rate", where) * per_s, 6),
            "vus": _connections(own, where),
            "duration_s": parse_duration(own.pop("duration", None), f"{where}.duration")}, ""


def _ramping_arrival_rate(own: dict[str, Any], where: str) -> tuple[dict[str, Any], str]:
    per_s = _per_second(own, where)
    first = round(_number(own, "startRate", where, 0) * per_s, 6)
    return {"executor": "ramping_arrival_rate", "vus": _connections(own, where),
            "stages": _stages(own, where, "rate_rps", first, lambda target: round(target * per_s, 6))}, ""


def _connections(own: dict[str, Any], where: str) -> int:
    ready = _number(own, "preAllocatedVUs", where, 1)
    return int(_number(own, "maxVUs", where, ready))


def _stages(own: dict[str, Any], where: str, level: str, first: float,
            convert: Callable[[float], float]) -> list[dict[str, Any]]:
    """Return stages; a first one of no length jumps to where k6 begins."""
    stages = own.pop("stages", None)
    if not isinstance(stages, (list, tuple)) or not all(isinstance(stage, Mapping) for stage in stages):
        raise InputError(f"{where}.stages", stages, "a list of mappings", "[{duration: 30s, target: 20}]")
    jump = [{"duration_s": 0.0, level: first}] if first else []
    return jump + [{"duration_s": parse_duration(stage.get("duration"), f"{where}.stages[{number}].duration"),
                    level: convert(_number(dict(stage), "target", f"{where}.stages[{number}]"))}
                   for number, stage in enumerate(stages)]


_EXECUTORS: dict[str, Callable[[dict[str, Any], str], tuple[dict[str, Any], str]]] = {
    "constant-vus": _constant_vus, "ramping-vus": _ramping_vus, "shared-iterations": _shared_iterations,
    "per-vu-iterations": _per_vu_iterations, "constant-arrival-rate": _constant_arrival_rate,
    "ramping-arrival-rate": _ramping_arrival_rate,
}
