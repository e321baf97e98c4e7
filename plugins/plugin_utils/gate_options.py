# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules of a rollout's gates would refuse, found before anything moves, by their own rules.

What a value refers to may only come later. Such an option is left to the gate; where there has to be one, that of an
example stands for it here. What depends on the host of a gate, such as a file there, is left to the gate as well.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Callable, Collection, Iterator, Mapping

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import LOOKS
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.runner import validate_looks
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.engine.target import Target
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.options import PROBE
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.probe import prepare as prepare_load
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.template import COLUMN
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.baseline import Limits
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge import gates
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.metric import prepare
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.options import METRIC, SOURCES
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.redaction import clean
from ansible_collections.evenkeel.fleet.plugins.plugin_utils.plain import known

#: By what a gate has; a gate for Prometheus is the example of all metric gates.
_EXAMPLES = {
    "checks": "{name: stores, type: health, checks: [{name: db, type: tcp, host: db1, port: 5432}]}",
    "argv": "{name: smoke, type: command, argv: [/usr/local/bin/smoke], timeout_s: 60}",
    "rate_rps": "{name: browse, type: load, rate_rps: 20, duration_s: 30, thresholds: [error_rate < 0.1%], "
                "scenarios: [{name: browse, requests: [{path: /api/browse}]}]}",
    "balancer": "{name: refused, type: metric, balancer: {duration_s: 10}, thresholds: [econ == 0]}",
    "load_probe": "{name: users, type: metric, load_probe: {name: watch}, thresholds: [error_rate < 1%]}",
}

#: What the task of a load gate gives to the probe, but for the baseline.
_LOAD = ("target", "scenarios", "executor", "rate_rps", "warmup_s", "duration_s", "thresholds")

#: The target of a gate that does not say where else, when it is asked alone and when the target is not known yet.
_HERE, _SOMEWHERE = "http://127.0.0.1", "http://edge1"


def gate_problems(request: Mapping[str, Any]) -> list[str]:
    """Return everything that is wrong with the gates, as sentences.

    :arg request: as for :func:`gates.problems`, and what load gates have unless they say something else: ``url``, the
        target of those that are not asked alone, and ``scenarios``.
    """
    asked = {"url": None, "scenarios": None, **known(request),
             "alone": _presumed(request["alone"]), "wave": _presumed(request["wave"]),
             "declared": [_presumed(gate) for gate in request["declared"]]}
    found = gates.problems(asked)
    bare = {"name": "", "type": "load", "when": gates.WAVE, "rate_rps": 1, "duration_s": 1, "thresholds": []}
    shared = list(_refused(bare, asked, "rollout_scenarios",
                           lambda field: "rollout_url" if field == "target" else f"rollout_{field}"))
    if shared:  # said once; for the gates it is as if they were not known
        asked.update(url=None, scenarios=None)
    for gate in gates.all_gates(asked):
        if gate.get("type") in _RULES and not any(gates.wrong(gate)):
            where = gates.field_of(gate["name"])
            found += _refused(gate, asked, where, functools.partial("{}.{}".format, where))
    return found + shared


def _example(keys: Collection[str]) -> str:
    return next((text for key, text in _EXAMPLES.items() if key in keys), gates.EXAMPLE)


def _presumed(gate: Mapping[str, Any]) -> dict[str, Any]:
    """Return a gate with the example's options in the place of those that are not known yet, or without them.

    Nothing can stand for a target or for scenarios, to which other options refer: they are None.
    """
    there, example = known(gate), yaml.safe_load(_example(gate))
    example.update(target=None, scenarios=None)
    return {**there, **{key: example[key] for key in gate if key not in there and key in example}}


def _refused(gate: Mapping[str, Any], asked: Mapping[str, Any], where: str,
             field_of: Callable[[str], str]) -> Iterator[str]:
    """Yield what the module of a gate would refuse.

    :arg where: what a sentence about no single field begins with.
    :arg field_of: returns where a user wrote an option of the module.
    """
    options = gates.options_of(gate, {**asked, "first": False})
    if gate["type"] == "load":
        options = {"target": _HERE if gate["when"] == gates.ALONE else asked["url"], "scenarios": asked["scenarios"],
                   "executor": "constant_arrival_rate", **options}
        options.pop("measured", None)
    spec, check = _RULES[gate["type"]]
    result = spec.validate(options)
    for error in result.errors:
        unknown = "unknown option " if isinstance(error, UnsupportedError) else ""
        yield f"{where}: {unknown}{clean(error.msg).rstrip('.')}. Example: {_example(gate)}"
    if not result.error_messages:
        try:
            check(**result.validated_parameters)
        except InputError as error:
            yield str(InputError(field_of(error.field), clean(error.value), error.expected, error.example))


def _check_load(baseline: Mapping[str, Any] | None, **options: Any) -> None:
    """Refuse what the probe would, but for what depends on its host.

    :raises InputError: names the option.
    """
    given = {key: options[key] for key in _LOAD if options[key] is not None}
    if "target" in given and "scenarios" in given:
        given["scenarios"] = [_without_files(one) for one in given["scenarios"]]
    else:
        Target.parse(given.get("target", _SOMEWHERE))
        given.update(target=_SOMEWHERE, scenarios=[],
                     thresholds=[text for text in given["thresholds"] if ":" not in text])
    prepare_load(**given)
    Limits.parse(**{key: value for key, value in (baseline or {}).items() if value is not None})


def _without_files(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario whose feeders have, instead of a file of the probe's host, the columns that are asked for."""
    asked_for = repr([scenario.get("requests"), scenario.get("steps")])
    feeders = []
    for feeder in scenario.get("feeders") or []:
        if feeder["path"] and feeder["csv"] is None:
            columns = sorted(set(re.findall(rf"\$\{{{re.escape(feeder['name'])}\.({COLUMN})\}}", asked_for))) or ["any"]
            feeder = {**feeder, "path": None, "csv": f"{','.join(columns)}\n{','.join(columns)}"}
        feeders.append(feeder)
    return {**scenario, "feeders": feeders or None}


_HEALTH = (ArgumentSpecValidator(LOOKS), validate_looks)
_RULES: Mapping[str, tuple[ArgumentSpecValidator, Callable[..., Any]]] = {
    "health": _HEALTH, "command": _HEALTH,
    "load": (ArgumentSpecValidator({**PROBE, "target": {"type": "str"}}), _check_load),
    "metric": (ArgumentSpecValidator(METRIC, mutually_exclusive=[SOURCES], required_one_of=[SOURCES]), prepare),
}
