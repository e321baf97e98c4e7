# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input to the preflight playbook: one message with variable, value and remedy, and nothing is changed."""

from __future__ import annotations

import json

import pytest
import yaml

from .harness import ROOT, playbook

PREFLIGHT = ROOT / "playbooks/preflight.yml"
REQUEST = "1. Check the request"


def refused(run, *parts):
    """Assert that exactly one message tells everything, and that nothing was changed."""
    assert run.rc != 0
    assert len(run.failures) == 1, run.text
    for part in parts:
        assert part in run.failures[0]
    assert "Nothing was changed." in run.failures[0]
    assert set(run.changed.values()) <= {0}


@pytest.fixture
def fleet(tmp_path):
    """Return a function that writes an inventory."""

    def written(**groups):
        hosts = {group: {"hosts": members} for group, members in groups.items()}
        path = tmp_path / "hosts.yml"
        path.write_text(yaml.safe_dump({"all": {"children": hosts}}))
        return f"--inventory={path}"

    return written


LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}


def everywhere(**changes):
    groups = {group: {f"{group}1": dict(LOCAL)} for group in ("edge", "app", "postgres", "redis", "load")}
    return {**groups, **changes}


def test_an_unknown_variable(fleet):
    run = playbook(PREFLIGHT, fleet(**everywhere(app={"app1": {**LOCAL, "preflight_memry": "4gb"}})))
    refused(run, "preflight_memry", "'4gb'", "Did you mean preflight_memory?", "app1")
    assert run.plays == [REQUEST]


def test_a_value_of_the_wrong_type(fleet):
    run = playbook(PREFLIGHT, fleet(**everywhere()), "--extra-vars", '{"load_test_vus": "many"}')
    refused(run, "load_test_vus", "'many'", "expected int")
    assert run.plays == [REQUEST]


def test_an_empty_group(fleet):
    run = playbook(PREFLIGHT, fleet(**everywhere(app={})))
    refused(run, "app: expected at least one host", "Add its hosts")
    assert run.plays == [REQUEST]


def test_a_group_that_the_inventory_does_not_have_is_left_out(fleet):
    groups = everywhere()
    del groups["redis"]
    run = playbook(PREFLIGHT, fleet(**groups))
    assert run.plays[:2] == [REQUEST, "2. Look at every host"]
    refused(playbook(PREFLIGHT, fleet(web={"web1": dict(LOCAL)})), "app: expected at least one host", "redis: expected")


def test_unreachable_hosts_are_one_message(fleet):
    away = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
    run = playbook(PREFLIGHT, fleet(**everywhere(app={"app1": away, "app2": away})))
    refused(run, "app1: ", "app2: ", "onnection refused", "--limit")
    assert run.plays == [REQUEST]


def test_everything_that_is_wrong_is_said_at_once(fleet):
    away = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
    run = playbook(PREFLIGHT, fleet(**everywhere(app={}, redis={"redis1": {**away, "preflight_disc": {}}})))
    refused(run, "app: expected", "Did you mean preflight_disk?", "redis1: ", "3 problem(s)")


def test_a_wrong_password(lab):
    account = {"host": "db1", "user": "pitch", "password": "not-the-password", "database": "pitch"}
    run = playbook(PREFLIGHT, "--limit", "app1", "--extra-vars", json.dumps({"preflight_postgres": account}))
    refused(run, "app1: PostgreSQL", "pitch", "28P01", "Check the user and the password.")
    assert "not-the-password" not in run.failures[0]


def test_all_findings_of_all_hosts_at_once(lab):
    wrong = {"preflight_memory": "900tb", "preflight_supported": ["plan9 4"], "preflight_ports": [{"port": 22}]}
    run = playbook(PREFLIGHT, "--limit", "app1,db1", "--extra-vars", json.dumps(wrong))
    refused(run, "app1, db1: memory", "app1, db1: operating system", "app1, db1: port 22", "held by sshd")


@pytest.mark.parametrize("arguments", [["--check", "--limit", "edge1"], ["--limit", "app1:db1"]])
def test_the_lab_passes_and_is_not_changed(lab, arguments):
    run = playbook(PREFLIGHT, *arguments)
    assert run.rc == 0, run.text
    assert set(run.changed.values()) == {0}
    assert "Preflight passed on" in run.text
