#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge how fast a whole service burns its error budget, by HAProxy's counters."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_budget
short_description: Judge how fast a whole service burns its error budget, by HAProxy's counters
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Runs on a load balancer. Each call takes a reading of what HAProxy has answered for a backend, keeps it on the host,
    and computes the burn rate over two windows that end now. The first call begins the history.
  - A burn rate of 1 uses the error budget up in exactly its period. The verdict is V(fail) when the long window and the
    short one, a twelfth of it, both burn as fast as spending O(budget.share) within O(budget.window) takes, or faster.
  - A window that is longer than the history begins with the history. Without a request the verdict is V(inconclusive).
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
attributes:
  check_mode:
    support: full
    details:
      - In check mode nothing is read, and the verdict is inconclusive.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each call keeps one more reading.
options:
  backend:
    description: HAProxy's backend.
    type: str
    required: true
  service:
    description: Name of the service, for the directory in which the readings are kept.
    type: str
    required: true
  budget:
    description: What may be spent how fast.
    type: dict
    default: {}
    suboptions:
      slo:
        description: Share of the requests that has to succeed.
        type: str
        default: 99.9%
      period:
        description: Time over which it has to.
        type: str
        default: 30d
      window:
        description: Length of the long window.
        type: str
        default: 1h
      share:
        description: How much of the budget may be spent within the long window.
        type: str
        default: 2%
  socket:
    description: The C(stats socket) of HAProxy's configuration.
    type: path
    default: /run/haproxy/admin.sock
  directory:
    description: Where readings are kept, in one directory per service.
    type: path
    default: /var/lib/evenkeel
seealso:
  - module: evenkeel.fleet.release_judge
"""

EXAMPLES = r"""
- name: See how fast the shop burns its error budget
  evenkeel.fleet.release_budget:
    backend: be_shop
    service: shop
    budget: {slo: 99.95%, window: 30m, share: 1%}
  register: budget

- name: Stop when it is too fast
  ansible.builtin.assert:
    that: budget.verdict != 'fail'
    fail_msg: "{{ budget.reasons | join('; ') }}"
"""

RETURN = r"""
verdict:
  description: V(pass), V(fail) or V(inconclusive).
  type: str
  returned: success
reasons:
  description: Why it did not pass, as sentences.
  type: list
  elements: str
  returned: success
thresholds:
  description: The limit of the burn rate with what was measured.
  type: list
  elements: dict
  returned: success
metrics:
  description: Burn rates of both windows, null without a request, and the counts of the whole history.
  type: dict
  returned: success
  sample: {burn_rate: 0.4, burn_rate_short: 0.0, requests: 25000, errors: 10, error_rate: 0.0004}
samples:
  description: How many C(readings) the history has.
  type: dict
  returned: success
started_at:
  description: Time of the first reading of the history, UTC, ISO 8601.
  type: str
  returned: success
duration_s:
  description: Length of the history in seconds.
  type: float
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core import module as core
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.budget_run import run


def main() -> None:
    """Judge."""
    module = AnsibleModule(
        argument_spec={
            "backend": {"type": "str", "required": True},
            "service": {"type": "str", "required": True},
            "budget": {"type": "dict", "default": {}, "options": {
                "slo": {"type": "str", "default": "99.9%"},
                "period": {"type": "str", "default": "30d"},
                "window": {"type": "str", "default": "1h"},
                "share": {"type": "str", "default": "2%"},
            }},
            "socket": {"type": "path", "default": "/run/haproxy/admin.sock"},
            "directory": {"type": "path", "default": "/var/lib/evenkeel"},
        },
        supports_check_mode=True,
    )
    core.run(module, run, check_mode=module.check_mode, **module.params)


if __name__ == "__main__":
    main()
