# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One load from four hosts of the lab, with the playbook that users run; the server tells what really arrived."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HOSTS = {"load1": "172.30.77.30", "load2": "172.30.77.31", "load3": "172.30.77.32", "load4": "172.30.77.33"}
GATEWAY = "172.30.77.1"
EXTRA = [f"evenkeel-{host}" for host in list(HOSTS)[1:]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}"


class Server:
    """Answers every request on this machine's address in the lab; notes when which host asked."""

    def __init__(self):
        self.arrivals: dict[str, list[float]] = {address: [] for address in HOSTS.values()}
        self._listener = socket.create_server((GATEWAY, 0), backlog=512)
        self.url = f"http://{GATEWAY}:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, (address, _port) = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection, self.arrivals[address]), daemon=True).start()

    def _answer(self, connection, arrivals):
        with connection, contextlib.suppress(OSError):
            while connection.recv(65536):
                arrivals.append(time.monotonic())
                connection.sendall(OK)

    def close(self):
        self._listener.close()


@pytest.fixture
def server():
    one = Server()
    yield one
    one.close()


@pytest.fixture(scope="module")
def load_hosts(lab):
    """The lab with four load hosts; those that were not there before are gone afterwards."""
    running = subprocess.check_output(["docker", "ps", "--format", "{{.Names}}"], text=True).split()
    up = ["bash", "tests/lab/up"]
    subprocess.run(up, check=True, cwd=ROOT, env={**os.environ, "LAB_LOAD_HOSTS": "4"}, capture_output=True)
    yield
    subprocess.run(["docker", "rm", "--force", "--volumes", *(set(EXTRA) - set(running))], check=True,
                   capture_output=True)


@pytest.fixture
def probe(load_hosts, server, tmp_path):
    """Start the playbook against the server; returns the process and a function that waits for its end and record."""

    def start(*arguments, **variables):
        variables = {
            "load_test_target": server.url, "load_test_scenarios": ["health"], "load_test_warmup_s": 0,
            "load_test_executor": "constant_arrival_rate", "load_test_rate_rps": 200, "load_test_vus": 40,
            "load_test_start_lead_s": 10,  # other tests may keep the machine busy: a host that is late is no pass
            "load_test_duration_s": 3, "load_test_gate": True, "report_directory": str(tmp_path), **variables}
        process = subprocess.Popen(
            ["ansible-playbook", "-i", "inventories/lab", "-i", "tests/lab/load-hosts.yml", "evenkeel.fleet.probe",
             "--extra-vars", json.dumps(variables), *arguments], cwd=ROOT, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)

        def end():
            output = process.communicate(timeout=120)[0]
            records = sorted(tmp_path.glob("*/parts/*-probe-*.json"))
            results = [json.loads(path.read_text())["data"]["scenarios"] for path in records]
            return process.returncode, " ".join(output.split()), results

        return end

    return start


def test_four_hosts_send_one_load(probe, server):
    status, output, results = probe()()
    assert status == 0, output
    assert len(results) == 1
    health = results[0]["health"]
    assert health["verdict"] == "pass"
    assert health["metrics"]["requests"] == 600
    arrived = {host: sorted(server.arrivals[address]) for host, address in HOSTS.items()}
    assert {host: len(times) for host, times in arrived.items()} == dict.fromkeys(HOSTS, 150)

    parts = health["samples"]["hosts"]
    assert {host: part["share"] for host, part in parts.items()} == {
        host: f"{number}/4" for number, host in enumerate(HOSTS, 1)}
    assert sum(part["metrics"]["requests"] for part in parts.values()) == 600
    buckets = Counter()
    for pair in health["samples"]["histograms"]["health"]["counts"].split():
        bucket, _colon, number = pair.partition(":")
        buckets[int(bucket)] += int(number)
    assert sum(buckets.values()) == 600

    first = [times[0] for times in arrived.values()]
    assert max(first) - min(first) < 0.05 + 3 / 200  # the hosts take turns, 5 ms apart
    assert max(part["began_ms"] for part in parts.values()) < 50
    every = sorted(time for times in arrived.values() for time in times)
    assert every[-1] - every[0] == pytest.approx(599 / 200, abs=0.1)


def test_a_host_that_is_killed_makes_it_inconclusive(probe, server):
    end = probe(load_test_duration_s=6)
    deadline = time.monotonic() + 60
    while not server.arrivals[HOSTS["load3"]] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.arrivals[HOSTS["load3"]]
    time.sleep(1)
    subprocess.run(["docker", "kill", "evenkeel-load3"], check=True, capture_output=True)
    try:
        status, output, results = end()
    finally:
        subprocess.run(["docker", "start", "evenkeel-load3"], check=True, capture_output=True)
    assert status != 0
    assert "inconclusive" in output
    assert "no result of load3" in output
    health = results[0]["health"]
    assert health["verdict"] == "inconclusive"
    assert set(health["samples"]["hosts"]) == {"load1", "load2", "load4"}
    assert health["metrics"]["requests"] == 900
    assert health["metrics"]["errors"] == 0


@pytest.mark.parametrize(("arguments", "variables", "message"), [
    (["--forks", "2"], {}, "Set --forks 4"),
    ([], {"load_test_shape": "capacity"}, "one host with the executor capacity"),
    ([], {"load_test_vus": 3}, "at least one for each of the 4 processes"),
])
def test_what_several_hosts_cannot_do_stops_before_any_traffic(probe, server, arguments, variables, message):
    status, output, results = probe(*arguments, **variables)()
    assert status != 0
    assert message in output
    assert results == []
    assert not any(server.arrivals.values())


def test_check_mode_sends_nothing(probe, server):
    status, output, _results = probe("--check")()
    assert status == 0, output
    assert not any(server.arrivals.values())
