# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that hang, drip, answer garbage or go away: a finding in time, whatever they do."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECK
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.runner import observe

BLANK = {name: spec.get("default") for name, spec in CHECK.items()}
CHECKS = {
    "http": {"type": "http", "url": "http://127.0.0.1:{port}/"},
    "https": {"type": "http", "url": "https://127.0.0.1:{port}/"},
    "kubernetes": {"type": "kubernetes", "url": "http://127.0.0.1:{port}", "workload": "deployment/shop"},
    "postgres": {"type": "postgres", "user": "shop", "password": "correct horse"},
    "redis": {"type": "redis", "password": "correct horse"},
}
LIMIT_S = 0.5


def silent(peer, stop):
    stop.wait()


def closes(peer, stop):
    peer.recv(4096)


def resets(peer, stop):
    peer.recv(4096)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def garbage(peer, stop):
    rng = random.Random(7)
    peer.recv(4096)
    for dummy in range(50):
        peer.sendall(rng.randbytes(4096))


def drips(peer, stop):
    """A valid beginning in every protocol that has one, a byte at a time, for ever."""
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X" * 1_000_000:
        if stop.wait(0.05):
            return
        peer.sendall(bytes([byte]))


def slow_redis(peer, stop):
    """Answer each command in good time, but all of them together too late."""
    for reply in (b"+OK\r\n", b"+PONG\r\n"):
        peer.recv(4096)
        stop.wait(LIMIT_S * 0.7)
        peer.sendall(reply)


def endless(peer, stop):
    peer.recv(4096)
    peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not stop.is_set():
        peer.sendall(b"y" * 65536)


@contextlib.contextmanager
def server(behaviour):
    """Serve every connection that way; yield the port."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(peer):
        with peer, contextlib.suppress(OSError):
            behaviour(peer, stop)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize("behaviour", [silent, closes, resets, garbage, drips])
@pytest.mark.parametrize("kind", CHECKS)
def test_a_finding_in_time_with_what_was_found_and_a_remedy(kind, behaviour):
    with server(behaviour) as port:
        check = {**BLANK, "name": "it", "port": port, "timeout_s": LIMIT_S, **CHECKS[kind]}
        check["url"] = (check["url"] or "").format(port=port)
        started = time.monotonic()
        found = observe([check])["it"]
        took_s = time.monotonic() - started
    assert found["status"] == "fail"
    assert found["output"]
    assert found["remedy"]
    assert took_s < LIMIT_S + 0.5
    assert "correct horse" not in str(found)


def test_the_limit_is_that_of_the_whole_look():
    with server(slow_redis) as port:
        check = {**BLANK, "name": "it", "port": port, "timeout_s": LIMIT_S, **CHECKS["redis"]}
        found = observe([check])["it"]
        assert "no answer from" in found["output"]
        assert observe([{**check, "timeout_s": LIMIT_S * 2}])["it"]["status"] == "pass"


def test_an_endless_body_is_cut_off():
    with server(endless) as port:
        check = {**BLANK, "name": "it", "type": "http", "url": f"http://127.0.0.1:{port}/", "contains": "no"}
        found = observe([check])["it"]
    assert found["status"] == "fail"
    assert len(found["output"]) < 400


def test_a_name_that_does_not_exist_is_not_waited_for():
    check = {**BLANK, "name": "it", "type": "tcp", "host": "host.invalid", "port": 80}
    found = observe([check], deadline_s=30)["it"]
    assert "name in host.invalid:80" in found["output"]
    assert (found["status"], found["attempts"]) == ("fail", 1)
