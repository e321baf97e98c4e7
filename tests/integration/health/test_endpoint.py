# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoint's program under systemd's socket activation, in front of servers that fail."""

from __future__ import annotations

import http.client
import json
import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.install import program
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECK

from .servers import Postgres, Redis, Server, directory, eventually, free_port

BLANK = {name: spec.get("default") for name, spec in CHECK.items()}
CACHE_S, STALE_S = 1.0, 3.0


class Endpoint(Server):
    """The program with short times, and what a load balancer asks it."""

    def __init__(self, path, checks, **changes):
        (path / "health.pyz").write_bytes(program())
        self.path, self.config = path, path / "health.json"
        self.write(checks, **changes)
        self.port = free_port()
        environment = f"--setenv=STATE_DIRECTORY={path}"
        program_line = ["/usr/bin/python3", "-I", "-B", str(path / "health.pyz"), str(self.config)]
        self.command = ["systemd-socket-activate", f"--listen=127.0.0.1:{self.port}", environment, *program_line]
        self.start()

    def start(self):
        with (self.path / "stderr").open("ab") as errors:
            self.process = subprocess.Popen(self.command, stderr=errors, start_new_session=True)
        eventually(lambda: f"0100007F:{self.port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text())

    def write(self, checks, **changes):
        config = {
            "checks": [{**BLANK, "name": name, "timeout_s": 0.5, **check} for name, check in checks.items()],
            "service": "shop", "cache_s": CACHE_S, "stale_s": STALE_S, "retry_s": 0.3, "idle_s": 300.0,
            "breaker": {"open_s": 0.5, "open_max_s": 1.0}, **changes,
        }  # fmt: skip
        temporary = self.path / "new.json"
        temporary.write_text(json.dumps(config))
        temporary.rename(self.config)

    def ask(self, method="GET", path="/health"):
        """Return status, document and the seconds that it took."""
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if body:
            assert answer.headers["Content-Type"] == "application/health+json"
        return answer.status, json.loads(body) if body else answer, time.monotonic() - started

    def raw(self, data):
        """Send bytes, return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            received = b""
            while more := sock.recv(65536):
                received += more
        return received

    def stop(self):
        self.process.terminate()
        self.process.wait(5)


@pytest.fixture(scope="module")
def database():
    with directory("postgres") as path:
        server = Postgres(path)
        yield server
        server.stop()


@pytest.fixture
def start():
    """Return a function that starts an endpoint for these checks."""
    with directory() as path:
        started = []

        def begin(checks, **changes):
            started.append(Endpoint(path, checks, **changes))
            return started[-1]

        yield begin
        for endpoint in started:
            endpoint.stop()
            assert (path / "stderr").read_text().count("Traceback") == 0


def test_the_first_answer_is_complete_and_later_ones_come_from_memory(start, database):
    endpoint = start({"database": database.check})
    status, document, dummy = endpoint.ask()
    assert (status, document["status"]) == (200, "pass")
    first = document["checks"]["database:responseTime"][0]["time"]
    times, slowest_s = set(), 0.0
    began = time.monotonic()
    while time.monotonic() - began < 2.5:
        status, document, took_s = endpoint.ask()
        assert status == 200
        times.add(document["checks"]["database:responseTime"][0]["time"])
        slowest_s = max(slowest_s, took_s)
    assert first in times
    assert len(times) <= 4  # one look per second, however often it is asked
    assert slowest_s < 0.5


@pytest.mark.parametrize("critical", [True, False])
def test_a_database_that_freezes_is_served_from_memory_and_then_fails_or_warns(start, database, critical):
    endpoint = start({"database": {**database.check, "critical": critical}})
    assert endpoint.ask()[0] == 200
    with database.frozen():
        frozen_at = time.monotonic()
        while True:
            status, document, took_s = endpoint.ask()
            assert took_s < 0.5
            if document["status"] != "pass":
                break
            assert time.monotonic() - frozen_at < CACHE_S + STALE_S
        assert time.monotonic() - frozen_at > 0.5, "the look itself takes that long"
        assert (status, document["status"]) == ((503, "fail") if critical else (200, "warn"))
        assert "no answer from 127.0.0.1" in document["output"]
    eventually(lambda: endpoint.ask()[1]["status"] == "pass")


def test_a_circuit_that_is_open_survives_the_program(start, database):
    with directory() as path:
        cache = Redis(path)
        breaker = {"failures": 2, "open_s": 4.0, "open_max_s": 8.0}
        endpoint = start({"cache": cache.check, "database": database.check}, breaker=breaker)
        assert endpoint.ask()[0] == 200
        cache.stop()

        def circuit():
            return endpoint.ask()[1]["checks"]["cache:responseTime"][0]

        eventually(lambda: circuit()["circuit"] == "open")
        endpoint.stop()
        again = json.loads((endpoint.path / "state.json").read_text())["cache"]["breaker"]
        assert again["opened_at"]
        endpoint.start()
        assert circuit()["circuit"] in ("open", "half-open")
        cache.start()
        try:
            eventually(lambda: circuit()["status"] == "pass", deadline_s=12)
        finally:
            cache.stop()


def test_new_checks_end_the_program_so_that_systemd_starts_it_anew(start, database):
    endpoint = start({"database": database.check})
    endpoint.ask()
    endpoint.write({"database": database.check, "more": database.check})
    assert endpoint.process.wait(5) == 0


def test_it_ends_when_nobody_asks_any_more(start, database):
    endpoint = start({"database": database.check}, idle_s=1.5)
    endpoint.ask()
    assert endpoint.process.wait(6) == 0
    assert json.loads((endpoint.path / "state.json").read_text())["database"]["component"]["status"] == "pass"


def test_other_requests_are_refused_plainly(start, database):
    endpoint = start({"database": database.check})
    assert endpoint.ask(path="/")[0] == 200
    assert endpoint.ask(path="/other")[0] == 404
    assert endpoint.ask(method="POST")[0] == 405
    assert endpoint.raw(b"HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")
    assert endpoint.raw(b"GET /health?a=b HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")
    two = endpoint.raw(b"GET / HTTP/1.1\r\n\r\n" * 2)
    assert two.count(b"HTTP/1.1 200 OK\r\n") == 2


def test_garbage_and_silence_harm_nobody_else(start, database):
    endpoint = start({"database": database.check})
    endpoint.ask()
    rng = random.Random(20261121)
    for dummy in range(200):
        data = rng.randbytes(rng.randrange(1, 300)) + b"\r\n\r\n"
        answer = endpoint.raw(data)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    answer = endpoint.raw(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    silent = [socket.create_connection(("127.0.0.1", endpoint.port)) for dummy in range(200)]
    try:
        status, dummy, took_s = endpoint.ask()
        assert (status, took_s < 0.5) == (200, True)
    finally:
        for sock in silent:
            sock.close()


def test_many_load_balancers_at_once(start, database):
    endpoint = start({"database": database.check})
    endpoint.ask()
    seen = []

    def client():
        seen.extend(endpoint.ask()[0] for dummy in range(50))

    threads = [threading.Thread(target=client) for dummy in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [200] * 400


def test_a_look_that_hangs_does_not_hold_up_the_end(start, database):
    endpoint = start({"database": {**database.check, "timeout_s": 20.0}})
    endpoint.ask()
    with database.frozen():
        time.sleep(CACHE_S + 0.5)
        endpoint.process.send_signal(signal.SIGTERM)
        assert endpoint.process.wait(3) == 0
