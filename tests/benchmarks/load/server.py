# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that notes when each request arrives, and that can stall: ``server.py PORT [EVERY_S STALL_S]``.

``/arrivals`` answers with all times so far, in ns on the monotonic clock. With two more arguments, nobody is served
in the last STALL_S of every EVERY_S seconds, beginning with the first request.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"data\": true}"


def serve(port: int, every_s: float = 0.0, stall_s: float = 0.0) -> None:
    """Serve until the process ends."""
    listener = socket.create_server(("127.0.0.1", port), backlog=4096)
    listener.setblocking(False)
    poll = select.epoll()
    poll.register(listener.fileno(), select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    arrivals: list[int] = []
    while True:
        for fd, _mask in poll.poll():
            if fd == listener.fileno():
                connection = listener.accept()[0]
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[connection.fileno()] = connection
                poll.register(connection.fileno(), select.EPOLLIN)
                continue
            if every_s and arrivals:
                into = (time.monotonic() - arrivals[0] / 1e9) % every_s
                if into > every_s - stall_s:
                    time.sleep(every_s - into)
            try:
                data = connections[fd].recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                connections.pop(fd).close()
            elif data.startswith(b"GET /arrivals"):
                content = json.dumps(arrivals).encode()
                connections[fd].setblocking(True)
                connections[fd].sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content))
            else:
                arrivals.append(time.monotonic_ns())
                connections[fd].send(OK)


if __name__ == "__main__":
    serve(int(sys.argv[1]), *map(float, sys.argv[2:]))
