#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: health_endpoint
short_description: Put the program of the health endpoint and its checks on a host
version_added: "1.0.0"
author:
  - evenkeel.fleet contributors (@evenkeel)
description:
  - Writes two files. One is the program, a Python archive of the same code that M(evenkeel.fleet.health_probe) runs.
    The other one is its configuration with the checks, of mode 0600 since it holds their passwords.
  - The role P(evenkeel.fleet.health_endpoint#role) calls this module and adds the user and the systemd units.
  - A program that is running notices new files itself and starts anew with the next connection.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
  - evenkeel.fleet.health_checks
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Passwords and headers are not shown, so a change of those alone has no difference to show.
  idempotent:
    support: full
options:
  state:
    description: Whether the two files are there.
    type: str
    choices: [present, absent]
    default: present
  service:
    description: What the components make up, for people.
    type: str
    default: this host
  cache_s:
    description: Age of a result in seconds at which its component is looked at again.
    type: float
    default: 10
  stale_s:
    description:
      - Seconds beyond O(cache_s) for which the old result is served while the new look takes its time.
      - It needs room for the slowest look, that is its O(checks[].timeout_s) and O(retry_s).
    type: float
    default: 30
  retry_s:
    description: Seconds in which a bad look is taken again, with full jitter, before it counts.
    type: float
    default: 2
  idle_s:
    description: Seconds without a request after which the program ends; systemd starts it with the next one.
    type: float
    default: 300
  breaker:
    description: When the circuit of a component opens, so that it is not asked; see M(evenkeel.fleet.health_probe).
    type: dict
    default: {}
    suboptions:
      failures:
        description: Opens after that many failures in a row.
        type: int
        default: 5
      share:
        description: Opens when that share of the last O(breaker.calls) results are failures.
        type: float
        default: 0.5
      calls:
        description: How many results the share is taken of; fewer are not judged by it.
        type: int
        default: 20
      open_s:
        description: Seconds until the next look. It doubles each time that look fails.
        type: float
        default: 30
      open_max_s:
        description: Most seconds until the next look, and so until a component that is back is seen.
        type: float
        default: 300
  owner:
    description: User that the program runs as, the owner of the configuration.
    type: str
    default: evenkeel-health
  program_path:
    description: Path of the program.
    type: path
    default: /usr/local/lib/evenkeel/health.pyz
  config_path:
    description: Path of the configuration.
    type: path
    default: /etc/evenkeel/health.json
seealso:
  - module: evenkeel.fleet.health_probe
"""

EXAMPLES = r"""
- name: Let the endpoint look at what the application needs
  evenkeel.fleet.health_endpoint:
    service: shop
    checks:
      - name: database
        type: postgres
        host: db1
        user: shop
        password: "{{ shop_database_password }}"
        database: shop
      - name: cache
        type: redis
        host: cache1
        password: "{{ shop_cache_password }}"
        critical: false
  become: true
"""

RETURN = r"""#"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.install import ensure
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import BREAKER, CHECKS


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "checks": CHECKS,
            "service": {"type": "str", "default": "this host"},
            "cache_s": {"type": "float", "default": 10},
            "stale_s": {"type": "float", "default": 30},
            "retry_s": {"type": "float", "default": 2},
            "idle_s": {"type": "float", "default": 300},
            "breaker": {"type": "dict", "default": {}, "options": BREAKER},
            "owner": {"type": "str", "default": "evenkeel-health"},
            "program_path": {"type": "path", "default": "/usr/local/lib/evenkeel/health.pyz"},
            "config_path": {"type": "path", "default": "/etc/evenkeel/health.json"},
        },
        supports_check_mode=True,
    )
    run(module, ensure, **module.params, check_mode=module.check_mode)


if __name__ == "__main__":
    main()
