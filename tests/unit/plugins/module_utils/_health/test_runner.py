# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import json
import socket
import sys
import threading
import time

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.clock import Deadline
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._health import runner
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECK
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.runner import Watch, observe, probe


def check(kind, name="it", **options):
    """A check as AnsibleModule hands it over: every option is there."""
    return {**{key: spec.get("default") for key, spec in CHECK.items()}, "name": name, "type": kind, **options}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers what the test put into the server, one answer after the other, the last one for ever."""

    def do_GET(self):
        answers = self.server.answers
        status, body, delay_s = answers.pop(0) if len(answers) > 1 else answers[0]
        self.server.seen.append((time.monotonic(), dict(self.headers)))
        time.sleep(delay_s)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.seen = [(200, b"{}", 0)], []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/health?x=1"


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def look(**options):
    return observe([check(**options)])["it"]


def test_http_judges_status_body_and_pointers(server):
    server.answers = [(200, json.dumps({"status": "pass", "ready": True, "n": 3}).encode(), 0)]
    good = {"/status": "pass", "/ready": True, "/n": 3}
    assert look(kind="http", url=server.url, contains="pass", pointers=good)["status"] == "pass"
    assert look(kind="http", url=server.url, pointers={"/ready": "True", "/n": "3"})["status"] == "pass"
    for wrong, output in (
        ({"contains": "fail"}, "does not contain 'fail'"),
        ({"pointers": {"/status": "fail"}}, "/status is 'pass', not 'fail'."),
        ({"pointers": {"/none": 1}}, "nothing at /none"),
        ({"status": [204]}, "answered 200"),
    ):
        found = look(kind="http", url=server.url, **wrong)
        assert found["status"] == "fail"
        assert output in found["output"]
        assert found["remedy"]


def test_http_says_when_the_body_is_no_json_or_the_answer_no_http(server):
    server.answers = [(200, b"<html>", 0)]
    assert "not JSON: <html>" in look(kind="http", url=server.url, pointers={"/a": 1})["output"]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def pong():
            peer, _address = listener.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(b"+PONG\r\n")

        thread = threading.Thread(target=pong)
        thread.start()
        found = look(kind="http", url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert "did not answer in HTTP" in found["output"]


def test_http_latency_limit_and_observed_value(server):
    server.answers = [(200, b"", 0.05)]
    found = look(kind="http", url=server.url, max_latency_ms=20)
    assert found["status"] == "fail"
    assert found["observedValue"] >= 50
    assert found["observedUnit"] == "ms"
    assert look(kind="http", url=server.url, max_latency_ms=5000)["status"] == "pass"


def test_http_connects_elsewhere_but_asks_for_the_host_of_the_url(server):
    found = look(kind="http", url="http://shop.example/health", host="127.0.0.1", port=server.server_port)
    assert found["status"] == "pass"
    assert server.seen[0][1]["Host"] == "shop.example"


def test_looks_until_enough_good_ones_in_a_row(server):
    bad, good = (503, b"", 0), (200, b"", 0)
    server.answers = [bad, good, bad, good, good, good]
    found = observe([check("http", url=server.url)], consecutive=3, deadline_s=10, interval_s=0.02)["it"]
    assert (found["status"], found["attempts"]) == ("pass", 6)


def test_good_looks_are_an_interval_apart(server):
    observe([check("http", url=server.url)], consecutive=3, deadline_s=10, interval_s=0.1)
    times = [when for when, dummy in server.seen]
    assert all(later - earlier >= 0.1 for earlier, later in zip(times, times[1:]))


class Pauses(threading.Event):
    """Nobody calls off, and no pause takes time; each one is noted."""

    def __init__(self):
        super().__init__()
        self.taken = []

    def wait(self, timeout=None):
        self.taken.append(timeout)
        return False


def test_bad_looks_are_a_backoff_apart_that_begins_anew_after_a_good_one(server, monkeypatch):
    caps = []

    def full_jitter(cap_s):
        caps.append(cap_s)
        return iter([0.1, 0.7, 0.3])

    monkeypatch.setattr(runner, "full_jitter", full_jitter)
    bad, good = (503, b"", 0), (200, b"", 0)
    server.answers = [bad, bad, bad, good, bad, bad, good, good]
    pauses = Pauses()
    Watch(check("http", url=server.url), consecutive=2, interval_s=5.0).run(Deadline(60), pauses)
    assert pauses.taken == [0.1, 0.7, 0.3, 5.0, 0.1, 0.7, 5.0]
    assert set(caps) == {5.0}


def test_too_few_good_looks_before_the_deadline_is_a_failure(server):
    server.answers = [(200, b"", 0.4), (200, b"", 0)]
    found = observe([check("http", url=server.url)], consecutive=2, deadline_s=0.5, interval_s=0.3)["it"]
    assert found["status"] == "fail"
    assert found["output"] == "good 1 time(s) in a row before the deadline, 2 needed."


def test_waits_for_a_server_that_starts_late(closed_port):
    def start():
        time.sleep(0.3)
        with socket.create_server(("127.0.0.1", closed_port)) as listener:
            listener.settimeout(5)
            peer, _address = listener.accept()
            peer.close()

    thread = threading.Thread(target=start)
    thread.start()
    found = observe([check("tcp", host="127.0.0.1", port=closed_port)], deadline_s=5, interval_s=0.1)["it"]
    thread.join()
    assert found["status"] == "pass"
    assert found["attempts"] > 1


def test_the_deadline_holds_when_nothing_answers(closed_port):
    started = time.monotonic()
    found = observe([check("tcp", host="127.0.0.1", port=closed_port)], deadline_s=0.5, interval_s=0.1)["it"]
    assert time.monotonic() - started < 2
    assert found["attempts"] > 1
    assert "refused" in found["output"]


def test_a_look_that_the_deadline_cuts_short_does_not_hide_what_was_seen(server):
    server.answers = [(503, b"", 0), (503, b"", 3)]
    found = observe([check("http", url=server.url)], deadline_s=0.6, interval_s=0.1)["it"]
    assert found["attempts"] == 2
    assert "503" in found["output"]


def test_what_is_hopeless_ends_the_whole_probe_at_once(closed_port):
    checks = [
        check("command", "never", argv=["/nonexistent/tool"]),
        check("tcp", "later", host="127.0.0.1", port=closed_port),
    ]
    started = time.monotonic()
    found = observe(checks, deadline_s=30, interval_s=1)
    assert time.monotonic() - started < 2
    assert found["never"]["attempts"] == 1
    assert {name: item["status"] for name, item in found.items()} == {"never": "fail", "later": "fail"}


def test_one_that_is_called_off_is_not_blamed(server):
    slow = [sys.executable, "-c", "import time; time.sleep(0.3); print('1.0')"]
    checks = [check("http", "healthy", url=server.url), check("command", "broken", argv=slow, min_version="2")]
    found = observe(checks, consecutive=3, deadline_s=30, interval_s=5)
    assert {name: item["status"] for name, item in found.items()} == {"healthy": "pass", "broken": "fail"}


def test_what_is_not_critical_warns_and_is_not_waited_for(server, closed_port):
    checks = [
        check("http", "app", url=server.url),
        check("tcp", "extra", host="127.0.0.1", port=closed_port, critical=False, remedy="Start the extra."),
    ]
    started = time.monotonic()
    result = probe(checks, deadline_s=30)
    assert time.monotonic() - started < 5
    assert (result["verdict"], result["status"], result["decided_by"]) == ("pass", "warn", "extra")
    assert result["components"]["extra"]["remedy"] == "Start the extra."
    assert result["reasons"] == []


def test_verdict_names_who_decided(server, closed_port):
    checks = [check("http", "app", url=server.url), check("tcp", "db", host="127.0.0.1", port=closed_port)]
    result = probe(checks, deadline_s=0)
    assert (result["verdict"], result["decided_by"]) == ("fail", "db")
    assert result["reasons"] == [f"db: 127.0.0.1:{closed_port} refused the connection."]
    assert result["metrics"] == {"components": 2, "pass": 1, "warn": 0, "fail": 1}
    assert result["samples"] == {"attempts": {"app": 1, "db": 1}}


def test_check_mode_looks_once_runs_no_command_and_never_fails(closed_port, tmp_path):
    checks = [
        check("tcp", "db", host="127.0.0.1", port=closed_port),
        check("command", "writes", argv=["touch", str(tmp_path / "written")]),
        check("command", "reads", argv=["touch", str(tmp_path / "read")], read_only=True),
    ]
    result = probe(checks, consecutive=3, deadline_s=30, check_mode=True)
    assert result["verdict"] == "inconclusive"
    assert result["samples"] == {"attempts": {"db": 1, "reads": 1}}
    assert [path.name for path in tmp_path.iterdir()] == ["read"]
    assert any("check mode" in reason for reason in result["reasons"])


def test_command_judges_exit_code_output_and_version():
    python = [sys.executable, "-c"]
    assert look(kind="command", argv=[*python, "print('v3.1')"], min_version="3.1", contains="v3")["status"] == "pass"
    assert look(kind="command", argv=[*python, "exit(3)"], rc=[3])["status"] == "pass"
    assert "ended with 3" in look(kind="command", argv=[*python, "exit(3)"])["output"]
    assert look(kind="command", argv=[*python, "print('3.1')"], min_version="3.2")["expected"].endswith("3.2 or later")
    assert look(kind="command", argv=["/nonexistent/tool"], missing="warn")["status"] == "warn"


def test_a_command_that_hangs_is_killed_with_its_children():
    script = "import subprocess; subprocess.run(['sleep', '60'])"
    started = time.monotonic()
    found = look(kind="command", argv=[sys.executable, "-c", script], timeout_s=0.5)
    assert time.monotonic() - started < 5
    assert "no end within 0.5 s" in found["output"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ([], "checks"),
        ([check("tcp", port=80), check("tcp", port=81)], "name"),
        ([check("http", url="ftp://host/")], "url"),
        ([check("http", url="http://user:secret@host/")], "url"),
        ([check("http", url="http://host:99999/")], "url"),
        ([check("http", url="http://host/a b")], "url"),
        ([check("http", url="http://host/", headers={"X-A": "secret\r\nX-C: d"})], r"it: headers\.X-A"),
        ([check("http", url="http://host/", headers={"X A": "secret"})], r"headers"),
        ([check("http", url="http://host/", method="GET /")], "method"),
        ([check("http", url="http://host/", body="secret\ud800")], "body"),
        ([check("http", url="http://host/", pointers={"status": "pass"})], "pointers"),
        ([check("http", url="http://host/", certificate_days=14)], "certificate_days"),
        ([check("http", url="https://host/", certificate_days=14, validate_certs=False)], "certificate_days"),
        ([check("http", url="http://host/", max_latency_ms=-1)], "max_latency_ms"),
        ([check("redis", max_lag_s=float("nan"))], "max_lag_s"),
        ([check("tcp", port=0)], "port"),
        ([check("command", argv=[])], "argv"),
        ([check("postgres")], "user"),
        ([check("tcp", port=1, timeout_s=0)], "timeout_s"),
    ],
)
def test_bad_input_names_field_and_shows_an_example(wrong, field):
    with pytest.raises(InputError, match=field) as caught:
        probe(wrong)
    assert "Example:" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("times", [{"consecutive": 0}, {"interval_s": 0}, {"consecutive": 5, "deadline_s": 3}])
def test_times_that_cannot_work_are_refused(times):
    with pytest.raises(FleetError, match=r"expected .* found"):
        probe([check("tcp", port=1)], **times)
