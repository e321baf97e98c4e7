#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a person, and answer."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_approval
short_description: Ask a person whether a rollout may go on, and answer
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - The question and its answer are a file on the host on which the module runs, so that whoever may change that host
    may answer, from any controller, with or without a terminal.
  - The verdict is V(pass) when somebody approved, V(fail) when somebody refused or the stop flag is set there, and
    V(inconclusive) when nobody answered in time.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
attributes:
  check_mode:
    support: full
    details:
      - In check mode nobody is asked, and nothing is answered.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - A question that is asked already keeps its time and its answer; the same answer again changes nothing.
options:
  service:
    description: Name of the service.
    type: str
    required: true
  action:
    description: V(ask) asks and waits, V(approve) and V(refuse) answer what is asked.
    type: str
    choices: [ask, approve, refuse]
    default: ask
  run:
    description: The run that asks. An answer without it is for whatever is asked.
    type: str
    default: ""
  gate:
    description: What is asked about. An answer without it is for whatever is asked.
    type: str
    default: ""
  question:
    description: What the person should know before answering.
    type: str
    default: ""
  timeout_s:
    description: Seconds after which the question expires.
    type: float
    default: 3600
  longest_s:
    description:
      - Seconds after which this call returns with C(pending), so that a lock can be renewed in between.
      - The next call with the same O(run) and O(gate) goes on waiting.
    type: float
    default: 60
  by:
    description: Who answers.
    type: str
    default: ""
  reason:
    description: Why.
    type: str
    default: ""
  directory:
    description: Where the question is kept, in one directory per service.
    type: path
    default: /var/lib/evenkeel
seealso:
  - module: evenkeel.fleet.release
"""

EXAMPLES = r"""
- name: Ask before the last wave
  evenkeel.fleet.release_approval:
    service: shop
    run: 20261121T081500Z-v2
    gate: go on to the rest
    timeout_s: 1800
    longest_s: 1800
  register: asked

- name: Approve what is asked
  evenkeel.fleet.release_approval:
    service: shop
    action: approve
    by: alice
"""

RETURN = r"""
verdict:
  description: V(pass), V(fail) or V(inconclusive).
  returned: with O(action=ask)
  type: str
reasons:
  description: Who refused and why, who stopped the rollout, or that nobody answered.
  returned: with O(action=ask)
  type: list
  elements: str
thresholds:
  description: Always empty.
  returned: with O(action=ask)
  type: list
  elements: dict
metrics:
  description: C(approved_by) or C(refused_by).
  returned: with O(action=ask)
  type: dict
samples:
  description: Always empty.
  returned: with O(action=ask)
  type: dict
started_at:
  description: When it was asked first, in UTC, ISO 8601.
  returned: with O(action=ask)
  type: str
duration_s:
  description: Seconds since then.
  returned: with O(action=ask)
  type: float
pending:
  description: Whether nobody has answered yet and there is time left.
  returned: with O(action=ask)
  type: bool
question:
  description: What is asked, by which run, and the answer.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.control import approval


def main() -> None:
    """Ask or answer."""
    module = AnsibleModule(
        argument_spec={
            "service": {"type": "str", "required": True},
            "action": {"type": "str", "choices": ["ask", "approve", "refuse"], "default": "ask"},
            "run": {"type": "str", "default": ""},
            "gate": {"type": "str", "default": ""},
            "question": {"type": "str", "default": ""},
            "timeout_s": {"type": "float", "default": 3600},
            "longest_s": {"type": "float", "default": 60},
            "by": {"type": "str", "default": ""},
            "reason": {"type": "str", "default": ""},
            "directory": {"type": "path", "default": "/var/lib/evenkeel"},
        },
        required_if=[("action", "ask", ["run", "gate"]), ("action", "approve", ["by"]), ("action", "refuse", ["by"])],
        supports_check_mode=True,
    )
    given = module.params
    common = {key: given[key] for key in ("service", "run", "gate", "directory")}
    if given["action"] == "ask":
        asked = {key: given[key] for key in ("question", "timeout_s", "longest_s")}
        run(module, approval.wait, check_mode=module.check_mode, **common, **asked)
    else:
        run(module, approval.answer, answer=given["action"], by=given["by"], reason=given["reason"],
            check_mode=module.check_mode, **common)


if __name__ == "__main__":
    main()
