# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the load balancer sends, and that the lock is free again."""

import json

testinfra_hosts = ["ansible://edge"]

OPERATIONAL = "2"
READ_STATES = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/haproxy/admin.sock'); " \
              "s.sendall(b'show servers state be_pitch\\n'); print(s.makefile().read())"


def test_only_the_new_release_answers(host):
    answers = host.check_output("for i in $(seq 30); do curl -sf http://127.0.0.1/health; echo; done").splitlines()
    assert {json.loads(answer)["release"] for answer in answers} == {"v2"}


def test_every_host_serves_in_one_slot_and_the_other_is_out(host):
    lines = [line.split() for line in host.check_output(f'python3 -c "{READ_STATES}"').splitlines()[2:] if line]
    serving = {line[3].split("-")[0]: [] for line in lines}
    for line in lines:
        name, _, slot = line[3].partition("-")  # of a second replica, green-2
        serving[name] += [slot] if line[5] == OPERATIONAL else []
    assert len(serving) == 3
    assert all(len(slots) == 1 for slots in serving.values())


def test_the_lock_was_given_back(host):
    assert not host.file("/var/lib/evenkeel/pitch/lock.json").exists
    assert int(host.file("/var/lib/evenkeel/pitch/token").content_string) > 0


def test_the_guard_has_lost_its_order_and_is_gone(host):
    assert json.loads(host.file("/var/lib/evenkeel/pitch/guard-balancer.json").content_string)["state"] == "disarmed"
    assert host.file("/etc/systemd/system/multi-user.target.wants/evenkeel-guard-balancer-pitch.service").is_symlink
    assert host.run("systemctl is-active evenkeel-guard-balancer-pitch").stdout.strip() == "inactive"
