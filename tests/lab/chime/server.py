# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small real HTTP service that comes as an archive: it answers with its release, its slot and a greeting.

The file ``release.json`` beside it says which release this is and what is wrong with it: ``crash`` ends it at once,
``errors`` fails one request in five, ``abrupt`` ends it on SIGTERM without waiting for what it has.
"""

from __future__ import annotations

import http.server
import itertools
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

RELEASE = json.loads((Path(__file__).parent / "release.json").read_text())
FAULT = RELEASE["fault"]
TEXT = json.dumps({"release": RELEASE["name"], "slot": os.environ["EVENKEEL_SLOT"],
                   "greeting": os.environ.get("GREETING", "")}).encode()
numbers = itertools.count(1)
answering: set[Any] = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        answering.add(self)
        try:
            self.answer()
        finally:
            answering.discard(self)

    def answer(self) -> None:
        failed = self.path != "/health" and FAULT == "errors" and next(numbers) % 5 == 0
        self.send_response(500 if failed else 200)
        self.send_header("X-Release", RELEASE["name"])
        self.send_header("Content-Length", str(len(TEXT)))
        self.end_headers()
        self.wfile.write(TEXT)

    def log_message(self, *_: Any) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, *_: Any) -> None:
        """Whoever does not wait for an answer is not worth a line."""


def end(*_: Any) -> None:
    server.shutdown()
    while answering:
        time.sleep(0.01)
    os._exit(0)


if FAULT == "crash":
    sys.exit("this release cannot start")
server = Server(("0.0.0.0", int(os.environ["PORT"])), Handler)
if FAULT != "abrupt":
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=end).start())
server.serve_forever(0.05)
while True:  # until the last answer is given
    time.sleep(60)
