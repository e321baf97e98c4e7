#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_probe_info
short_description: Reads how load probes are going and what they measured
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Reads what M(evenkeel.fleet.load_probe) keeps on its host under O(evenkeel.fleet.load_probe#module:result_name),
    also while it runs in the background.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
  - evenkeel.fleet.attributes.info
options:
  directory:
    description: The O(evenkeel.fleet.load_probe#module:result_directory) of the probes.
    type: path
    default: /var/lib/evenkeel/probes
  name:
    description: Only this probe. Without it, all are returned.
    type: str
    default: ""
  result:
    description: Whether to return the last result of O(name) as a whole. It may be large.
    type: bool
    default: false
seealso:
  - module: evenkeel.fleet.load_probe
"""

EXAMPLES = r"""
- name: Begin a long probe
  evenkeel.fleet.load_probe:
    target: http://edge1/api/browse
    duration_s: 3600
    result_name: soak
  async: 3700
  poll: 0

- name: Wait for its end
  evenkeel.fleet.load_probe_info:
    name: soak
  register: soak
  until: soak.probes[0].state != 'running'
  retries: 400
  delay: 10

- name: Read what it measured
  evenkeel.fleet.load_probe_info:
    name: soak
    result: true
  register: measured
"""

RETURN = r"""
probes:
  description: How each probe is going, or ended.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    state:
      description:
        - V(running), V(finished), V(failed) (see C(msg)), or V(lost) when it was killed or its host went down.
      type: str
      sample: running
    phase:
      description: The phase that is measured.
      type: str
    elapsed_s:
      description: Seconds since that phase began, or the duration of a finished probe.
      type: float
    requests:
      description: Requests of that phase, or of the finished probe.
      type: int
    errors:
      description: Errors among them.
      type: int
    rps:
      description: Answers per second in the last second, or of the finished probe.
      type: float
    p95_ms:
      description: The 95th percentile until now.
      type: float
    verdict:
      description: The verdict of a finished probe.
      type: str
    grade:
      description: The grade of a finished probe.
      type: str
    started_at:
      description: Start in UTC, ISO 8601.
      type: str
    updated_at:
      description: When this was written, in UTC, ISO 8601; once a second while it runs.
      type: str
    pid:
      description: Its process.
      type: int
    msg:
      description: Why it failed.
      type: str
result:
  description: The last result of O(name), as M(evenkeel.fleet.load_probe) returns it with C(mergeable).
  returned: when O(result) is set
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.store import describe


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "default": "/var/lib/evenkeel/probes"},
            "name": {"type": "str", "default": ""},
            "result": {"type": "bool", "default": False},
        },
        required_if=[("result", True, ["name"])],
        supports_check_mode=True,
    )
    run(module, describe, **module.params)


if __name__ == "__main__":
    main()
