# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._restart.sockets import (
    Connections,
    Row,
    count_open,
    group_of,
    listening_ports,
    parse_table,
    processes_of,
)

# Recorded: an HTTP service on 9099 (0x238B) with one client, one that has sent all it had, and one that is done.
TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:238B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 15273663 1 0 100 0 0 10 0
   1: 0100007F:823B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 14488092 1 0 100 0 0 10 0
   2: 0B4D1EAC:238B 0A4D1EAC:C35A 01 00000000:00000000 00:00000000 00000000     0        0 15273700 1 0 20 4 30 10 -1
   3: 0B4D1EAC:238B 0A4D1EAC:C35C 08 00000000:00000000 00:00000000 00000000     0        0 15273701 1 0 20 4 30 10 -1
   4: 0B4D1EAC:238B 0A4D1EAC:C35E 06 00000000:00000000 03:00000B1D 00000000     0        0 0 3 0
   5: 0B4D1EAC:C400 0A4D1EAC:238B 01 00000000:00000000 00:00000000 00000000     0        0 15273702 1 0 20 4 30 10 -1
"""


def test_a_table_is_read():
    rows = parse_table(TABLE)
    assert rows[0] == Row(0x238B, 0x0A, "15273663")
    assert listening_ports(rows, ["15273663", "1"]) == {0x238B}
    assert count_open(rows, [0x238B]) == 2
    assert count_open(rows, []) == 0


def test_an_empty_table_has_no_rows():
    assert parse_table("") == parse_table(TABLE.splitlines()[0]) == []


@pytest.mark.parametrize(("text", "group"), [
    ("0::/system.slice/shop.service\n", "/system.slice/shop.service"),
    ("9:name=systemd:/system.slice/shop.service\n1:cpu:/\n0::/\n", "/system.slice/shop.service"),
    ("0::/a:b\n", "/a:b"),
    ("", "/"),
])
def test_control_group(text, group):
    assert group_of(text) == group


def test_connections_of_a_real_process_are_counted_while_it_lives():
    program = ("import socket, time; s = socket.create_server(('127.0.0.1', 0)); "
               "print(s.getsockname()[1], flush=True); time.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    port = int(process.stdout.readline())
    try:
        connections = Connections(process.pid)
        assert port in connections.ports
        connections.ports = frozenset({port})  # this test, and more, may be in the same control group
        before = connections.count()
        clients = [socket.create_connection(("127.0.0.1", port)) for _number in range(3)]
        assert connections.count() == before + 3  # nobody has accepted them yet
        for client in clients:
            client.close()
    finally:
        process.kill()
        process.wait()
    assert (connections.count(), connections.count(gone=3)) == (0, 3)
    process.stdout.close()


def test_the_processes_of_a_group_hold_the_process_itself():
    assert os.getpid() in processes_of(os.getpid())


def test_no_process_has_no_connections():
    assert (Connections(0).ports, Connections(0).count(), Connections(0).count(gone=3)) == (frozenset(), 0, 3)
