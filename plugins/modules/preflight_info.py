#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_info
short_description: Find everything on a host that would stop a playbook
version_added: "1.0.0"
author:
  - evenkeel.fleet contributors (@evenkeel)
description:
  - Looks at operating system, Python, memory, disks, file descriptors, ports and clock of a host, and at the components
    in O(checks), and returns all findings at once.
  - The module does not fail because of what it finds; see RV(verdict).
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
  - evenkeel.fleet.attributes.info
  - evenkeel.fleet.health_checks
options:
  supported:
    description: Distributions with their versions, as in C(/etc/os-release); everything is supported when empty.
    type: list
    elements: str
    default: []
  python:
    description: Oldest version of Python that is good.
    type: str
    default: "3.9"
  memory:
    description: Least memory, such as V(512mb).
    type: str
    default: "0"
  disk:
    description: Least free space by path, such as V(1gb).
    type: dict
    default: {}
  file_descriptors:
    description: Least number of open files (hard limit) by systemd unit; V(user) stands for the present user.
    type: dict
    default: {}
  ports:
    description: TCP ports that are needed.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description: The port.
        type: int
        required: true
      process:
        description: Name of the process that may hold the port already, as in C(/proc/<pid>/comm).
        type: str
  clock_skew_s:
    description:
      - Largest difference to the controller's clock in seconds.
      - The controller judges it by its own time before and after the module; the finding says how exact that is.
    type: float
    default: 5
seealso:
  - module: evenkeel.fleet.health_probe
"""

EXAMPLES = r"""
- name: Find everything that would stop a deployment
  evenkeel.fleet.preflight_info:
    supported: [debian 12]
    memory: 512mb
    disk:
      /var/lib: 1gb
    file_descriptors:
      docker.service: 65536
    ports:
      - port: 8001
        process: docker-proxy
    checks:
      - name: Docker Engine
        type: command
        argv: [docker, version, --format, "{{ '{{.Server.Version}}' }}"]
        min_version: "20.10"
  register: preflight
"""

RETURN = r"""
verdict:
  description: V(fail) when a finding is of the level V(fail), else V(pass).
  returned: success
  type: str
  sample: pass
reasons:
  description: The failing findings, one sentence each.
  returned: success
  type: list
  elements: str
thresholds:
  description: Always empty; limits are part of the findings.
  returned: success
  type: list
  elements: dict
metrics:
  description: Number of findings by level.
  returned: success
  type: dict
  sample: {pass: 9, warn: 0, fail: 0}
samples:
  description: Always empty.
  returned: success
  type: dict
started_at:
  description: Start in UTC.
  returned: success
  type: str
duration_s:
  description: Duration in seconds.
  returned: success
  type: float
epoch_s:
  description: Time of the host in seconds since 1970.
  returned: success
  type: float
findings:
  description: Everything that was looked at.
  returned: success
  type: list
  elements: dict
  contains:
    level:
      description: V(pass), V(warn) or V(fail).
      type: str
    what:
      description: What was looked at.
      type: str
    expected:
      description: What would be good.
      type: str
    found:
      description: What is there.
      type: str
    remedy:
      description: What can be done; empty on V(pass).
      type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECKS
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.preflight import look


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "supported": {"type": "list", "elements": "str", "default": []},
            "python": {"type": "str", "default": "3.9"},
            "memory": {"type": "str", "default": "0"},
            "disk": {"type": "dict", "default": {}},
            "file_descriptors": {"type": "dict", "default": {}},
            "ports": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {"port": {"type": "int", "required": True}, "process": {"type": "str"}},
            },
            "clock_skew_s": {"type": "float", "default": 5},
            "checks": CHECKS,
        },
        supports_check_mode=True,
    )
    module.params.pop("clock_skew_s")  # for the action plugin
    run(module, look, **module.params)


if __name__ == "__main__":
    main()
