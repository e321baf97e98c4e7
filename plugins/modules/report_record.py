#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report_record
short_description: Keeps what a step found for the report
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Writes one part of a report to the controller, in C(<directory>/<run>/parts). M(evenkeel.fleet.report) draws the
    report from the parts.
  - Runs on the controller without any connection to the host. Nothing on the fleet is read or changed.
  - Secrets are left out. Keys that are named like passwords or tokens are dropped, and passwords in URLs are hidden.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - Writes nothing. A report keeps what was done, not what would be.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - Each call adds a part, which does not count as a change of the fleet.
options:
  directory:
    description: Directory of all reports on the controller.
    type: path
    required: true
  run:
    description: Identifier of the run that the part belongs to.
    type: str
    required: true
  record:
    description: What the step found.
    type: dict
    required: true
    suboptions:
      step:
        description: Short name of the step, such as V(probe-before).
        type: str
        required: true
      kind:
        description: What the step is, which decides how it is drawn.
        type: str
        required: true
        choices: [preflight, probe, indexes, settings, rollout, rollback, balancer, restart]
      title:
        description: What a person calls the step.
        type: str
        required: true
      verdict:
        description:
          - V(pass), V(fail) or V(inconclusive); or a whole result of a gate, whose reasons, start and duration count.
        type: raw
        required: true
      started_at:
        description: When the step began, as V(2026-11-21T08:15:00Z); for results that do not say it themselves.
        type: str
      data:
        description: The numbers and rows that the step found; see the description of the report for each kind.
        type: dict
        default: {}
seealso:
  - module: evenkeel.fleet.report
"""

EXAMPLES = r"""
- name: Keep the probe for the report
  evenkeel.fleet.report_record:
    directory: "{{ lookup('ansible.builtin.env', 'PWD') }}/reports"
    run: 20261121T081500Z
    record:
      step: probe-before
      kind: probe
      title: Load before the change
      verdict: pass
      data:
        label: before
        scenarios: {browse: {metrics: {p95_ms: 61.4, rps: 310.0}}}
"""

RETURN = r"""
path:
  description: The file on the controller.
  returned: success, outside check mode
  type: str
  sample: /home/ops/reports/20261121T081500Z/parts/2026-11-21T08_15_04.120Z-probe-before-load1.json
"""
