# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole probes of a server, in the clear and with TLS: the engine's sockets on every Python that targets may have."""

from __future__ import annotations

import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.probe import probe

JOURNEY = [{"name": "visit", "steps": [
    {"name": "enter", "path": "/", "capture": {"ticket": {"header": "X-Ticket"}}},
    {"name": "show", "path": "/${ticket}"}]}]


class Server(ThreadingHTTPServer):
    """Hands out a ticket with each answer; ``seen`` are the paths of all requests."""

    daemon_threads = True

    def __init__(self, context):
        super().__init__(("127.0.0.1", 0), Desk)
        self.seen = []
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.server_port}"
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def handle_error(self, request, client_address):
        """Whoever does not trust the certificate hangs up."""


class Desk(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append(self.path)
        self.send_response(200)
        self.send_header("X-Ticket", "ticket")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):
        """Say nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The paths of a certificate and its key."""
    directory = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", "key.pem",
                    "-out", "cert.pem", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                   cwd=directory, check=True, capture_output=True)
    return str(directory / "cert.pem"), str(directory / "key.pem")


@pytest.fixture(params=["http", "https"])
def server(request, certificate):
    context = None
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    one = Server(context)
    yield one
    one.shutdown()
    one.server_close()


def probed(server, certificate, **options):
    trusted = {"ca_path": certificate[0]} if server.url.startswith("https") else {}
    return probe(target=server.url, **{"duration_s": 0.3, **trusted, **options})


@pytest.mark.parametrize("reuse", [True, False])
def test_the_closed_model(server, certificate, reuse):
    result = probed(server, certificate, vus=3, reuse=reuse)
    assert result["samples"]["errors"] == {}
    assert result["metrics"]["requests"] == len(server.seen) > 0


def test_the_open_model(server, certificate):
    result = probed(server, certificate, executor="constant_arrival_rate", rate_rps=50, vus=3)
    assert result["samples"]["errors"] == {}
    assert result["metrics"]["requests"] == len(server.seen) == 15


def test_a_journey(server, certificate):
    result = probed(server, certificate, vus=2, iterations=20, duration_s=20, scenarios=JOURNEY)
    assert result["samples"]["errors"] == {}
    assert {name: metrics["requests"] for name, metrics in result["steps"].items()} == {
        "visit/enter": 20, "visit/show": 20}
    assert (server.seen.count("/"), server.seen.count("/ticket")) == (20, 20)


@pytest.mark.parametrize("server", ["https"], indirect=True)
def test_a_certificate_that_nobody_vouches_for(server):
    result = probe(target=server.url, vus=1, duration_s=0.2)
    assert list(result["samples"]["errors"]) == ["tls"]
    assert server.seen == []
