# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that misbehave, and a probe that is killed: the right class, no hang, no process left behind."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.probe import probe
from benchmarks.common import free_port

from .conftest import OK, answering, read_request

COLLECTIONS = Path(__file__).parents[3] / ".cache" / "collections"


def closes_at_once(connection):
    pass


def closes_before_the_answer(connection):
    read_request(connection)


def closes_in_the_middle(connection):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal")


def resets_in_the_middle(connection):
    closes_in_the_middle(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def never_answers(connection):
    while connection.recv(65536):
        pass


def stops_in_the_middle(connection):
    closes_in_the_middle(connection)
    never_answers(connection)


def closes_its_half(connection):
    read_request(connection)
    connection.shutdown(socket.SHUT_WR)
    never_answers(connection)


def dribbles(connection):
    """Send an answer a byte at a time, slower than anyone waits."""
    read_request(connection)
    for number in OK:
        connection.sendall(bytes([number]))
        time.sleep(0.05)


def endless(piece, begin=b"HTTP/1.1 200 OK\r\n"):
    """Return a handler that answers as fast as it can and never ends."""
    def handle(connection):
        read_request(connection)
        connection.sendall(begin)
        while True:
            connection.sendall(piece * 500)

    return handle


def garbage(connection):
    connection.recv(65536)
    connection.sendall(b"\x00\xff\x00garbage" * 20)
    never_answers(connection)


def endless_zeros(connection):
    connection.recv(65536)
    while True:
        connection.sendall(bytes(65536))


def speaks_first(connection):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    never_answers(connection)


@pytest.mark.parametrize(("handle", "error"), [
    (closes_at_once, "reset"),
    (closes_before_the_answer, "reset"),
    (closes_in_the_middle, "reset"),
    (resets_in_the_middle, "reset"),
    (never_answers, "timeout"),
    (stops_in_the_middle, "timeout"),
    (closes_its_half, "reset"),
    (dribbles, "timeout"),
    (endless(b"X-Header: again and again\r\n"), "protocol"),
    (endless(b"HTTP/1.1 100 Continue\r\n\r\n", b""), "timeout"),
    (endless(b"100\r\n" + b"x" * 256 + b"\r\n", OK[:17] + b"Transfer-Encoding: chunked\r\n\r\n"), "timeout"),
    (endless(b"no end", b"HTTP/1.1 200 OK\r\n\r\n"), "timeout"),
    (answering(b"\x00\xff garbage"), "protocol"),
    (answering(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), "protocol"),
    (answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000), "protocol"),
    (answering(OK + OK), "protocol"),
    (answering(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"), "status"),
], ids=["closes-at-once", "closes-before", "closes-in-the-middle", "resets", "never-answers", "stops", "half-open",
        "slow-loris", "endless-headers", "endless-interim", "endless-chunks", "endless-content", "garbage",
        "bad-length", "long-header", "more-than-asked", "500"])
@pytest.mark.parametrize("model", [{}, {"executor": "constant_arrival_rate", "rate_rps": 40}], ids=["closed", "open"])
def test_faults_are_counted_in_their_class(misbehaving, handle, error, model):
    started = time.monotonic()
    result = probe(target=misbehaving(handle).url, vus=3, duration_s=0.5, timeout_s=0.4, **model)
    assert time.monotonic() - started < 4
    assert list(result["samples"]["errors"]) == [error]
    assert result["metrics"]["errors"] == result["metrics"]["requests"] > 0
    assert result["verdict"] == "fail"
    if model:
        assert result["metrics"]["requests"] == 20


def test_time_outs_have_their_full_latency(misbehaving):
    result = probe(target=misbehaving(never_answers).url, vus=3, duration_s=0.2, timeout_s=0.5)
    assert (result["metrics"]["requests"], result["samples"]["errors"]) == (3, {"timeout": 3})
    assert 500 <= result["metrics"]["min_ms"] <= result["metrics"]["max_ms"] < 800


def test_the_deadline_ends_everything(misbehaving):
    result = probe(target=misbehaving(never_answers).url, vus=3, duration_s=0.3, timeout_s=60, deadline_s=0.6)
    assert result["duration_s"] < 2
    assert (result["samples"]["errors"], result["samples"]["stopped"]) == ({"timeout": 3}, "deadline")


def test_a_banner_before_the_request_is_no_answer(misbehaving):
    result = probe(target=misbehaving(speaks_first).url, vus=2, duration_s=0.3, timeout_s=0.5)
    assert set(result["samples"]["errors"]) <= {"protocol", "reset"}
    assert result["metrics"]["errors"] == result["metrics"]["requests"] > 0


@pytest.mark.parametrize("model", [{}, {"executor": "constant_arrival_rate", "rate_rps": 100}], ids=["closed", "open"])
def test_nobody_listens(model):
    result = probe(target=f"http://127.0.0.1:{free_port()}", vus=5, duration_s=0.5, **model)
    assert list(result["samples"]["errors"]) == ["refused"]
    assert result["metrics"]["p50_ms"] is None
    assert result["metrics"]["requests"] <= 50
    assert result["verdict"] == "fail"


def test_a_server_that_never_accepts():
    """The kernel completes the handshakes of some connections; nobody ever answers any of them."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        started = time.monotonic()
        result = probe(target=f"http://127.0.0.1:{listener.getsockname()[1]}", vus=6, duration_s=0.3, timeout_s=0.5)
        assert time.monotonic() - started < 4
    assert list(result["samples"]["errors"]) == ["timeout"]
    assert result["verdict"] == "fail"


def test_content_without_an_end_is_not_kept(misbehaving):
    """A check needs the content; a server that never ends must not fill the memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    server = misbehaving(endless(b"x" * 10_000, b"HTTP/1.1 200 OK\r\n\r\n"))
    result = probe(target=server.url, vus=1, duration_s=0.2, timeout_s=5, scenarios=[
        {"name": "s", "requests": [{"path": "/", "checks": {"contains": "never there"}}]}])
    assert list(result["samples"]["errors"]) == ["protocol"]
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 400


def test_plain_http_behind_https(misbehaving):
    port = misbehaving(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")).port
    result = probe(target=f"https://127.0.0.1:{port}", vus=1, duration_s=0.2, timeout_s=0.5)
    assert set(result["samples"]["errors"]) <= {"tls", "timeout", "reset"}
    assert result["verdict"] == "fail"


@pytest.mark.parametrize(("handle", "error"), [
    (closes_at_once, {"tls", "reset"}), (never_answers, {"timeout"}), (speaks_first, {"tls"}),
], ids=["closes", "never-answers", "speaks-ssh"])
def test_no_handshake(misbehaving, handle, error):
    started = time.monotonic()
    result = probe(target=misbehaving(handle).url.replace("http:", "https:"), vus=2, duration_s=0.3, timeout_s=0.5)
    assert time.monotonic() - started < 4
    assert set(result["samples"]["errors"]) <= error
    assert result["metrics"]["errors"] == result["metrics"]["requests"] > 0


@pytest.mark.parametrize(("options", "detail"), [
    ({"expired": True}, "expired"), ({"name": "DNS:shop.example.org"}, "127.0.0.1"),
], ids=["expired", "wrong-name"])
def test_certificates_that_are_wrong(misbehaving, certificate, options, detail):
    context, authority = certificate(**options)
    result = probe(target=misbehaving(answering(OK), context).url, vus=2, duration_s=0.3, ca_path=authority)
    assert list(result["samples"]["errors"]) == ["tls"]
    assert detail in result["samples"]["error_examples"][0]["detail"]


def test_a_tls_server_that_closes_in_the_middle(misbehaving, certificate):
    context, authority = certificate()
    result = probe(target=misbehaving(closes_in_the_middle, context).url, vus=2, duration_s=0.3, ca_path=authority)
    assert list(result["samples"]["errors"]) == ["reset"]


PROTOCOLS = {
    "redis": {"command": ["GET", "a"]},
    "ws": {"text": "hello"},
    "pg": {"query": "SELECT 1"},
}


@pytest.mark.parametrize(("handle", "errors"), [
    (closes_at_once, {"reset"}),
    (never_answers, {"timeout"}),
    (garbage, {"protocol"}),
    (endless_zeros, {"protocol", "timeout"}),
], ids=["closes", "never-answers", "garbage", "endless"])
@pytest.mark.parametrize("scheme", PROTOCOLS)
def test_faults_of_other_protocols(misbehaving, scheme, handle, errors):
    port = misbehaving(handle).port
    user = "app@" if scheme == "pg" else ""
    started = time.monotonic()
    result = probe(target=f"{scheme}://{user}127.0.0.1:{port}", vus=2, duration_s=0.3, timeout_s=0.5,
                   scenarios=[{"name": "s", "requests": [PROTOCOLS[scheme]]}])
    assert time.monotonic() - started < 4
    assert set(result["samples"]["errors"]) <= errors
    assert result["metrics"]["errors"] == result["metrics"]["requests"] > 0
    assert result["verdict"] == "fail"


def start_probe(url, **options):
    """Run a probe in a process of its own; its result comes on standard output."""
    code = ("import json, sys; from ansible_collections.evenkeel.fleet.plugins.module_utils._load.probe import probe;"
            "print(json.dumps(probe(**json.loads(sys.argv[1]))))")
    return subprocess.Popen([sys.executable, "-c", code, json.dumps({"target": url, **options})],
                            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
                            start_new_session=True)


def members(session):
    """Return the living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, number = path.read_text().rsplit(")", 1)[1].split()[:4]
        except OSError:
            continue
        if int(number) == session and state != "Z":
            found.append(int(path.parent.name))
    return found


def wait_until(condition, deadline_s=5.0):
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_gives_a_partial_result_that_says_so(web, number, processes):
    url, logged = web
    running = start_probe(url, vus=4, duration_s=60, processes=processes)
    wait_until(logged)
    os.kill(running.pid, number)
    result = json.loads(running.communicate(timeout=10)[0])
    assert (result["verdict"], result["samples"]["stopped"]) == ("inconclusive", number.name)
    assert result["metrics"]["requests"] > 0
    assert members(running.pid) == []


def test_ctrl_c_reaches_all_processes_at_once(web):
    url, logged = web
    running = start_probe(url, vus=4, duration_s=60, processes=2)
    wait_until(logged)
    os.killpg(running.pid, signal.SIGINT)
    result = json.loads(running.communicate(timeout=10)[0])
    assert (result["verdict"], result["samples"]["stopped"]) == ("inconclusive", "SIGINT")
    assert result["metrics"]["requests"] > 0
    assert members(running.pid) == []


def test_a_signal_while_connections_open():
    """Nothing is answered, so there is nothing to judge: inconclusive, and at once."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        running = start_probe(f"http://127.0.0.1:{listener.getsockname()[1]}", vus=50, duration_s=60, timeout_s=60)
        wait_until(lambda: members(running.pid))
        time.sleep(1)
        os.kill(running.pid, signal.SIGTERM)
        result = json.loads(running.communicate(timeout=10)[0])
    assert (result["verdict"], result["samples"]["stopped"]) == ("inconclusive", "SIGTERM")


def test_a_process_that_is_killed_is_an_error_and_takes_the_others_along(web):
    url, logged = web
    running = start_probe(url, vus=4, duration_s=60, processes=2)
    wait_until(logged)
    os.kill(max(members(running.pid)), signal.SIGKILL)
    output, _ = running.communicate(timeout=15)
    assert running.returncode != 0
    assert output == b""
    assert members(running.pid) == []


def test_a_kill_leaves_no_process_behind(web):
    url, logged = web
    with start_probe(url, vus=4, duration_s=60, processes=2) as running:
        wait_until(logged)
        assert len(members(running.pid)) == 3
        running.kill()
        wait_until(lambda: members(running.pid) == [])


def test_it_stops_when_nobody_waits_for_the_result(web):
    url, logged = web
    with start_probe(url, vus=4, duration_s=60, watched=[1]) as running:
        wait_until(logged)
        running.stdout.close()
        wait_until(lambda: members(running.pid) == [])
