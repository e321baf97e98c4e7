#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: balancer_info
short_description: Reads servers, states and counters of a load balancer
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Returns the servers of HAProxy's backends as they are in the running process, with their states, checks and
    counters, from its runtime API.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
  - evenkeel.fleet.attributes.info
attributes:
  check_mode:
    details:
      - Where HAProxy or the backend is not there yet, the answer is empty and no failure.
options:
  backend:
    description: Only this backend. Without it, all are returned.
    type: str
  socket:
    description: The C(stats socket) of HAProxy's configuration.
    type: path
    default: /run/haproxy/admin.sock
seealso:
  - module: evenkeel.fleet.balancer_server
"""

EXAMPLES = r"""
- name: Read the servers of one backend
  evenkeel.fleet.balancer_info:
    backend: be_pitch
  register: balancer

- name: Show who takes traffic
  ansible.builtin.debug:
    msg: >-
      {{ balancer.backends.be_pitch.servers | selectattr('state', 'eq', 'ready') | map(attribute='name') }}
"""

RETURN = r"""
process:
  description:
    - The process that answered. A reload starts another one.
    - C(started_s) is in seconds since 1970 by the target's clock, as the C(mtime) of M(ansible.builtin.stat), so that
      a configuration newer than the process tells that a reload is due.
  returned: success
  type: dict
  sample: {version: 2.6.12-1+deb12u4, pid: 4711, uptime_s: 86400, started_s: 1795248000.5}
backends:
  description:
    - The backends by name, each with RV(ignore:servers) and the RV(ignore:counters) of the backend as a whole.
    - Counters have HAProxy's own names, such as C(hrsp_5xx), C(econ), C(eresp), C(scur), C(qcur) or C(rtime), the
      mean response time of the last 1024 requests in milliseconds.
  returned: success
  type: dict
  sample:
    be_pitch:
      counters: {hrsp_2xx: 1204, hrsp_5xx: 0, econ: 0, eresp: 0, qcur: 0}
      servers:
        - name: app1-green
          state: ready
          operational: running
          weight: 100
          sessions: 0
          address: 172.30.77.11
          port: 8002
          checked: true
          healthy: true
          check_status: L7OK
          check_code: 200
          check_text: ""
          check_health: 4
          check_rise: 2
          check_fall: 3
          counters: {hrsp_2xx: 402, hrsp_5xx: 0, econ: 0, eresp: 0, rtime: 12, scur: 0}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.tasks import read_servers
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "backend": {"type": "str"},
            "socket": {"type": "path", "default": "/run/haproxy/admin.sock"},
        },
        supports_check_mode=True,
    )
    run(module, read_servers, check_mode=module.check_mode, warn=module.warn, **module.params)


if __name__ == "__main__":
    main()
