# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight ran over the whole lab and the report was drawn; read it where it is, on the controller."""

import json
import os

import jsonschema
import pytest

testinfra_hosts = ["local://"]


@pytest.fixture
def run(host):
    """The directory of the youngest run."""
    reports = os.path.join(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "reports")
    return os.path.join(reports, sorted(host.file(reports).listdir())[-1])


def test_the_report_tells_of_every_host_as_its_schema_says(host, run):
    report = json.loads(host.file(f"{run}/report.json").content_string)
    schema = host.file(os.path.join(os.environ["MOLECULE_PROJECT_DIRECTORY"], "roles/report/files/report.schema.json"))
    jsonschema.validate(report, json.loads(schema.content_string))
    assert {step["host"] for step in report["steps"]} >= {"edge1", "app1", "app2", "app3", "db1", "cache1", "load1"}
    assert report["fleet"]["app"] == ["app1", "app2", "app3"]


def test_the_page_shows_them_and_no_password(host, run):
    page = host.file(f"{run}/report.html").content_string
    secrets = os.path.join(os.environ["MOLECULE_PROJECT_DIRECTORY"], ".cache/lab/secrets.yml")
    lines = host.file(secrets).content_string.splitlines()
    passwords = [line.split(":", 1)[1].strip(" '\"") for line in lines if ": " in line]
    assert "Preflight" in page
    assert passwords
    assert not [password for password in passwords if password in page]
