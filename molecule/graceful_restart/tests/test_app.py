# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The app runs everywhere again, and only what needed a restart got one."""

import json

testinfra_hosts = ["ansible://app"]


def container(host):
    listed = host.check_output("docker ps --quiet --filter label=evenkeel.service=pitch").split()
    (one,) = json.loads(host.check_output(f"docker inspect {' '.join(listed)}"))
    return one


def test_one_container_runs_and_answers(host):
    port = 8001 if container(host)["Config"]["Labels"]["evenkeel.slot"] == "blue" else 8002
    assert json.loads(host.check_output(f"curl -sf http://127.0.0.1:{port}/health"))["release"] == "v1"


def test_only_the_one_that_was_down_was_started_anew(host):
    started = container(host)["State"]["StartedAt"]
    assert (started != host.check_output("cat /run/started-before")) == (host.backend.host == "app3")
