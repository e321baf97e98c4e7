# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that misbehave, and a probe that is killed: the right class, no hang, no process left behind."""

from __future__ import annotations

import json
import os
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
    (answering(b"\x00\xff garbage"), "protocol"),
    (answering(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), "protocol"),
    (answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000), "protocol"),
    (answering(OK + OK), "protocol"),
    (answering(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"), "status"),
], ids=["closes-at-once", "closes-before", "closes-in-the-middle", "resets", "never-answers", "stops", "garbage",
        "bad-length", "endless-head", "more-than-asked", "500"])
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


def test_plain_http_behind_https(misbehaving):
    port = misbehaving(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")).port
    result = probe(target=f"https://127.0.0.1:{port}", vus=1, duration_s=0.2, timeout_s=0.5)
    assert set(result["samples"]["errors"]) <= {"tls", "timeout", "reset"}
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
