# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules of a rollout's gates would refuse, found before anything moves, by their own rules."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import LOOKS
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.runner import validate_looks
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge import gates
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.metric import prepare
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.options import METRIC, SOURCES
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.redaction import clean
from ansible_collections.evenkeel.fleet.plugins.plugin_utils.plain import plain
from jinja2.exceptions import UndefinedError

_HEALTH = (ArgumentSpecValidator(LOOKS), validate_looks)
_RULES = {
    "health": _HEALTH, "command": _HEALTH,
    "metric": (ArgumentSpecValidator(METRIC, mutually_exclusive=[SOURCES], required_one_of=[SOURCES]), prepare),
}
#: By what a gate has; a gate for Prometheus is the example of all metric gates.
_EXAMPLES = {
    "checks": "{name: stores, type: health, checks: [{name: db, type: tcp, host: db1, port: 5432}]}",
    "argv": "{name: smoke, type: command, argv: [/usr/local/bin/smoke], timeout_s: 60}",
    "balancer": "{name: refused, type: metric, balancer: {duration_s: 10}, thresholds: [econ == 0]}",
    "load_probe": "{name: users, type: metric, load_probe: {name: watch}, thresholds: [error_rate < 1%]}",
}


def gate_problems(request: Mapping[str, Any]) -> list[str]:
    """Return everything that is wrong with the gates, as sentences."""
    found = gates.problems(request)
    for gate in gates.all_gates(request):
        if gate.get("type") in _RULES and not any(gates.wrong(gate)):
            found += _refused(gate, request)
    return found


def _refused(gate: Mapping[str, Any], request: Mapping[str, Any]) -> Iterator[str]:
    where, (spec, check) = f"rollout_gates: {gate['name']}", _RULES[gate["type"]]
    try:
        result = spec.validate(plain(gates.options_of(gate, request)))
    except (AnsibleError, UndefinedError):  # cannot be templated yet: left to the gate
        return
    example = next((text for key, text in _EXAMPLES.items() if gate.get(key) is not None), gates.EXAMPLE)
    for error in result.errors:
        unknown = "unknown option " if isinstance(error, UnsupportedError) else ""
        yield f"{where}: {unknown}{clean(error.msg).rstrip('.')}. Example: {example}"
    if not result.error_messages:
        try:
            check(**result.validated_parameters)
        except InputError as error:
            yield str(InputError(f"{where}.{error.field}", error.value, error.expected, error.example))
