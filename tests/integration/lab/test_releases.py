# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every release of the reference app behaves as its name says, run from its image against the lab's db1 and cache1."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import pytest

PORT = 8000
START_S = 60
OUTAGE_S = 20
GATEWAY = "172.30.77.1"


@dataclass(frozen=True)
class Answer:
    """An HTTP response that was read to its end."""

    status: int
    headers: dict[str, str]
    body: Any
    seconds: float


@dataclass(frozen=True)
class Release:
    """A running container of a release."""

    container: str
    address: str

    def ask(self, path: str, method: str = "GET", body: object = None, **headers: str) -> Answer:
        """Send one request on a connection of its own."""
        begin = time.monotonic()
        with closing(http.client.HTTPConnection(self.address, PORT, timeout=20)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
            found = {name.lower(): value for name, value in response.getheaders()}
            is_json = found.get("content-type") == "application/json"
            return Answer(response.status, found, json.loads(text) if is_json else text, time.monotonic() - begin)

    def resident_kb(self) -> int:
        """Memory of the process, in KiB."""
        status = subprocess.check_output(["docker", "exec", self.container, "cat", "/proc/1/status"], text=True)
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])

    def stop(self) -> None:
        """Ask the process to end, as a rollout does."""
        subprocess.run(["docker", "kill", "--signal", "TERM", self.container], check=True, stdout=subprocess.DEVNULL)

    def exit_code(self) -> int:
        """Wait until the process has ended."""
        return int(subprocess.check_output(["docker", "wait", self.container], text=True))


@pytest.fixture(scope="module")
def environment(lab) -> dict[str, str]:
    """What a release needs to find the lab's database and cache."""
    return {
        "DATABASE_URL": f"postgresql://pitch:{lab.postgres_password}@db1:5432/pitch",
        "REDIS_URL": f"redis://:{lab.redis_password}@cache1:6379/0",
    }


@contextmanager
def running(release: str, environment: dict[str, str]) -> Iterator[Release]:
    """A started container of the release; not necessarily one that answers."""
    options = [option for name in environment for option in ("--env", name)]
    container = subprocess.check_output(
        ["docker", "run", "--detach", "--network", "evenkeel-lab", *options, f"127.0.0.1:5077/pitch:{release}"],
        env={**os.environ, **environment},
        text=True,
    ).strip()
    try:
        template = '{{(index .NetworkSettings.Networks "evenkeel-lab").IPAddress}}'
        address = subprocess.check_output(["docker", "inspect", "--format", template, container], text=True).strip()
        yield Release(container, address)
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", container], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def forwarding(port: int, target: tuple[str, int]) -> Iterator[int]:
    """Pass connections to a port (0 for any, yields it) on to the target; at the end cut and refuse them."""
    ends: list[socket.socket] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        sink.close()

    def accept() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                client, _address = listener.accept()
                server = socket.create_connection(target)
                ends.extend([client, server])
                for pair in ((client, server), (server, client)):
                    Thread(target=pump, args=pair, daemon=True).start()

    over = Event()
    listener = socket.create_server((GATEWAY, port))
    listener.settimeout(0.1)
    thread = Thread(target=accept)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        thread.join()
        listener.close()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def wait_until_healthy(release: Release, expected: int = 200) -> Answer:
    """Poll /health until it answers with the expected status."""
    deadline = time.monotonic() + START_S
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = answer = release.ask("/health")
            if answer.status == expected:
                return answer
        except OSError as error:
            last = error
        time.sleep(0.1)
    logs = subprocess.run(["docker", "logs", release.container], text=True, capture_output=True)
    pytest.fail(f"/health did not answer {expected} within {START_S} s; last: {last!r}; log: {logs.stderr[-1000:]}")


@pytest.fixture(scope="module")
def start(environment: dict[str, str]) -> Iterator[Callable[[str], Release]]:
    """Start a healthy release; one of each serves all tests of this file."""
    with ExitStack() as stack:
        started: dict[str, Release] = {}

        def get(name: str) -> Release:
            if name not in started:
                started[name] = stack.enter_context(running(name, environment))
                wait_until_healthy(started[name])
            return started[name]

        yield get


def statuses(release: Release, requests: int) -> list[int]:
    """The answers to cheap requests below /api/, one after the other."""
    return [release.ask("/api/auth").status for _ in range(requests)]


def token(user: int) -> str:
    """The seeded session of a user."""
    return hashlib.md5(f"session-{user}".encode()).hexdigest()


@pytest.mark.parametrize("release", ["v1", "v2", "v1-abrupt", "bad-errors", "bad-late", "bad-slow", "bad-browse"])
def test_health_passes_and_names_the_release(start, release: str) -> None:
    answer = start(release).ask("/health")
    assert (answer.status, answer.body) == (200, {"status": "pass", "release": release})


@pytest.mark.parametrize(
    ("path", "status"), [("/health", 200), ("/api/browse", 200), ("/api/auth", 401), ("/api/search", 400), ("/x", 404)]
)
def test_every_answer_names_the_release(start, path: str, status: int) -> None:
    answer = start("v1").ask(path)
    assert (answer.status, answer.headers["x-release"]) == (status, "v1")


def test_session_by_token(start) -> None:
    answer = start("v1").ask("/api/auth", Authorization=f"Bearer {token(42)}")
    assert (answer.status, answer.body["user"]["id"]) == (200, 42)


def test_login_by_email_opens_a_session(start) -> None:
    app = start("v1")
    login = app.ask("/api/auth", "POST", {"email": "USER77@example.org"})
    assert login.body["user"]["id"] == 77
    assert app.ask("/api/auth", Authorization=f"Bearer {login.body['token']}").body["user"]["id"] == 77


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/auth", {"email": "nobody@example.org"}, 401),
        ("POST", "/api/auth", {"mail": "user1@example.org"}, 400),
        ("POST", "/api/auth", ["user1@example.org"], 400),
        ("GET", "/api/search?q=ab", None, 400),
        ("GET", "/api/search?q=%25%25%25", None, 200),
        ("GET", "/api/dashboard?user=me", None, 400),
        ("GET", "/api/dashboard", None, 400),
    ],
)
def test_bad_requests(start, method: str, path: str, body: object, status: int) -> None:
    assert start("v1").ask(path, method, body).status == status


def test_browse_filters_newest_first(start) -> None:
    pitches = start("v1").ask("/api/browse?status=optioned&genre=crime&format=series&stage=development").body["pitches"]
    assert pitches
    assert {(p["genre"], p["format"], p["stage"]) for p in pitches} == {("crime", "series", "development")}
    published = [pitch["published_at"] for pitch in pitches]
    assert published == sorted(published, reverse=True)


def test_browse_is_cached(start) -> None:
    path = f"/api/browse?genre=drama&format=none-{time.monotonic_ns()}"
    assert [start("v1").ask(path).headers["x-cache"] for _ in range(2)] == ["miss", "hit"]


def test_search_finds_titles_and_completes_them(start) -> None:
    found = start("v1").ask("/api/search?q=silent%20harbor").body
    assert len(found["results"]) == 20
    assert all("silent harbor" in pitch["title"].lower() for pitch in found["results"])
    assert all(title.lower().startswith("silent harbor") for title in found["suggestions"])
    assert found["suggestions"]


def test_percent_signs_are_searched_literally(start) -> None:
    assert start("v1").ask("/api/search?q=%25%25%25").body == {"results": [], "suggestions": []}


def test_dashboard_of_a_busy_user(start) -> None:
    dashboard = start("v1").ask("/api/dashboard?user=1").body
    assert len(dashboard["pitches"]) == len(dashboard["unread"]) == 10
    assert min(dashboard["followers"], dashboard["views_30_days"], dashboard["ndas_pending"]) > 100


def test_websocket_echoes(start) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    with socket.create_connection((start("v1").address, PORT), timeout=5) as connection:
        connection.sendall(
            f"GET /ws HTTP/1.1\r\nHost: app\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"x-release: v1\r\n" in head.lower()
        connection.sendall(b"\x81\x84\0\0\0\0ping")  # one masked text frame, with a mask of zeros
        assert connection.recv(6, socket.MSG_WAITALL) == b"\x81\x04ping"


def test_v2_differs_from_v1(start) -> None:
    [old, new] = [start(release).ask("/api/browse?genre=musical").body["pitches"][0] for release in ("v1", "v2")]
    assert set(new) - set(old) == {"likes_per_view"}


def test_without_a_cache_it_is_slower_but_up(environment) -> None:
    with running("v1", {**environment, "REDIS_URL": "redis://load1:6379/0"}) as app:
        assert wait_until_healthy(app).body["status"] == "warn"
        assert [app.ask("/api/browse").headers["x-cache"] for _ in range(2)] == ["miss", "miss"]


def test_without_a_database_it_is_not_healthy(environment) -> None:
    with running("v1", {**environment, "DATABASE_URL": "postgresql://pitch:x@load1/pitch"}) as app:
        answer = wait_until_healthy(app, expected=503)
        assert (answer.body["status"], list(answer.body["failures"])) == ("fail", ["database"])


def terminate_during_a_request(release: str, environment: dict[str, str]) -> tuple[int | None, int]:
    """Stop a release that has received half a login: that login's status (None without an answer) and the exit code."""
    body = b'{"email": "user5@example.org"}'
    with running(release, environment) as app:
        wait_until_healthy(app)
        with closing(http.client.HTTPConnection(app.address, PORT, timeout=10)) as connection:
            connection.putrequest("POST", "/api/auth")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body[:10])
            time.sleep(0.5)
            app.stop()
            time.sleep(0.5)
            try:
                connection.send(body[10:])
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException):
                status = None
        return status, app.exit_code()


def test_after_an_outage_of_the_database_it_is_soon_healthy_again(environment, lab) -> None:
    target = (lab.addresses["db1"], 5432)
    with ExitStack() as app, ExitStack() as database:
        port = database.enter_context(forwarding(0, target))
        url = environment["DATABASE_URL"].replace("db1:5432", f"{GATEWAY}:{port}")
        release = app.enter_context(running("v1", {**environment, "DATABASE_URL": url}))
        wait_until_healthy(release)
        database.close()
        wait_until_healthy(release, 503)
        time.sleep(OUTAGE_S)
        database.enter_context(forwarding(port, target))
        ended = time.monotonic()
        wait_until_healthy(release)
        assert time.monotonic() - ended < OUTAGE_S / 3


def test_v1_finishes_its_requests_before_it_stops(environment) -> None:
    assert terminate_during_a_request("v1", environment) == (200, 0)


def test_v1_abrupt_drops_its_requests(environment) -> None:
    assert terminate_during_a_request("v1-abrupt", environment) == (None, 128 + 15)


def test_bad_crash_ends_at_once(environment) -> None:
    with running("bad-crash", environment) as app:
        assert app.exit_code() == 1


def test_bad_errors_fails_one_request_in_five(start) -> None:
    assert statuses(start("bad-errors"), 50).count(500) == 10


def test_bad_late_answers_well_at_first(environment) -> None:
    with running("bad-late", environment) as app:
        wait_until_healthy(app)
        assert statuses(app, 250).count(500) == 0
        assert statuses(app, 50).count(500) == 10


def test_bad_slow_is_slow_except_for_health(start) -> None:
    app = start("bad-slow")
    assert app.ask("/api/auth").seconds > 3 > app.ask("/health").seconds


def test_bad_leak_keeps_memory_per_request(start) -> None:
    app = start("bad-leak")
    before = app.resident_kb()
    statuses(app, 100)
    assert app.resident_kb() - before > 20 * 1024


def test_bad_browse_fails_only_in_browse(start) -> None:
    app = start("bad-browse")
    assert [app.ask(path).status for path in ("/health", "/api/search?q=silent", "/api/browse")] == [200, 200, 500]
