# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load balancer took its configuration in without ending, and the lock is free again."""

testinfra_hosts = ["ansible://edge"]


def test_the_main_process_stayed_and_the_worker_is_new(host):
    main = host.check_output("systemctl show --value -p MainPID haproxy")
    assert main == host.check_output("cat /run/main-before")
    assert host.check_output(f"pgrep -P {main}") != host.check_output("cat /run/worker-before")


def test_all_hosts_serve(host):
    for _number in range(9):
        assert host.check_output("curl -sf http://127.0.0.1/health")
    states = host.check_output("cat /var/lib/haproxy/server-state").splitlines()
    assert sum(line.split()[3:6][2] == "2" for line in states if " be_pitch " in line) == 3


def test_the_locks_were_given_back(host):
    assert not host.file("/var/lib/evenkeel/pitch/lock.json").exists
    assert not host.file("/var/lib/evenkeel/balancer/lock.json").exists
