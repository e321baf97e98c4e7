# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules as tasks on the lab: what they answer, that asking changes nothing, and what bad input gets to hear."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
from integration.rollout.fleet import Fleet

LOAD = {"target": "http://127.0.0.1:1", "duration_s": 1}


@pytest.fixture(scope="module")
def ask():
    """Call one module on one host; return its result."""
    fleet = Fleet()

    def call(host, module, *arguments, **options):
        (result,) = fleet.ask(host, f"evenkeel.fleet.{module}", json.dumps(options), *arguments).values()
        return result

    return call


def test_load_probe_counts_refused_connections_and_says_so(ask):
    result = ask("load[0]", "load_probe", **LOAD, thresholds=["error_rate < 1%"])
    assert (result["changed"], result["verdict"]) == (False, "fail")
    assert set(result["samples"]["errors"]) == {"refused"}


def test_preflight_info_reports_all_findings_of_a_host(ask):
    result = ask("db1", "preflight_info", memory="1000gb", python="9.9", supported=["Minix 3"])
    assert result["changed"] is False
    assert result["verdict"] == "fail"
    assert len(result["reasons"]) == 3


def test_report_record_keeps_a_part_on_the_controller(ask, tmp_path):
    record = {"step": "a-step", "kind": "probe", "title": "A step", "verdict": "pass"}
    result = ask("load[0]", "report_record", directory=str(tmp_path), run="r1", record=record)
    assert result["changed"] is False
    (part,) = (tmp_path / "r1" / "parts").iterdir()
    assert json.loads(part.read_text())["step"] == "a-step"


def test_load_probe_info_reads_what_load_probe_kept(ask):
    result = ask("load[0]", "load_probe", **LOAD, result_name="test-modules")
    info = ask("load[0]", "load_probe_info", name="test-modules", result=True)
    (kept,) = info["probes"]
    assert info["changed"] is False
    assert (kept["state"], kept["requests"]) == ("finished", result["metrics"]["requests"])


def test_release_approval_says_that_nobody_answered(ask):
    question = {"service": "test-modules", "run": "r1", "gate": "go on"}
    result = ask("app[0]", "release_approval", **question, timeout_s=0.5, longest_s=5)
    assert result["verdict"] == "inconclusive"
    assert "nobody answered" in result["reasons"][0]


@pytest.mark.parametrize(("module", "options", "message"), [
    ("release_approval", {"service": "test-nothing", "action": "approve", "by": "alice"}, "expected a question"),
    ("release_budget", {"backend": "be_nothing", "service": "test-modules", "budget": {}}, "be_nothing"),
    ("release_budget", {"backend": "be_nothing", "service": "test-modules", "budget": {"slo": "150%"}},
     "slo: expected"),
    ("release_judge", {"backend": "be_nothing", "servers": ["app1-green"], "deadline_s": 1}, "be_nothing"),
    ("balancer_server", {"backend": "be_nothing", "servers": [{"name": "x", "state": "ready"}]}, "be_nothing"),
    ("load_probe", {**LOAD, "thresholds": ["p95 is small"]}, "p95 < 50ms"),
    ("load_probe", {**LOAD, "target": "edge1"}, "http://"),
    ("image_pull", {"image": "shop"}, "an image with a tag or a digest"),
    ("report_record", {"directory": "/tmp/x", "run": "r", "record": {"step": "a"}}, "record.title"),
])
def test_bad_input_is_named_with_a_remedy(ask, module, options, message):
    result = ask("edge[0]", module, **options)
    assert "verdict" not in result
    assert message in result["msg"]
