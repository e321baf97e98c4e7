# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A WebSocket server that sends every message back: ``echo.py PORT``. ``/count`` answers with how many there were.

It takes what the benchmark sends and no more: text of less than 126 bytes, a frame each.
"""

from __future__ import annotations

import base64
import hashlib
import re
import select
import socket
import sys

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def serve(port: int) -> None:
    """Serve until the process ends."""
    listener = socket.create_server(("127.0.0.1", port), backlog=4096)
    poll = select.epoll()
    poll.register(listener.fileno(), select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    count = 0
    while True:
        for fd, _mask in poll.poll():
            if fd == listener.fileno():
                connection = listener.accept()[0]
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[connection.fileno()] = connection
                poll.register(connection.fileno(), select.EPOLLIN)
                continue
            try:
                data = connections[fd].recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                connections.pop(fd).close()
            elif data.startswith(b"GET"):
                connections[fd].sendall(greet(data, count))
            elif data[0] == 0x81:
                count += 1
                connections[fd].send(echo(data))


def greet(request: bytes, count: int) -> bytes:
    """Return the answer to a request by HTTP: the handshake, or the count."""
    key = re.search(rb"(?i)sec-websocket-key: *(\S+)", request)
    if key is None:
        return b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%d" % (len(str(count)), count)
    proof = base64.b64encode(hashlib.sha1(key.group(1) + _GUID).digest())
    return (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %s\r\n\r\n" % proof)


def echo(frame: bytes) -> bytes:
    """Return the frame of a server for that of a client: unmasked."""
    size = frame[1] & 127
    mask = int.from_bytes((frame[2:6] * (size // 4 + 1))[:size], "big")
    return frame[:1] + bytes([size]) + (int.from_bytes(frame[6:6 + size], "big") ^ mask).to_bytes(size, "big")


if __name__ == "__main__":
    serve(int(sys.argv[1]))
