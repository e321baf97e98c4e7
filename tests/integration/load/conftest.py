# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers to probe: nginx, and small ones that misbehave."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import nginx

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def web():
    """nginx with an access log: its URL, and a function that returns the request lines that it has logged."""
    locations = """
        location / { default_type application/json; return 200 '{"page": "$uri"}'; }
        location /missing { return 404 'no such page'; }
        location /short { keepalive_requests 3; default_type text/plain; return 200 'ok'; }
    """
    with nginx(locations, access_log=True) as (port, directory):
        def requests():
            time.sleep(0.2)
            *whole, dummy = (directory / "access.log").read_text().split("\n")  # what comes last may be half of a line
            return [line.split('"')[1] for line in whole]

        yield f"http://127.0.0.1:{port}", requests


class Misbehaving:
    """A server whose connections are handled by a function; it counts them."""

    def __init__(self, handle, context=None):
        self.connections = 0
        self._handle = handle
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with (contextlib.suppress(OSError),
              self._context.wrap_socket(connection, server_side=True) if self._context else connection as ready):
            self._handle(ready)

    def close(self):
        self._listener.close()


@pytest.fixture
def misbehaving():
    """Start servers with a function per connection, and TLS when a context is given."""
    servers = []

    def start(handle, context=None):
        servers.append(Misbehaving(handle, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def read_request(connection):
    """Read a request without content; return it, or nothing at the end."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    return data


def answering(data, pause_s=0.0):
    """Return a handler that answers every request with the same bytes."""
    def handle(connection):
        while read_request(connection):
            if pause_s:
                time.sleep(pause_s)
            connection.sendall(data)

    return handle


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Return a function that makes a certificate: a server's context and the path of the file."""
    def make(expired=False, name="IP:127.0.0.1"):
        directory = tmp_path_factory.mktemp("tls")
        (directory / "name.cnf").write_text(f"[v3]\nsubjectAltName = {name}\n")
        (directory / "ca.cnf").write_text("[ca]\ndefault_ca = own\n[own]\ndatabase = index\nnew_certs_dir = .\n"
                                          "serial = serial\npolicy = any\n[any]\ncommonName = supplied\n")
        (directory / "index").touch()
        (directory / "serial").write_text("01\n")
        days = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"] if expired else ["-days", "30"]
        for command in (
            ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "request.pem",
             "-subj", "/CN=127.0.0.1"],
            ["openssl", "ca", "-batch", "-selfsign", "-notext", "-md", "sha256", "-config", "ca.cnf",
             "-in", "request.pem", "-keyfile", "key.pem", "-out", "cert.pem", "-extfile", "name.cnf",
             "-extensions", "v3", *days],
        ):
            subprocess.run(command, cwd=directory, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
        return context, str(directory / "cert.pem")

    return make
