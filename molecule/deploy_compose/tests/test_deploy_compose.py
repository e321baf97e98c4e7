# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs: one healthy container per host, its image by digest, its secrets for root only."""

import json
import re

testinfra_hosts = ["ansible://app"]


def containers(host):
    listed = host.check_output("docker ps --quiet --filter label=evenkeel.service=pitch").split()
    return json.loads(host.check_output(f"docker inspect {' '.join(listed)}"))


def test_one_container_runs_the_release_by_digest(host):
    (container,) = containers(host)
    assert container["Config"]["Labels"]["evenkeel.release"] == "v1"
    assert re.fullmatch(r"registry1:5000/pitch@sha256:[0-9a-f]{64}", container["Config"]["Image"])
    port = 8001 if container["Config"]["Labels"]["evenkeel.slot"] == "blue" else 8002
    answer = json.loads(host.check_output(f"curl -sf http://127.0.0.1:{port}/health"))
    assert answer == {"status": "pass", "release": "v1"}


def test_secrets_are_for_root_only(host):
    slot = containers(host)[0]["Config"]["Labels"]["evenkeel.slot"]
    modes = host.check_output(f"stat -c '%U %a' /opt/evenkeel/pitch/{slot} /opt/evenkeel/pitch/{slot}/environment")
    assert modes.splitlines() == ["root 700", "root 600"]


def test_the_ledger_ends_committed_and_holds_no_secret(host):
    ledger = host.file("/var/lib/evenkeel/pitch/ledger.jsonl").content_string
    last = json.loads(ledger.splitlines()[-1])
    assert (last["release"], last["state"], last["phase"]) == ("v1", "COMMITTED", "result")
    environment = dict(one.partition("=")[::2] for one in containers(host)[0]["Config"]["Env"])
    password = environment["DATABASE_URL"].split(":")[2].partition("@")[0]
    assert len(password) > 8
    assert password not in ledger
