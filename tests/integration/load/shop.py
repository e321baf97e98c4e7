# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small shop that lets nobody through who does not say what it told them before."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
import time
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit


class Seen(NamedTuple):
    """A request as the shop saw it."""

    at: float
    client: int
    method: str
    path: str
    email: str


class Shop(ThreadingHTTPServer):
    """POST /login → token and cookie; GET /items?genre= → ids; POST /orders → 303 to the order; GET there → status.

    ``patience`` is how many requests a connection may send. ``wrong`` are requests out of turn, ``seen`` are all.
    """

    daemon_threads = True
    request_queue_size = 512

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Desk)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.seen, self.wrong, self.sessions = [], [], {}
        self.patience = 10**9
        self.broken = ""
        self._numbers = itertools.count(1)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def number(self):
        return next(self._numbers)

    def paths(self, email=None):
        """Return the paths of a customer in their order, or of all."""
        return [seen.path for seen in self.seen if email in (None, seen.email)]

    def handle_error(self, request, client_address):
        """Customers may hang up."""


class Desk(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def setup(self):
        super().setup()
        self.left = self.server.patience

    def log_message(self, *_arguments):
        """Nothing is printed."""

    def answer(self, status, body=None, **headers):
        data = json.dumps(body).encode() if body is not None else b""
        if data and "gzip" in self.headers.get("Accept-Encoding", ""):
            data, headers["Content-Encoding"] = gzip.compress(data), "gzip"
        self.left -= 1
        if not self.left:
            headers["Connection"] = "close"
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(data)}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(data)

    def session(self):
        """Return the session, when cookie and token both say the same."""
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("sid")
        session = self.server.sessions.get(cookie.value if cookie else "")
        return session if session and self.headers.get("Authorization") == f"Bearer {session['token']}" else None

    def handle_request(self):
        url = urlsplit(self.path)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        session = self.session()
        email = body["email"] if url.path == "/login" else session["email"] if session else ""
        self.server.seen.append(Seen(time.monotonic(), self.client_address[1], self.command, self.path, email))
        if url.path == self.server.broken:
            self.close_connection = True
        elif url.path == "/login":
            number = self.server.number()
            session = {"email": email, "token": f"tök en/{number}", "items": []}
            self.server.sessions[str(number)] = session
            self.answer(200, {"user": {"token": session["token"], "no": number}}, Set_Cookie=f"sid={number}; Path=/")
        elif url.path == "/ping":
            self.answer(200, "pong")
        elif session is None:
            self.refuse()
        elif url.path == "/items":
            genre = parse_qs(url.query)["genre"][0]
            session["items"] = [f"{genre}&{self.server.number()}" for _turn in range(2)]
            self.answer(200, {"items": [{"id": item} for item in session["items"]]}, X_Genre=genre.encode().hex())
        elif url.path == "/orders" and body["item"] in session["items"] and body["no"] in self.server.sessions:
            self.answer(303, Location=f"{self.server.url}/orders/{self.server.number()}")
        elif url.path.startswith("/orders/") and unquote(url.path.rpartition("/")[2]).isdigit():
            self.answer(200, {"status": "open", "items": []})
        else:
            self.refuse()

    do_GET = do_POST = handle_request

    def refuse(self):
        self.server.wrong.append((self.command, self.path, dict(self.headers)))
        self.answer(403, "out of turn")
