#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge numbers that somebody else counts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: metric_probe
short_description: Judge numbers of Prometheus, of HAProxy or of a running load probe
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Reads one source of numbers and judges them by thresholds. Makes no traffic and changes nothing.
  - Without data it looks again until O(deadline_s). No data is V(inconclusive), never V(pass).
  - The module fails when an option is wrong, or when Prometheus cannot evaluate the query.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
attributes:
  check_mode:
    support: full
    details:
      - In check mode nothing is read, and the verdict is inconclusive.
  diff_mode:
    support: N/A
    details:
      - This module changes nothing.
  idempotent:
    support: full
    details:
      - This module changes nothing.
options:
  prometheus:
    description: Ask Prometheus, or what speaks its HTTP API, with an instant query.
    type: dict
    suboptions:
      url:
        description: Where it answers, without C(/api/v1).
        type: str
        required: true
      query:
        description:
          - PromQL whose result is a scalar or an instant vector. Each series has to keep all thresholds; the metric
            is C(value).
        type: str
        required: true
      headers:
        description: HTTP headers, such as C(Authorization).
        type: dict
      validate_certs:
        description: Verify the certificate and its name.
        type: bool
        default: true
      ca_file:
        description: Authorities to trust instead of the system's, a PEM file on the target.
        type: path
  balancer:
    description:
      - Read HAProxy's counters twice on the load balancer; the metrics are what they grew by.
      - They are C(requests) (answers), C(errors) (5xx), C(error_rate), C(rps), and every counter of C(show stat), such
        as C(econ), C(eresp) and C(wretr), with gauges such as C(qcur) and C(rtime) as they are at the end.
      - Without a request there is no data.
    type: dict
    suboptions:
      backend:
        description: HAProxy's backend.
        type: str
        required: true
      server:
        description: One server of it; without it the whole backend.
        type: str
        default: ""
      duration_s:
        description: Seconds between the two readings.
        type: float
        default: 5
      socket:
        description: The C(stats socket) of HAProxy's configuration.
        type: path
        default: /run/haproxy/admin.sock
  load_probe:
    description:
      - Read what a M(evenkeel.fleet.load_probe) that runs on this host has counted until now. The metrics are
        C(requests), C(errors), C(error_rate), C(p95_ms), and C(rps) of the last second.
      - A probe that does not run, or has said nothing for 10 seconds, is no data.
    type: dict
    suboptions:
      name:
        description: Its O(evenkeel.fleet.load_probe#module:result_name).
        type: str
        required: true
      directory:
        description: Its O(evenkeel.fleet.load_probe#module:result_directory).
        type: path
        default: /var/lib/evenkeel/probes
  thresholds:
    description: What has to hold, in the words of O(evenkeel.fleet.load_probe#module:thresholds).
    type: list
    elements: str
    required: true
  wait_s:
    description: Wait that many seconds before the first look, so that the numbers are about what was just changed.
    type: float
    default: 0
  deadline_s:
    description: Seconds after that wait in which data may still come.
    type: float
    default: 30
  interval_s:
    description: Seconds between two looks without data.
    type: float
    default: 2
seealso:
  - module: evenkeel.fleet.load_probe
  - module: evenkeel.fleet.health_probe
  - module: evenkeel.fleet.balancer_info
"""

EXAMPLES = r"""
- name: Judge the share of errors of the last minute
  evenkeel.fleet.metric_probe:
    prometheus:
      url: http://prometheus:9090
      query: sum(rate(http_requests_total{status=~"5.."}[1m])) / sum(rate(http_requests_total[1m]))
    thresholds: ["value < 0.001"]
    wait_s: 60
  register: errors

- name: Judge what the load balancer counts for ten seconds
  evenkeel.fleet.metric_probe:
    balancer: {backend: be_shop, duration_s: 10}
    thresholds: ["error_rate < 0.1%", "econ == 0", "wretr == 0"]
  delegate_to: edge1
  register: counters

- name: Judge a load probe that runs in the background
  evenkeel.fleet.metric_probe:
    load_probe: {name: watch}
    thresholds: ["error_rate < 0.1%", "p95 < 200ms"]
"""

RETURN = r"""
verdict:
  description: V(pass), V(fail) or V(inconclusive).
  returned: success
  type: str
  sample: pass
reasons:
  description: Why it did not pass, as sentences.
  returned: success
  type: list
  elements: str
thresholds:
  description: Each threshold with what was measured, of the series that decided.
  returned: success
  type: list
  elements: dict
metrics:
  description: The numbers of the series that decided.
  returned: success
  type: dict
  sample: {value: 0.0004, labels: {}}
samples:
  description: The numbers of all C(series).
  returned: success
  type: dict
started_at:
  description: Start in UTC, ISO 8601.
  returned: success
  type: str
duration_s:
  description: Duration in seconds.
  returned: success
  type: float
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.metric import probe
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.options import METRIC, SOURCES


def main() -> None:
    """Judge."""
    module = AnsibleModule(
        argument_spec=METRIC,
        mutually_exclusive=[SOURCES],
        required_one_of=[SOURCES],
        supports_check_mode=True,
    )
    run(module, probe, check_mode=module.check_mode, **module.params)


if __name__ == "__main__":
    main()
