# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every host runs and remembers after the way from v1 to v2."""

import json

testinfra_hosts = ["ansible://app"]


def test_the_old_release_is_stopped_and_kept(host):
    listed = host.check_output("docker inspect $(docker ps --all --quiet --filter label=evenkeel.service=pitch)")
    states = {one["Config"]["Labels"]["evenkeel.release"]: one["State"]["Status"] for one in json.loads(listed)}
    assert states == {"v1": "exited", "v2": "running"}


def test_the_ledger_tells_the_whole_way(host):
    lines = host.file("/var/lib/evenkeel/pitch/ledger.jsonl").content_string.splitlines()
    records = [json.loads(line) for line in lines]
    run = [record for record in records if record["run"] == records[-1]["run"]]
    assert [record["state"] for record in run] == [
        "PLANNED", "LOCKED", "BACKED_UP", "STAGED", "STAGED", "VERIFIED", "VERIFIED", "SWITCHED", "SWITCHED",
        "SOAKING", "COMMITTED", "COMMITTED"]
    assert {(record["release"], record["host"]) for record in run} == {("v2", host.backend.host)}
    assert run[0]["token"] > records[0]["token"]


def test_the_guard_has_lost_its_order_and_is_gone(host):
    assert json.loads(host.file("/var/lib/evenkeel/pitch/guard-runtime.json").content_string)["state"] == "disarmed"
    assert host.run("systemctl is-active evenkeel-guard-runtime-pitch").stdout.strip() == "inactive"
