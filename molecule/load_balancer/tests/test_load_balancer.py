# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load balancer is set up; ask the process that runs."""

import json

import pytest

testinfra_hosts = ["ansible://edge1"]

PORTS = {"blue": 8001, "green": 8002, "blue-2": 8003, "green-2": 8004}


@pytest.fixture
def running(host):
    """What HAProxy says of itself."""
    return host.ansible("evenkeel.fleet.balancer_info", check=False)


def move(host, server, **wish):
    arguments = {"backend": "be_pitch", "servers": [{"name": server, **wish}]}
    return host.ansible("evenkeel.fleet.balancer_server", json.dumps(arguments), check=False)


def weight(host, server):
    servers = host.ansible("evenkeel.fleet.balancer_info", check=False)["backends"]["be_pitch"]["servers"]
    return next(one["weight"] for one in servers if one["name"] == server)


def test_it_serves_after_a_reboot_too(host):
    assert host.service("haproxy").is_running
    assert host.service("haproxy").is_enabled
    assert host.socket("tcp://0.0.0.0:80").is_listening


def test_every_replica_of_every_slot_of_every_host_is_a_server_on_its_port(running):
    servers = running["backends"]["be_pitch"]["servers"]
    assert {one["name"]: one["port"] for one in servers} == {
        f"app{number}-{replica}": port for number in (1, 2, 3) for replica, port in PORTS.items()}
    assert all(one["checked"] for one in servers)


def test_only_root_and_haproxy_may_command_it(host):
    socket = host.file("/run/haproxy/admin.sock")
    assert (socket.user, socket.group, socket.mode) == ("root", "haproxy", 0o660)


@pytest.mark.parametrize("command", ["systemctl reload haproxy", "systemctl restart haproxy"])
def test_a_weight_outlives_reload_and_restart(host, command):
    before = weight(host, "app3-green")
    try:
        assert move(host, "app3-green", weight=37)["changed"]
        host.check_output(command + " && sleep 2")
        assert weight(host, "app3-green") == 37
    finally:
        move(host, "app3-green", weight=before)
