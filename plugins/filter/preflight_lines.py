# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of all hosts as lines for people."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

DOCUMENTATION = r"""
name: preflight_lines
short_description: Write the preflight findings of all hosts as lines
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Returns one line per finding of a level. Hosts that found the same share a line.
  - A host that was not looked at is a failing finding itself, since no data is never a pass.
options:
  _input:
    description: The magic variable C(hostvars).
    type: dict
    required: true
  hosts:
    description: The hosts, normally C(ansible_play_hosts_all).
    type: list
    elements: str
    required: true
  level:
    description: The level of the findings to write.
    type: str
    choices: [pass, warn, fail]
    required: true
"""

EXAMPLES = r"""
- name: Show the warnings
  ansible.builtin.debug:
    msg: "{{ hostvars | evenkeel.fleet.preflight_lines(ansible_play_hosts_all, 'warn') }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

NOT_LOOKED_AT = {
    "level": "fail",
    "what": "preflight",
    "expected": "findings",
    "found": "none, the host could not be looked at",
    "remedy": "See the error above.",
}


def preflight_lines(hostvars: Mapping[str, Any], hosts: Iterable[str], level: str) -> list[str]:
    """Return one line per finding; see DOCUMENTATION."""
    lines: dict[str, list[str]] = {}
    for host in hosts:
        look = hostvars[host].get("_preflight_look") or {}
        for item in look.get("findings", [NOT_LOOKED_AT]):
            if item["level"] == level:
                line = f"{item['what']}: expected {item['expected']}, found {item['found']}"
                line = f"{line.rstrip('.')}. {item['remedy']}".strip()
                lines.setdefault(line, []).append(host)
    return [f"{', '.join(owners)}: {line}" for line, owners in lines.items()]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"preflight_lines": preflight_lines}
