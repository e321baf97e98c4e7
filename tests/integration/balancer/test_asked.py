# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who asks a port, on the interfaces of this machine; needs root."""

from __future__ import annotations

import socket
import threading

from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.asked import asked


def address() -> str:
    """Return an address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


def test_connections_count_and_packets_do_not() -> None:
    with socket.create_server((address(), 0)) as blue, socket.create_server(("", 0)) as green:
        ports = {"blue": blue.getsockname()[1], "green": green.getsockname()[1]}

        def ask() -> None:
            for _ in range(3):
                with socket.create_connection((address(), ports["blue"])) as asking:
                    asking.sendall(b"some packets" * 1000)
            for _ in range(2):
                socket.create_connection(("127.0.0.1", ports["green"])).close()

        begun = threading.Timer(0.3, ask)
        begun.start()
        assert asked({name: [9, str(port)] for name, port in ports.items()}, 1.0) == {"blue": 3, "green": 0}
        begun.join()


def test_what_this_machine_asks_itself_does_not_count() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as blue:
        port = blue.getsockname()[1]
        begun = threading.Timer(0.2, lambda: socket.create_connection(("::1", port)).close())
        begun.start()
        assert asked({"blue": [port]}, 0.6) == {"blue": 0}
        begun.join()
