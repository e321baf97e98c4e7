# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of a service's ports anybody asks: TCP connections that begin there, seen on this host's interfaces.

A load balancer asks the ports of the servers that it checks, and of no others. What this host asks itself at
127.0.0.0/8 or ::1 does not count: those are its own health checks.
"""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import select
import socket
import struct
from typing import Mapping, Sequence

from .._core.clock import Deadline
from .._core.errors import FleetError

_SO_ATTACH_FILTER = 26
_ETHERTYPES = {4: 0x0800, 6: 0x86DD}
_TO_US = 0  # PACKET_HOST; what leaves through lo comes in through it as well
_KEPT = 64  # bytes of a packet: the longest IPv4 header and the ports

# Classic BPF (linux/filter.h): code, jump if true, jump if false, value. Keeps TCP segments with SYN and without ACK.
_LOAD_BYTE, _LOAD_HALF, _LOAD_BYTE_X, _LOAD_IHL, _AND, _EQUALS, _ANY_OF, _RETURN = (
    0x30, 0x28, 0x50, 0xB1, 0x54, 0x15, 0x45, 0x06)
_FILTERS = {
    4: [(_LOAD_BYTE, 0, 0, 9), (_EQUALS, 0, 7, 6), (_LOAD_HALF, 0, 0, 6), (_ANY_OF, 5, 0, 0x1FFF),
        (_LOAD_IHL, 0, 0, 0), (_LOAD_BYTE_X, 0, 0, 13), (_AND, 0, 0, 0x12), (_EQUALS, 0, 1, 0x02),
        (_RETURN, 0, 0, _KEPT), (_RETURN, 0, 0, 0)],
    6: [(_LOAD_BYTE, 0, 0, 6), (_EQUALS, 0, 4, 6), (_LOAD_BYTE, 0, 0, 53), (_AND, 0, 0, 0x12), (_EQUALS, 0, 1, 0x02),
        (_RETURN, 0, 0, _KEPT), (_RETURN, 0, 0, 0)],
}  # fmt: skip


def asked(ports: Mapping[str, Sequence[int | str]], seconds: float) -> dict[str, int]:
    """Count for so many seconds who begins a connection to these ports; return the number by name.

    :arg ports: those of each name; numbers, also as text.
    :raises FleetError: when this user may not see the packets of this host.
    """
    counts, deadline = dict.fromkeys(ports, 0), Deadline(seconds)
    names = {int(port): name for name, own in ports.items() for port in own}
    sockets = {_open(version): version for version in _FILTERS}
    try:
        while not deadline.expired:
            readable, _write, _error = select.select(list(sockets), [], [], deadline.remaining_s)
            for one in readable:
                packet, (_interface, _protocol, kind, *_rest) = one.recvfrom(_KEPT)
                port = _destination(packet, sockets[one]) if kind == _TO_US else 0
                if port in names:
                    counts[names[port]] += 1
    finally:
        for one in sockets:
            one.close()
    return counts


def _destination(packet: bytes, version: int) -> int:
    """Return the port that a SYN asks for; 0 when it asks for a loopback address."""
    start, address = ((packet[0] & 0xF) * 4, packet[16:20]) if version == 4 else (40, packet[24:40])
    if ipaddress.ip_address(address).is_loopback:
        return 0
    port: int = struct.unpack_from("!H", packet, start + 2)[0]
    return port


def _open(version: int) -> socket.socket:
    program = b"".join(struct.pack("HBBI", *step) for step in _FILTERS[version])
    content = ctypes.create_string_buffer(program, len(program))
    try:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETHERTYPES[version]))
        opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER,
                          struct.pack("HP", len(_FILTERS[version]), ctypes.addressof(content)))
    except OSError as error:
        raise FleetError(f"guard: expected to see this host's packets, found: {error}.",
                         "It needs root and CAP_NET_RAW.") from error
    opened.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:  # what came in before the filter
            opened.recv(_KEPT)
    return opened
