#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Draws the report of a run
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Merges the parts that the steps of a run have left with M(evenkeel.fleet.report_record) into C(report.json) and one
    self-contained C(report.html) beside them.
  - Runs on the controller without any connection to a host. Nothing on the fleet is read or changed.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - Draws nothing. A report shows what was done.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - Draws the same again, which does not count as a change of the fleet.
options:
  directory:
    description: Directory of all reports on the controller.
    type: path
    required: true
  run:
    description: Identifier of the run; empty draws the latest one.
    type: str
    default: ""
  title:
    description: Title of the page.
    type: str
    default: Fleet report
  groups:
    description: Inventory groups that are shown as the fleet.
    type: list
    elements: str
    default: []
seealso:
  - module: evenkeel.fleet.report_record
"""

EXAMPLES = r"""
- name: Draw the report
  evenkeel.fleet.report:
    directory: "{{ lookup('ansible.builtin.env', 'PWD') }}/reports"
    groups: [edge, app]
  register: report

- name: Show the summary
  ansible.builtin.debug:
    msg: "{{ report.summary }}"
"""

RETURN = r"""
run:
  description: The run that was drawn.
  returned: success, outside check mode
  type: str
  sample: 20261121T081500Z
verdict:
  description: The worst verdict of all steps.
  returned: success, outside check mode
  type: str
  sample: pass
data:
  description: The file with the report's data, as C(report.schema.json) of the role describes it.
  returned: success, outside check mode
  type: str
  sample: /home/ops/reports/20261121T081500Z/report.json
page:
  description: The page; open it in a browser.
  returned: success, outside check mode
  type: str
  sample: /home/ops/reports/20261121T081500Z/report.html
summary:
  description: The report for the console, line by line.
  returned: success, outside check mode
  type: list
  elements: str
"""
