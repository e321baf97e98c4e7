#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge a new release by the errors that HAProxy counts, against the old one beside it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_judge
short_description: Judge a new release by its errors and latency at HAProxy, against the old one beside it
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Runs on a load balancer that gives a share of the traffic to a new release, and reads HAProxy's counters until it is
    certain enough, at most O(deadline_s).
  - A sequential test decides as soon as the numbers allow it. A release that fails often is found within a few failed
    requests; a healthy one is sent back with a chance of at most O(alpha), however bad the day of the whole service is.
  - With O(latency), one that answers later is found as well, by comparing the histograms of both releases.
  - Without enough traffic the verdict is V(inconclusive), with what is missing. It does not pass, and it does not fail.
  - The method, its sources and its measured figures are in the page on the judge in the collection's documentation.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
attributes:
  check_mode:
    support: full
    details:
      - In check mode nothing is watched, and the verdict is inconclusive.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - Something is changed only with O(withdraw=true), and then once.
options:
  backend:
    description: HAProxy's backend.
    type: str
    required: true
  servers:
    description: Servers of the new release.
    type: list
    elements: str
    required: true
  baseline:
    description: Servers of the old release. Empty takes all others that have traffic when this begins.
    type: list
    elements: str
    default: []
  max_error_rate:
    description:
      - Least share of failed requests that does harm, such as V(1%) or V(0.01).
      - It has to be O(ratio) times what is usual for the service, or more, or no verdict comes.
    type: str
    default: 1%
  ratio:
    description: How many times as often as the old release a new one has to fail to be worse.
    type: float
    default: 10
  alpha:
    description: Chance to fail a release that is no worse than the old one.
    type: float
    default: 0.001
  beta:
    description: Chance to pass a release that fails as often as O(max_error_rate).
    type: float
    default: 0.01
  deadline_s:
    description: Longest time to watch, in seconds.
    type: float
    default: 120
  interval_s:
    description: Time between two readings of the counters, in seconds.
    type: float
    default: 0.25
  before:
    description: RV(metrics) of an earlier look at the same release, whose evidence goes on. Empty begins anew.
    type: dict
    default: {}
  latency:
    description:
      - Also judges how long the servers take to answer, by HAProxy's log of each request. Without it, errors alone.
      - It needs HAProxy's C(ring) of the role C(load_balancer).
    type: dict
    suboptions:
      percentiles:
        description: Percentiles that are compared, as V(p95).
        type: list
        elements: str
        default: [p95]
      tolerance:
        description: How much longer one may be than that of O(baseline).
        type: str
        default: 50%
      min_effect_ms:
        description: Least difference that matters, in milliseconds.
        type: float
        default: 10
  before_latency:
    description: RV(samples) C(.latency) of an earlier look at the same release, whose evidence goes on.
    type: dict
    default: {}
  withdraw:
    description: Whether O(servers) are drained in the moment in which the verdict is V(fail).
    type: bool
    default: false
  state_file:
    description: With O(withdraw=true), where the states of the servers are saved over a restart. Empty does not save.
    type: path
    default: /var/lib/haproxy/server-state
  socket:
    description: The C(stats socket) of HAProxy's configuration.
    type: path
    default: /run/haproxy/admin.sock
notes:
  - A failed request is an answer with a status from 500 to 599, a connection that failed, an answer that broke off
    before its header was through, or an attempt that HAProxy had to repeat.
seealso:
  - module: evenkeel.fleet.balancer_server
  - module: evenkeel.fleet.load_probe
"""

EXAMPLES = r"""
- name: Give the new release a tenth of what each old server gets
  evenkeel.fleet.balancer_server:
    backend: be_shop
    servers:
      - {name: app1-green, state: ready, weight: 10}
    healthy: true

- name: Judge it
  evenkeel.fleet.release_judge:
    backend: be_shop
    servers: [app1-green]
    max_error_rate: 2%
    deadline_s: 300
    withdraw: true
  register: judged

- name: Go on only when it passed
  ansible.builtin.assert:
    that: judged.verdict == 'pass'
    fail_msg: "{{ judged.reasons | join('; ') }}"
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
  description: All tests with what was measured; C(ok) is null where a test has not decided.
  type: list
  elements: dict
  returned: success
metrics:
  description:
    - Requests, failed requests and their share, of the new release and of the old one in the same time.
    - With O(latency), each percentile in ms, as C(p95_ms) and C(baseline_p95_ms).
    - C(evidence_limit) and C(evidence_baseline) are logarithms of likelihood ratios, of "harmful" to "harmless" and
      of "worse" to "the same".
  type: dict
  returned: success
  sample: {requests: 31, errors: 6, error_rate: 0.1935, baseline_requests: 275, baseline_errors: 0,
           baseline_error_rate: 0.0, evidence_limit: 13.59, evidence_baseline: 9.87, traffic_s: 1.3}
samples:
  description:
    - Which C(servers) were compared with which C(baseline), and how often HAProxy's counters began anew (C(restarts)).
    - C(latency) has the histograms, for O(before_latency).
    - C(first_request_s) is when the new release got its first request, in seconds from the start.
  type: dict
  returned: success
started_at:
  description: UTC, ISO 8601.
  type: str
  returned: success
duration_s:
  description: Seconds from the first reading to the verdict.
  type: float
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core import module as core
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.canary_run import run

RULES = ("max_error_rate", "ratio", "alpha", "beta")


def main() -> None:
    """Judge."""
    module = AnsibleModule(
        argument_spec={
            "backend": {"type": "str", "required": True},
            "servers": {"type": "list", "elements": "str", "required": True},
            "baseline": {"type": "list", "elements": "str", "default": []},
            "max_error_rate": {"type": "str", "default": "1%"},
            "ratio": {"type": "float", "default": 10},
            "alpha": {"type": "float", "default": 0.001},
            "beta": {"type": "float", "default": 0.01},
            "deadline_s": {"type": "float", "default": 120},
            "interval_s": {"type": "float", "default": 0.25},
            "before": {"type": "dict", "default": {}},
            "latency": {"type": "dict", "options": {
                "percentiles": {"type": "list", "elements": "str", "default": ["p95"]},
                "tolerance": {"type": "str", "default": "50%"},
                "min_effect_ms": {"type": "float", "default": 10},
            }},
            "before_latency": {"type": "dict", "default": {}},
            "withdraw": {"type": "bool", "default": False},
            "state_file": {"type": "path", "default": "/var/lib/haproxy/server-state"},
            "socket": {"type": "path", "default": "/run/haproxy/admin.sock"},
        },
        supports_check_mode=True,
    )
    params = dict(module.params)
    core.run(module, run, rules={name: params.pop(name) for name in RULES}, check_mode=module.check_mode,
             warn=module.warn, **params)


if __name__ == "__main__":
    main()
