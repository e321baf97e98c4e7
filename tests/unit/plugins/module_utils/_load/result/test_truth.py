# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the generator's own limits, and an early end, do to a verdict."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.verdict import Verdict
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.truth import doubt

GENERATOR = {"measured_s": 10.0, "intended_s": 10, "cpu_share": 0.1, "cpu_wait_share": 0.0, "lateness_p99_ms": None,
             "intended_rps": None, "dispatched_rps": None}


def doubted(verdict, errors=None, row="p95_ms", stopped="", **generator):
    result = Verdict(verdict, [], [{"metric": row, "ok": verdict == "pass"}], {"p99_ms": 40.0},
                     {"errors": errors or {}, "stopped": stopped, "generator": {**GENERATOR, **generator}})
    doubt(result)
    return result.verdict


@pytest.mark.parametrize(("before", "found", "after"), [
    ("pass", {}, "pass"),
    ("fail", {}, "fail"),
    ("pass", {"cpu_share": 0.97}, "inconclusive"),
    ("fail", {"cpu_share": 0.6, "cpu_wait_share": 0.36}, "inconclusive"),
    ("fail", {"cpu_share": 0.97, "row": "error_rate"}, "fail"),
    ("fail", {"lateness_p99_ms": 30.0}, "inconclusive"),
    ("pass", {"lateness_p99_ms": 30.0}, "pass"),
    ("fail", {"lateness_p99_ms": 15.0}, "fail"),
    ("pass", {"intended_rps": 100.0, "dispatched_rps": 98.0}, "inconclusive"),
    ("fail", {"intended_rps": 100.0, "dispatched_rps": 98.0}, "inconclusive"),
    ("pass", {"intended_rps": 100.0, "dispatched_rps": 99.5}, "pass"),
    ("pass", {"intended_rps": 100.0, "dispatched_rps": 95.0, "measured_s": 1.0}, "pass"),
    ("pass", {"stopped": "stop_path"}, "pass"),
    ("pass", {"stopped": "SIGTERM"}, "inconclusive"),
    ("pass", {"stopped": "threshold: p95 < 5ms or abort: measured 7"}, "fail"),
    ("pass", {"stopped": "threshold: p95 < 5ms or abort: measured 7", "cpu_share": 0.97}, "inconclusive"),
    ("fail", {"stopped": "SIGTERM"}, "fail"),
    ("fail", {"errors": {"generator": 1}}, "inconclusive"),
])
def test_doubts(before, found, after):
    assert doubted(before, **found) == after
