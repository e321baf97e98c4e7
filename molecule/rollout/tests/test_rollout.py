# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the load balancer sends, and what every host remembers of the way from v1 to v2."""

import json

import pytest

testinfra_hosts = ["ansible://edge"]

HOSTS = ["app1", "app2", "app3"]


@pytest.fixture(params=HOSTS)
def app(request, host):
    """Each app host in turn, next to the load balancer."""
    return request.param, host.get_host(f"ansible://{request.param}", ansible_inventory=host.backend.ansible_inventory)


def test_only_the_new_release_answers(host):
    answers = host.check_output("for i in $(seq 30); do curl -sf http://127.0.0.1/health; echo; done").splitlines()
    assert {json.loads(answer)["release"] for answer in answers} == {"v2"}


def test_every_host_serves_in_one_slot_and_the_other_is_out(host):
    program = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/haproxy/admin.sock'); " \
              "s.sendall(b'show servers state be_pitch\\n'); print(s.makefile().read())"
    lines = [line.split() for line in host.check_output(f'python3 -c "{program}"').splitlines()[2:] if line]
    admin = {line[3]: int(line[6]) for line in lines}
    assert sorted(admin) == sorted(f"{name}-{slot}" for name in HOSTS for slot in ("blue", "green"))
    for name in HOSTS:
        assert sorted([admin[f"{name}-blue"] == 0, admin[f"{name}-green"] == 0]) == [False, True]


def test_the_old_release_is_stopped_and_kept(app):
    _name, machine = app
    listed = machine.check_output(
        "docker ps --all --filter label=evenkeel.service=pitch --format '{{.Label \"evenkeel.release\"}} {{.State}}'")
    assert sorted(listed.splitlines()) == ["v1 exited", "v2 running"]


def test_the_ledger_tells_the_whole_way(app):
    name, machine = app
    records = [json.loads(line) for line in
               machine.file("/var/lib/evenkeel/pitch/ledger.jsonl").content_string.splitlines()]
    run = [record for record in records if record["run"] == records[-1]["run"]]
    assert [record["state"] for record in run] == [
        "PLANNED", "LOCKED", "STAGED", "STAGED", "VERIFIED", "VERIFIED", "SWITCHED", "SWITCHED", "SOAKING",
        "COMMITTED", "COMMITTED"]
    assert {(record["release"], record["host"]) for record in run} == {("v2", name)}
    assert run[0]["token"] > records[0]["token"]


def test_the_lock_was_given_back(host):
    assert not host.file("/var/lib/evenkeel/pitch/lock.json").exists
    assert int(host.file("/var/lib/evenkeel/pitch/token").content_string) > 0
