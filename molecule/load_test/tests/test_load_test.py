# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe on the lab: HAProxy saw what it counts, the report has it, and it refuses what it cannot do."""

import csv
import json
import subprocess
from pathlib import Path

import pytest

testinfra_hosts = ["ansible://load1"]

ROOT = Path(__file__).resolve().parents[3]
STATISTICS = """import socket
s = socket.socket(socket.AF_UNIX); s.connect('/run/haproxy/admin.sock'); s.sendall(b'show stat\\n')
print(s.makefile().read())"""


def balancer_requests():
    """Return how many requests HAProxy's frontend has seen."""
    statistics = subprocess.check_output(["docker", "exec", "evenkeel-edge1", "python3", "-c", STATISTICS], text=True)
    rows = csv.DictReader(statistics.lstrip("# ").splitlines())
    return next(int(row["req_tot"]) for row in rows if row["pxname"] == "fe_pitch" and row["svname"] == "FRONTEND")


def test_the_load_balancer_saw_what_it_counts(host):
    before = balancer_requests()
    result = host.ansible("evenkeel.fleet.load_probe", "target=http://edge1/health duration_s=2 count_header=X-Release",
                          check=False)
    assert result["changed"] is False
    assert 0 < result["metrics"]["requests"] <= balancer_requests() - before  # others may ask too
    assert result["samples"]["errors"] == {}
    assert sum(result["samples"]["header_counts"].values()) == result["metrics"]["requests"]


def test_the_report_has_all_six_scenarios():
    part = max(ROOT.glob("reports/*/parts/*-probe-probe-load1.json"), key=lambda path: path.stat().st_mtime)
    scenarios = json.loads(part.read_text())["data"]["scenarios"]
    assert set(scenarios) == {"health", "browse", "auth", "search", "dashboard", "mixed"}
    assert all(result["metrics"]["requests"] > 0 for result in scenarios.values())
    assert not any(result["samples"]["errors"] for result in scenarios.values())


@pytest.mark.parametrize(("variables", "message"), [
    ({"load_test_scenarios": ["checkout"]}, "load_test_scenarios: expected names out of health"),
    ({"load_test_mix": {"cart": 1}}, "load_test_mix: expected names out of"),
    ({"load_test_allowed_targets": ["staging:80"]}, "allowed_targets"),
])
def test_bad_input_stops_before_any_traffic(variables, message):
    done = subprocess.run(["ansible-playbook", "evenkeel.fleet.probe", "-e", json.dumps(variables)], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode != 0
    assert message in " ".join((done.stdout + done.stderr).split())
    assert " rps, " not in done.stdout
