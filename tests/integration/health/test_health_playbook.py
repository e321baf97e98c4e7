# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input to the health playbook: named with a right example, and nothing is changed."""

from __future__ import annotations

import json

import pytest
import yaml

from .harness import ROOT, playbook

HEALTH = ROOT / "playbooks/health.yml"
SSH = {"name": "ssh", "type": "tcp", "port": 22}
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}


@pytest.fixture
def refused(tmp_path):
    """Return a function that runs the playbook on this machine with these variables and returns the one message."""
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"app": {"hosts": {"app1": LOCAL}}}))

    def run(**variables):
        done = playbook(HEALTH, f"--inventory={inventory}", "--extra-vars", json.dumps(variables))
        assert done.rc != 0, done.text
        assert set(done.changed.values()) <= {0}
        (message,) = done.failures
        return message

    return run


@pytest.mark.parametrize(
    ("variables", "parts"),
    [
        ({}, ["health_endpoint_checks", "at least one", "Example:"]),
        ({"health_endpoint_chekcs": [SSH]}, ["health_endpoint_chekcs", "Did you mean health_endpoint_checks?"]),
        ({"health_endpoint_checks": [{**SSH, "type": "udp"}]}, ["type", "udp", "tcp"]),
        ({"health_endpoint_checks": [{**SSH, "port": 99999}]}, ["checks: ssh: port", "99999", "Example: 5432"]),
        ({"health_endpoint_checks": [SSH, SSH]}, ["checks: name", "each name once"]),
        ({"health_endpoint_checks": [SSH], "health_endpoint_stale_s": 1}, ["stale_s", "7 s for ssh", "Example: 14"]),
        (
            {"health_endpoint_checks": [SSH], "health_endpoint_breaker": {"share": 2}},
            ["breaker: share", "Example: share: 0.5"],
        ),
        ({"health_endpoint_checks": [SSH], "health_endpoint_breaker": {"fail": 2}}, ["breaker", "fail", "failures"]),
    ],
)
def test_bad_input_is_named_before_anything_is_changed(refused, variables, parts):
    message = refused(**variables)
    for part in parts:
        assert part in message
