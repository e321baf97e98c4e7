# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program behind the health endpoint: looks on its own time, answers from memory.

systemd hands it the listening sockets with the first connection. Each component is looked at again when its result is
``cache_s`` old; until that look has ended, the old result is served with its age, for at most ``stale_s`` more. So an
answer never waits for a component, except for the very first one. The program ends when nobody asks any more or when
its files change, and systemd starts it again with the next connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Mapping

from .._core.clock import Deadline
from .breaker import Limits
from .document import CONTENT_TYPE, render
from .memory import Memory
from .observation import FAIL
from .runner import Watch

#: Where systemd puts the first socket that it hands over (sd_listen_fds(3)).
FIRST_SOCKET = 3

#: Limits of a request: bytes of its head, and seconds for it to arrive.
MAX_HEAD_BYTES, HEAD_S = 8192, 5.0

#: Seconds between two looks at the program's own files and at the time of the last request.
TICK_S = 1.0

PATHS = ("/", "/health")


class Endpoint:
    """Keeps the components fresh and answers with their aggregate.

    :arg config: what the module health_endpoint wrote.
    :arg memory: its clock has to be steady while the program runs.
    """

    def __init__(self, config: Mapping[str, Any], memory: Memory) -> None:
        self.config = config
        self.memory = memory
        self.asked_at = time.monotonic()
        self.first_looks = asyncio.Event()
        self._serve_s = config["cache_s"] + config["stale_s"]
        self._pool = ThreadPoolExecutor(len(config["checks"]))

    async def keep_fresh(self, check: Mapping[str, Any]) -> None:
        """Look at one component for ever: when its result is old enough and its circuit lets a look through."""
        loop = asyncio.get_running_loop()
        while True:
            age_s = self.memory.age_s(check)
            due_s = 0.0 if age_s is None else self.config["cache_s"] - age_s
            await asyncio.sleep(max(due_s, self.memory.record(check).breaker.wait_s(self.memory.clock())))
            watch = Watch(check, consecutive=1, interval_s=1.0)
            await loop.run_in_executor(self._pool, watch.run, Deadline(self.config["retry_s"]), threading.Event())
            self.memory.learn(check, watch.to_component(), good=watch.judged.status != FAIL)
            if all(self.memory.answer(other, self._serve_s) for other in self.config["checks"]):
                self.first_looks.set()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body; only the first answer waits, until every component was looked at once."""
        self.asked_at = time.monotonic()
        checks = self.config["checks"]
        if not all(self.memory.answer(check, self._serve_s) for check in checks):
            longest_s = max(check["timeout_s"] for check in checks) + self.config["retry_s"]
            with contextlib.suppress(asyncio.TimeoutError):  # what is missing says so itself
                await asyncio.wait_for(self.first_looks.wait(), longest_s)
        components = {check["name"]: self._component(check) for check in checks}
        status, document = render(self.config["service"], components)
        oldest_s = max(found["age_s"] or 0.0 for found in components.values())
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Age": f"{oldest_s:.0f}",
            "Cache-Control": f"max-age={self.config['cache_s']:.0f}",
        }
        return status, headers, json.dumps(document).encode() + b"\n"

    def _component(self, check: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known of a component; what is too old counts as failed, since no data is never a pass."""
        known = self.memory.answer(check, self._serve_s)
        if known:
            return known
        silent = Watch(check, consecutive=1, interval_s=1.0).to_component()
        circuit = self.memory.record(check).breaker.state(self.memory.clock())
        return {**silent, "age_s": self.memory.age_s(check), "circuit": circuit}

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection: requests one after the other, until the client is done or too slow."""
        went_away = (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError)
        with contextlib.closing(writer), contextlib.suppress(*went_away):
            while await self._exchange(reader, writer):
                pass

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection is kept."""
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_S)
        except asyncio.LimitOverrunError:
            head = b""
        first, dummy, fields = head.partition(b"\r\n")
        method, target, version = (first.split(b" ") + [b""] * 3)[:3]
        headers: dict[str, str] = {}
        body = b""
        if version not in (b"HTTP/1.1", b"HTTP/1.0"):
            status = 400
        elif method not in (b"GET", b"HEAD"):
            status, headers = 405, {"Allow": "GET, HEAD"}
        elif target.partition(b"?")[0].decode("latin-1") not in PATHS:
            status = 404
        else:
            status, headers, body = await self.answer()
        keep = status in (200, 503) and version == b"HTTP/1.1" and b"connection: close" not in fields.lower()
        headers = {**headers, "Content-Length": str(len(body)), "Connection": "keep-alive" if keep else "close"}
        lines = [f"HTTP/1.1 {status} {REASONS[status]}", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if method == b"HEAD" else body))
        await asyncio.wait_for(writer.drain(), HEAD_S)
        return keep


REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


async def serve(endpoint: Endpoint, sockets: list[socket.socket], changed: Callable[[], bool]) -> None:
    """Answer on these sockets until SIGTERM, until ``changed`` or until nobody has asked for ``idle_s`` seconds."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    keepers = [asyncio.ensure_future(endpoint.keep_fresh(check)) for check in endpoint.config["checks"]]
    servers = [await asyncio.start_server(endpoint.talk, sock=sock, limit=MAX_HEAD_BYTES) for sock in sockets]
    while not stop.is_set() and not changed():
        if time.monotonic() - endpoint.asked_at > endpoint.config["idle_s"]:
            break
        broken = next((keeper for keeper in keepers if keeper.done()), None)
        if broken:
            broken.result()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), TICK_S)
    for server in servers:
        server.close()
    await asyncio.sleep(0.1)  # answers that are on their way
    endpoint.memory.save()


def inherited_sockets() -> list[socket.socket]:
    """Return the sockets that systemd listens on for this process."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        raise SystemExit("This program is started by systemd: systemctl start evenkeel-health.socket")
    count = int(os.environ["LISTEN_FDS"])
    return [socket.socket(fileno=number) for number in range(FIRST_SOCKET, FIRST_SOCKET + count)]


def stamp(path: str) -> tuple[int, int]:
    """Return what changes when a file is replaced; zeros when it is gone."""
    try:
        state = os.stat(path)
    except OSError:
        return 0, 0
    return state.st_ino, state.st_mtime_ns


def main() -> None:
    """Run with the path of the configuration as the only argument, under systemd."""
    sockets = inherited_sockets()
    paths = [sys.argv[0], sys.argv[1]]
    begun = [stamp(path) for path in paths]
    with open(sys.argv[1], encoding="utf-8") as stream:
        config = json.load(stream)
    ahead_s = time.time() - time.monotonic()  # epoch seconds that do not jump when the clock is set
    state = os.path.join(os.environ["STATE_DIRECTORY"], "state.json")
    memory = Memory(state, Limits(**config["breaker"]), clock=lambda: ahead_s + time.monotonic())

    async def run() -> None:
        await serve(Endpoint(config, memory), sockets, lambda: [stamp(path) for path in paths] != begun)

    asyncio.run(run())
    os._exit(0)  # a look that still hangs must not hold up the end
