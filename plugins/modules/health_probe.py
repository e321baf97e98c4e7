#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: health_probe
short_description: Look at the health of many components at once and return a verdict
version_added: "1.0.0"
author:
  - evenkeel.fleet contributors (@evenkeel)
description:
  - Runs all checks (at least one) at once and looks again until each component was good O(consecutive) times in a row,
    until waiting cannot help any more, or until the deadline.
  - A wrong password, a certificate that is not accepted, a missing container, a failed unit or a missing command
    end the probe at once, because looking again cannot cure them.
  - The module itself fails only when O(required) is set; otherwise a gate reads RV(verdict).
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
  - evenkeel.fleet.health_checks
attributes:
  check_mode:
    support: full
    details:
      - A probe only reads, so it looks in check mode as well, once per component.
      - Checks of type V(command) are left out unless they are declared O(checks[].read_only).
      - What fails makes the verdict V(inconclusive), because nothing was changed that could have become healthy.
  diff_mode:
    support: N/A
    details:
      - This module changes nothing.
  idempotent:
    support: full
    details:
      - This module changes nothing.
options:
  consecutive:
    description: How many good looks in a row each component needs.
    type: int
    default: 1
  deadline_s:
    description: Seconds after which no new look is taken; with V(0) each component is looked at once.
    type: float
    default: 30
  interval_s:
    description:
      - Seconds between two good looks.
      - After a bad look the pause is random (full jitter) below 0.2 s, 0.4 s, 0.8 s and so on up to this limit.
    type: float
    default: 1
  required:
    description: Fail the task when the verdict is V(fail).
    type: bool
    default: false
seealso:
  - module: evenkeel.fleet.load_probe
  - module: evenkeel.fleet.preflight_info
"""

EXAMPLES = r"""
- name: Wait until the new release is healthy, three times in a row
  evenkeel.fleet.health_probe:
    checks:
      - name: app
        type: http
        url: http://127.0.0.1:8002/health
        pointers:
          /status: pass
          /release: v2
        max_latency_ms: 500
    consecutive: 3
    deadline_s: 60
    required: true

- name: Look at what the application needs
  evenkeel.fleet.health_probe:
    checks:
      - name: database
        type: postgres
        host: db1
        user: pitch
        password: "{{ database_password }}"
        database: pitch
        min_version: "13"
      - name: cache
        type: redis
        host: cache1
        password: "{{ cache_password }}"
        role: master
      - name: proxy
        type: systemd
        unit: haproxy.service
        critical: false
    deadline_s: 0
  register: health
"""

RETURN = r"""
verdict:
  description: V(pass), V(fail) or V(inconclusive).
  returned: success
  type: str
  sample: pass
reasons:
  description: Why the verdict is not V(pass), one sentence per component.
  returned: success
  type: list
  elements: str
thresholds:
  description: Always empty; limits are part of the checks.
  returned: success
  type: list
  elements: dict
metrics:
  description: Number of components, and how many of them pass, warn and fail.
  returned: success
  type: dict
  sample: {components: 3, pass: 2, warn: 1, fail: 0}
samples:
  description: Number of looks at each component.
  returned: success
  type: dict
  sample: {attempts: {app: 3}}
started_at:
  description: Start in UTC.
  returned: success
  type: str
  sample: "2026-11-21T08:00:00.000Z"
duration_s:
  description: Duration in seconds.
  returned: success
  type: float
status:
  description: The worst status of all components, V(pass), V(warn) or V(fail).
  returned: success
  type: str
decided_by:
  description: The component that decided the status; the first one if several are equally bad.
  returned: success
  type: str
components:
  description:
    - The last look at each component by name, in the words of the draft "Health Check Response Format for HTTP APIs",
      with what was expected and what can be done.
  returned: success
  type: dict
  sample:
    database:
      componentType: postgres
      status: pass
      observedValue: 4.2
      observedUnit: ms
      time: "2026-11-21T08:00:00.000Z"
      output: ""
      expected: postgresql at db1:5432 lets pitch into pitch
      remedy: ""
      attempts: 1
      critical: true
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECKS
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.runner import probe


def gate(required: bool, **arguments: Any) -> dict[str, Any]:
    """Return the probe's result; with ``required`` a failed verdict is an error."""
    result = probe(**arguments)
    if required and result["verdict"] == "fail":
        remedies = [found["remedy"] for found in result["components"].values() if found["status"] == "fail"]
        raise FleetError(f"health: {'; '.join(result['reasons'])}", " ".join(filter(None, remedies)), **result)
    return {"changed": False, **result}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "checks": CHECKS,
            "consecutive": {"type": "int", "default": 1},
            "deadline_s": {"type": "float", "default": 30},
            "interval_s": {"type": "float", "default": 1},
            "required": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    run(module, gate, **module.params, check_mode=module.check_mode)


if __name__ == "__main__":
    main()
