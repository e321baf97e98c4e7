# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The app runs everywhere again, and only what needed a restart got one."""

import json

testinfra_hosts = ["ansible://app"]


def test_one_container_runs_and_answers(host):
    ports = host.check_output("docker ps --filter label=evenkeel.service=pitch --format '{{.Ports}}'").splitlines()
    assert len(ports) == 1
    port = ports[0].partition("->")[0].rpartition(":")[2]
    assert json.loads(host.check_output(f"curl -sf http://127.0.0.1:{port}/health"))["release"] == "v1"


def test_only_the_one_that_was_down_was_started_anew(host):
    listed = json.loads(host.check_output("docker inspect $(docker ps --quiet --filter label=evenkeel.service=pitch)"))
    started = listed[0]["State"]["StartedAt"]
    assert (started != host.check_output("cat /run/started-before")) == (host.backend.host == "app3")
