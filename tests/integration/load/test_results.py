# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a result: kept, watched, compared, aborted, written; through Ansible and a real browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.merge import merge_results
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.store import describe
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.task import perform
from ansible_collections.evenkeel.fleet.tests.integration.browser import look

REPOSITORY = Path(__file__).parents[3]


def play(directory, tasks, **environment):
    """Run tasks on this machine; return what Ansible said."""
    path = directory / "play.yml"
    path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(path)]
    done = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, **environment}, capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_probe_is_watched_while_it_runs_and_kept_afterwards(web, tmp_path):
    url, _logged = web
    options = {"target": url, "vus": 2, "duration_s": 3.5, "processes": 2, "result_name": "one",
               "result_directory": str(tmp_path)}
    code = f"""if 1:
        from ansible_collections.evenkeel.fleet.plugins.module_utils._load.task import perform
        perform(**{options!r})
    """
    with subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": ".cache/collections"},
                          cwd=REPOSITORY) as running:
        seen = []
        while running.poll() is None:
            time.sleep(0.2)
            probes = describe(directory=str(tmp_path))["probes"]
            seen += [one for one in probes if one["state"] == "running" and one.get("requests")]
    assert running.returncode == 0
    counts = [one["requests"] for one in seen]
    assert counts == sorted(counts)
    assert len(set(counts)) >= 2
    assert seen[-1]["rps"] > 0
    found = describe(directory=str(tmp_path), name="one", result=True)
    assert (found["probes"][0]["state"], found["probes"][0]["grade"]) == ("finished", found["result"]["grade"])
    assert merge_results({"a": found["result"]})["metrics"]["requests"] == found["result"]["metrics"]["requests"]


def test_a_breach_ends_the_probe_with_a_failure(web):
    url, _logged = web
    started = time.monotonic()
    result = perform(target=f"{url}/missing", vus=2, duration_s=30, thresholds=["error_rate < 5% or abort after 1s"])
    assert time.monotonic() - started < 10
    assert result["verdict"] == "fail"
    assert result["samples"]["stopped"].startswith("threshold: error_rate < 5% or abort after 1s: measured 1 after")
    assert result["grade"] == "F"


def test_a_baseline_that_is_another_target(web):
    url, _logged = web
    load = {"executor": "constant_arrival_rate", "rate_rps": 200.0, "duration_s": 1.0}
    same = perform(target=url, baseline={"target": url, "tolerance": "100%"}, **load)
    assert [row["metric"] for row in same["comparison"]["rows"]] == ["p50_ms", "p95_ms", "error_rate"]
    worse = perform(target=f"{url}/missing", baseline={"target": url}, **load)
    (errors,) = [row for row in worse["comparison"]["rows"] if row["metric"] == "error_rate"]
    assert (errors["before"], errors["after"], errors["verdict"]) == (0.0, 1.0, "fail")
    with pytest.raises(FleetError, match="exactly one of result, result_name and target"):
        perform(target=url, baseline={"target": url, "result_name": "reference"}, **load)


def test_a_baseline_from_the_store(web, tmp_path):
    url, _logged = web
    store = {"result_directory": str(tmp_path)}
    load = {"vus": 2, "duration_s": 2, "executor": "constant_arrival_rate", "rate_rps": 200}
    with pytest.raises(FleetError, match=r"baseline\.result_name: expected a result"):
        perform(target=url, baseline={"result_name": "reference"}, **store, **load)
    perform(target=url, result_name="reference", **store, **load)
    worse = perform(target=f"{url}/missing", baseline={"result_name": "reference"}, **store, **load)
    rows = {row["metric"]: row for row in worse["comparison"]["rows"]}
    assert (worse["verdict"], rows["error_rate"]["verdict"]) == ("fail", "fail")
    assert rows["error_rate"]["low"] > 0.9
    assert "step_histograms" not in worse["samples"]
    assert "histogram" not in worse["samples"]["series"][0]


def test_every_format_through_ansible_and_the_page_in_a_browser(web, tmp_path):
    url, _logged = web
    probe = {"target": url, "vus": 2, "duration_s": 2, "thresholds": ["p95 < 1s", "miss: error_rate < 1%"],
             "result_name": "page", "result_directory": str(tmp_path / "store"),
             "scenarios": [{"name": "hit", "requests": [{"path": "/a"}]},
                           {"name": "miss", "requests": [{"path": "/missing"}]}]}
    report = {"results": {"one": "{{ one }}"}, "directory": str(tmp_path / "out"), "name": "nightly",
              "formats": ["json", "junit", "prometheus", "k6", "csv", "hdr", "html"]}
    said = play(tmp_path, [
        {"evenkeel.fleet.load_probe": probe, "register": "one"},
        {"evenkeel.fleet.load_report": report, "register": "first"},
        {"evenkeel.fleet.load_report": report, "register": "second"},
        {"ansible.builtin.assert": {"that": ["first is changed", "second is not changed", "one.verdict == 'fail'"]}},
    ], ANSIBLE_CALLBACKS_ENABLED="evenkeel.fleet.progress", EVENKEEL_PROGRESS_INTERVAL="1")
    assert "[localhost] load 1 s: " in said
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == ["nightly.csv", "nightly.hlog", "nightly.html", "nightly.json", "nightly.junit.xml",
                     "nightly.k6.json", "nightly.prom"]
    assert json.loads((tmp_path / "out/nightly.json").read_text(encoding="utf-8"))["one"]["verdict"] == "fail"
    seen, dom = look(tmp_path / "out/nightly.html", tmp_path, "--window-size=1280,900")
    assert seen == {"wrong": [], "empty": [], "wide": 0}
    assert 'data-charts="3"' in dom
