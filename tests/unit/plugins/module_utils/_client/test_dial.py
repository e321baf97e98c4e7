# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import threading

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._client.dial import DialError, TlsOptions, dial


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def answer(listener, data):
    """Accept one connection, send some bytes and close."""

    def serve():
        peer, dummy = listener.accept()
        with peer:
            peer.recv(1024)
            peer.sendall(data)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_dials_tcp_and_unix(server, tmp_path):
    with dial(*server.getsockname()) as sock:
        assert sock.getpeername() == server.getsockname()
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with dial(unix_socket=path) as sock:
            assert sock.getpeername() == path


def test_refused():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(DialError, match=f"127.0.0.1:{port} refused") as caught:
        dial("127.0.0.1", port)
    assert caught.value.kind == "refused"


def test_missing_socket_and_unknown_name(tmp_path):
    with pytest.raises(DialError) as caught:
        dial(unix_socket=str(tmp_path / "none"))
    assert caught.value.kind == "missing"
    with pytest.raises(DialError, match="does not resolve") as caught:
        dial("host.invalid", 80)
    assert caught.value.kind == "name"


def test_a_server_that_never_finishes_the_handshake_is_a_time_out(server):
    with pytest.raises(DialError) as caught:
        dial(*server.getsockname(), timeout_s=0.1, tls=TlsOptions())
    assert caught.value.kind == "timeout"


def test_a_server_without_tls_is_told_apart(server):
    thread = answer(server, b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(DialError, match="no TLS with") as caught:
        dial(*server.getsockname(), tls=TlsOptions())
    thread.join()
    assert caught.value.kind == "tls"


def test_an_authority_file_that_is_none_is_named(server, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("nonsense")
    with pytest.raises(DialError, match=r"ca\.pem") as caught:
        dial(*server.getsockname(), tls=TlsOptions(ca_file=str(path)))
    assert caught.value.kind == "tls"
