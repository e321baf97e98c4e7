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
  - A wrong password, a name that does not exist, a certificate that is not accepted, a missing container or workload,
    a failed unit or a missing command end the probe at once, because looking again cannot cure them.
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
  state_file:
    description:
      - File on the target, in a directory that exists, that keeps results and circuit breakers between runs.
      - With it a result of at most O(cache_s) seconds is used again instead of looking, and a component that keeps
        failing is not asked for a while. Without it every run looks.
      - It is read and written with mode 0600, holds no secret and is left alone in check mode.
    type: path
  cache_s:
    description: Seconds for which a result in O(state_file) is used again.
    type: float
    default: 10
  breaker:
    description: When the circuit of a component opens, so that it is not asked; only with O(state_file).
    type: dict
    default: {}
    suboptions:
      failures:
        description: Opens after that many failed runs in a row.
        type: int
        default: 5
      share:
        description: Opens when that share of the last O(breaker.calls) runs failed.
        type: float
        default: 0.5
      calls:
        description: How many runs the share is taken of; fewer are not judged by it.
        type: int
        default: 20
      open_s:
        description: Seconds until the next look. It doubles each time that look fails.
        type: float
        default: 30
      open_max_s:
        description: Most seconds until the next look.
        type: float
        default: 300
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

- name: Wait until a Deployment is rolled out
  evenkeel.fleet.health_probe:
    checks:
      - name: shop
        type: kubernetes
        url: https://kube1:6443
        ca_file: /etc/kubernetes/ca.crt
        token_file: /etc/evenkeel/kubernetes.token
        workload: deployment/shop
        namespace: web
        rolled_out: true
    deadline_s: 300
    required: true

- name: Ask the database at most every 30 seconds, however often this runs
  evenkeel.fleet.health_probe:
    checks:
      - name: standby
        type: postgres
        host: db2
        user: monitor
        password: "{{ monitor_password }}"
        role: replica
        max_lag_s: 10
    deadline_s: 0
    state_file: /var/lib/evenkeel/health.json
    cache_s: 30
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
    - C(age_s) is the age of the look. With O(state_file) C(circuit) is V(closed), V(open) or V(half-open).
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
      age_s: 0.0
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import BREAKER, LOOKS
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
            **LOOKS,
            "required": {"type": "bool", "default": False},
            "state_file": {"type": "path"},
            "cache_s": {"type": "float", "default": 10},
            "breaker": {"type": "dict", "default": {}, "options": BREAKER},
        },
        supports_check_mode=True,
    )
    run(module, gate, **module.params, check_mode=module.check_mode)


if __name__ == "__main__":
    main()
