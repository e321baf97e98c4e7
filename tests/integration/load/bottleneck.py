# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service of known capacity: ``bottleneck.py PORT SERVERS SERVICE_S [GROWTH_S]``.

SERVERS requests are served at the same time, each for SERVICE_S seconds, and GROWTH_S longer for each second since the
first one; all others wait in the order of their arrival. ``/log`` answers with what each request met: its time in
seconds and the number of open connections.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time


class Bottleneck:
    """The service."""

    def __init__(self, servers, service_s, growth_s=0.0):
        self.free = asyncio.Semaphore(int(servers))
        self.service_s = service_s
        self.growth_s = growth_s
        self.open = 0
        self.log = []

    async def serve(self, reader, writer):
        """Serve a connection."""
        self.open += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET /log"):
                    content = json.dumps(self.log).encode()
                else:
                    content = b"ok"
                    self.log.append((time.monotonic(), self.open))
                    async with self.free:
                        await asyncio.sleep(self.service_s + self.growth_s * (time.monotonic() - self.log[0][0]))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()


async def main(port, *numbers):
    """Serve until the process ends."""
    server = await asyncio.start_server(Bottleneck(*numbers).serve, "127.0.0.1", int(port), backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(float, sys.argv[1:])))
