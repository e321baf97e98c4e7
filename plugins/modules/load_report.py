#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_report
short_description: Writes results of load probes for people and for other tools
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Writes results of M(evenkeel.fleet.load_probe) as a self-contained page, as JSON, JUnit, a textfile for Prometheus,
    the summary of k6, CSV, or a log of HdrHistogram.
  - Runs on the controller without any connection to a host. Secrets that can be told by their look are left out.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - Writes nothing, and is skipped when nothing was measured.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - The same results make the same files.
options:
  results:
    description: Results by name, whole or merged ones.
    type: dict
    required: true
  directory:
    description: Directory on the controller. It is made when it is not there.
    type: path
    required: true
  name:
    description: First part of the names of all files.
    type: str
    default: load
  formats:
    description:
      - What to write.
      - V(json), C(.json), has all results by name.
      - V(junit), C(.junit.xml), has a suite per result, and a case per threshold and one for the verdict. What is
        inconclusive is an error.
      - V(prometheus), C(.prom), is for the textfile collector of the node exporter.
      - V(k6), C(.k6.json), has the form of C(k6 run --summary-export), a file per result.
      - V(csv), C(.csv), has a line per second.
      - V(hdr), C(.hlog), has the histograms in the V2 encoding of HdrHistogram, tagged with result and scenario, in µs.
      - V(html), C(.html), is a page with latencies, errors and percentiles. It loads nothing from anywhere.
    type: list
    elements: str
    choices: [json, junit, prometheus, k6, csv, hdr, html]
    default: [json, html]
  title:
    description: Title of the page and of the JUnit report.
    type: str
    default: Load probes
  labels:
    description: Further labels of all lines for Prometheus.
    type: dict
    default: {}
seealso:
  - module: evenkeel.fleet.load_probe
  - module: evenkeel.fleet.report
"""

EXAMPLES = r"""
- name: Write what was measured
  evenkeel.fleet.load_report:
    results: {browse: "{{ probe }}"}
    directory: "{{ lookup('ansible.builtin.env', 'PWD') }}/reports"
    name: nightly
    formats: [html, junit, prometheus]
    labels: {service: shop}
"""

RETURN = r"""
files:
  description: The files that were written, or would be in check mode.
  returned: success, unless skipped
  type: list
  elements: str
  sample: [/home/ops/reports/nightly.html, /home/ops/reports/nightly.junit.xml]
"""
