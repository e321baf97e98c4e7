# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a request, before anything is changed: groups, hosts and role variables."""

from __future__ import annotations

import difflib
import functools
import re
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.redaction import HIDDEN, clean
from ansible_collections.evenkeel.fleet.plugins.plugin_utils.plain import plain
from jinja2.exceptions import UndefinedError

DOCUMENTATION = r"""
name: request_problems
short_description: Find what is wrong with the groups, hosts and role variables of a playbook run
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Checks a whole inventory on the controller, before anything is changed, and returns every problem at once.
  - A variable that starts with the name of a role of this collection has to be known to that role's
    C(meta/argument_specs.yml) and has to have the type and the choices that are declared there.
    A value that cannot be templated yet is left to the role.
  - Hosts that have the fact C(_preflight_checked) are past that; what roles registered since is none of the user's.
options:
  _input:
    description: The magic variable C(hostvars).
    type: dict
    required: true
  hosts:
    description: The hosts to check, normally C(ansible_play_hosts_all).
    type: list
    elements: str
    required: true
  groups:
    description: The magic variable C(groups).
    type: dict
    required: true
  required_groups:
    description: Groups that must not be empty and whose hosts must have answered.
    type: list
    elements: str
    required: true
  roles:
    description: Group by role. Every host of the group has to set the required variables of the role.
    type: dict
    default: {}
  ignored:
    description: Names of variables that look like a role's but are meant for something else.
    type: list
    elements: str
    default: []
  ping:
    description: Name of the variable that holds what M(ansible.builtin.ping) returned; empty to skip.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show what is wrong with the request
  ansible.builtin.debug:
    msg: "{{ hostvars | evenkeel.fleet.request_problems(ansible_play_hosts_all, groups, ['app', 'edge']) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: One sentence per problem, naming variable, value and remedy; empty when the request is right.
  type: list
  elements: str
"""

ROLES = Path(__file__).resolve().parents[2] / "roles"

_SECRET = re.compile(r"password|passwd|secret|token|private|credential|_key$", re.IGNORECASE)
_LONGEST = 300


@functools.cache
def role_options(roles: Path = ROLES) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the declared options of each role, over all its entry points: role, name, specification."""
    known: dict[str, dict[str, dict[str, Any]]] = {}
    for path in sorted(roles.glob("*/meta/argument_specs.yml")):
        entries = yaml_load(path.read_text(encoding="utf-8"))["argument_specs"].values()
        options = known.setdefault(path.parts[-3], {})
        for entry in entries:
            options.update(entry.get("options") or {})
    return known


@functools.cache
def required_options(role: str, roles: Path = ROLES) -> list[str]:
    """Return what the main entry point of a role requires."""
    text = (roles / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    options = yaml_load(text)["argument_specs"].get("main", {}).get("options") or {}
    return [name for name, spec in options.items() if spec.get("required")]


def role_of(name: str) -> str | None:
    """Return the role whose name is the longest prefix of a variable's name."""
    return max((role for role in role_options() if name.startswith(f"{role}_")), key=len, default=None)


def shown(name: str, value: Any, secret: bool = False) -> str:
    """Return a value for a message: never a secret, never a page."""
    if secret or _SECRET.search(name):
        return HIDDEN
    text = repr(clean(value))
    return text if len(text) <= 80 else f"{text[:77]}..."


def variable_problem(name: str, value: Any) -> str:
    """Return what is wrong with one variable, or an empty text."""
    role = role_of(name)
    if role is None:
        return ""
    options = role_options()[role]
    spec = options.get(name)
    if spec is None:
        near = difflib.get_close_matches(name[len(role) :], [known[len(role) :] for known in options], n=1)
        hint = f"Did you mean {role}{near[0]}?" if near else f"The role {role} knows: {', '.join(sorted(options))}."
        return f"{name}: role {role} has no such variable, found {shown(name, value)}. {hint} Correct or remove it."
    result = ArgumentSpecValidator({name: {**spec, "required": False}}).validate({name: plain(value)})
    if not result.error_messages:
        return ""
    expected = spec.get("type", "str") + (f" of {spec['elements']}" if "elements" in spec else "")
    if "choices" in spec:
        expected = f"one of {', '.join(map(str, spec['choices']))}"
    secret = bool(spec.get("no_log"))
    reason = "" if secret else f" ({clean('; '.join(result.error_messages))})"
    return (
        f"{name}: expected {expected}, found {shown(name, value, secret)}{reason}. "
        f"Correct it; the role {role} describes it in its README."
    )


def unanswered(answer: Mapping[str, Any], connection: str) -> str:
    """Return why a host did not answer a ping, in one sentence, or an empty text."""
    if not (answer.get("unreachable") or answer.get("failed")):
        return ""
    text = f"{answer.get('msg', '')} {answer.get('module_stderr', '')}".replace("Task failed:", "")
    text = " ".join(text.partition("In some cases,")[0].split())
    return f"{text[:_LONGEST].rstrip('. ')} (connection {connection})"


def group_problems(groups: Mapping[str, Any], required: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each group that has no host."""
    for group in required:
        if not groups.get(group):
            yield f"{group}: expected at least one host in this inventory group, found none. Add its hosts to it."


def variable_problems(hostvars: Mapping[str, Any], hosts: Iterable[str], ignored: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each wrong variable, with the hosts that have it."""
    skipped = set(ignored)
    where: dict[str, list[str]] = {}
    for host in hosts:
        variables = hostvars[host]
        if "_preflight_checked" in variables:
            continue
        for name in sorted(set(variables) - skipped):
            try:
                problem = variable_problem(name, variables[name]) if role_of(name) else ""
            except (AnsibleError, UndefinedError):
                continue
            if problem:
                where.setdefault(problem, []).append(host)
    for problem, owners in where.items():
        yield f"{problem} Set for: {', '.join(owners)}."


def missing_problems(
    hostvars: Mapping[str, Any], hosts: Iterable[str], groups: Mapping[str, Any], roles: Mapping[str, str]
) -> Iterator[str]:
    """Yield a sentence for each required role variable that a host of the role's group lacks."""
    for role, group in roles.items():
        members = [host for host in hosts if host in groups.get(group, [])]
        for name in required_options(role):
            lacking = [host for host in members if name not in hostvars[host]]
            if lacking:
                yield (
                    f"{name}: required by role {role}, not set for {', '.join(lacking)}. "
                    f"Set it in the inventory, for example in group_vars/{group}."
                )


def reach_problems(hostvars: Mapping[str, Any], hosts: Iterable[str], ping: str) -> Iterator[str]:
    """Yield one sentence that names every host that did not answer."""
    reasons = {
        host: unanswered(hostvars[host].get(ping) or {}, str(hostvars[host].get("ansible_connection", "ssh")))
        for host in hosts
    }
    silent = {host: reason for host, reason in reasons.items() if reason}
    if silent:
        listed = "; ".join(f"{host}: {reason}" for host, reason in silent.items())
        yield (
            f"unreachable hosts: expected every host to answer, found {len(silent)} that did not: {listed}. "
            "Start them, correct their connection variables, or leave them out with --limit."
        )


def request_problems(
    hostvars: Mapping[str, Any],
    hosts: Iterable[str],
    groups: Mapping[str, Any],
    required_groups: Iterable[str],
    roles: Mapping[str, str] | None = None,
    ignored: Iterable[str] = (),
    ping: str = "",
) -> list[str]:
    """Return every problem of a request as a list of sentences; see DOCUMENTATION."""
    hosts = list(hosts)
    return [
        *group_problems(groups, required_groups),
        *variable_problems(hostvars, hosts, ignored),
        *missing_problems(hostvars, hosts, groups, roles or {}),
        *(reach_problems(hostvars, hosts, ping) if ping else ()),
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"request_problems": request_problems}
