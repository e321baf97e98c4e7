# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe against real servers: what it counts is what they saw."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.probe import probe

from .conftest import OK, answering, read_request


@pytest.mark.parametrize("options", [
    {"vus": 8, "duration_s": 0.5},
    {"vus": 8, "duration_s": 0.5, "processes": 2},
    {"executor": "constant_arrival_rate", "rate_rps": 301, "vus": 8, "duration_s": 1},
    {"executor": "constant_arrival_rate", "rate_rps": 301, "vus": 8, "duration_s": 1, "processes": 2},
], ids=["closed", "closed-2-processes", "open", "open-2-processes"])
def test_the_count_is_that_of_nginx(web, options):
    url, logged = web
    result = probe(target=f"{url}/a", **options)
    assert result["samples"]["errors"] == {}
    assert result["metrics"]["requests"] == len(logged()) > 0
    if "rate_rps" in options:
        assert result["metrics"]["requests"] == 301
    assert sum(row["requests"] for row in result["samples"]["series"]) == result["metrics"]["requests"]


def test_the_warm_up_is_not_in_the_result(web):
    url, logged = web
    result = probe(target=url, executor="constant_arrival_rate", rate_rps=200, vus=4, warmup_s=0.5, duration_s=0.5)
    assert (result["metrics"]["requests"], len(logged())) == (100, 200)


def test_a_mix_its_scenarios_tags_checks_and_headers(web):
    url, logged = web
    result = probe(target=url, vus=4, duration_s=0.5, count_header="Content-Type", scenarios=[
        {"name": "read", "weight": 3, "requests": [
            {"path": "/one", "weight": 2, "tags": {"page": "one"}, "checks": {"contains": '"/one"'}},
            {"path": "/two", "checks": {"contains": '"/one"'}}]},
        {"name": "miss", "requests": [{"path": "/missing", "method": "POST", "body": "x" * 1000},
                                      {"path": "/missing", "checks": {"status": [404]}}]}],
        thresholds=["read:rps > 1", "miss:error_rate < 1%"])
    lines = Counter(line.rsplit(" ", 1)[0] for line in logged())
    scenarios, samples = result["scenarios"], result["samples"]
    assert scenarios["read"]["requests"] == lines["GET /one"] + lines["GET /two"]
    assert scenarios["read"]["errors"] == samples["errors"]["check"] == lines["GET /two"]
    assert scenarios["miss"]["errors"] == samples["errors"]["status"] == lines["POST /missing"]
    assert samples["tags"]["page=one"]["requests"] == lines["GET /one"]
    assert samples["statuses"] == {"200": scenarios["read"]["requests"], "404": scenarios["miss"]["requests"]}
    assert samples["header_counts"]["application/json"] == scenarios["read"]["requests"]
    assert lines["GET /one"] / lines["GET /two"] == pytest.approx(2, rel=0.1)
    assert (result["verdict"], len(samples["error_examples"])) == ("fail", 10)
    assert samples["error_examples"][0]["request"] == "GET /two"
    assert result["reasons"][0].startswith("miss: error_rate < 1%: measured 0.")
    assert scenarios["miss"]["error_rate"] == pytest.approx(0.5, abs=0.01)


def test_connections_that_nginx_closes_are_opened_again(web):
    url, logged = web
    result = probe(target=f"{url}/short", vus=4, duration_s=0.5)
    assert result["samples"]["errors"] == {}
    assert result["metrics"]["requests"] == len(logged())


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
    b"HTTP/1.1 200 OK\r\nContent-Length: 200011\r\n\r\n" + b"." * 200000 + b"hello world",
], ids=["chunked", "interim", "larger-than-the-buffer"])
def test_answers_of_other_forms(misbehaving, answer):
    result = probe(target=misbehaving(answering(answer)).url, vus=2, duration_s=0.3,
                   scenarios=[{"name": "s", "requests": [{"path": "/", "checks": {"contains": "hello world"}}]}])
    assert result["samples"]["errors"] == {}
    assert result["metrics"]["requests"] > 10


def test_an_answer_that_ends_with_the_connection(misbehaving):
    def handle(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")

    server = misbehaving(handle)
    result = probe(target=server.url, vus=2, duration_s=0.3)
    assert result["samples"]["errors"] == {}
    assert server.connections >= result["metrics"]["requests"] > 2


def test_a_stale_connection_is_replaced_and_no_error(misbehaving):
    def handle(connection):
        read_request(connection)
        connection.sendall(OK)
        time.sleep(0.02)

    server = misbehaving(handle)
    result = probe(target=server.url, executor="constant_arrival_rate", rate_rps=50, vus=3, duration_s=0.6)
    assert (result["metrics"]["requests"], result["samples"]["errors"]) == (30, {})


def test_a_large_request_to_a_slow_reader(misbehaving):
    size, seen = 3_000_000, []

    def handle(connection):
        total = 0
        total += len(connection.recv(4096).split(b"\r\n\r\n", 1)[1])
        while total < size:
            time.sleep(0.01)
            total += len(connection.recv(65536))
        seen.append(total)
        connection.sendall(OK)

    result = probe(target=misbehaving(handle).url, vus=1, duration_s=0.1, scenarios=[
        {"name": "upload", "requests": [{"path": "/", "method": "PUT", "body": "x" * size}]}])
    assert result["samples"]["statuses"] == {"200": 1}
    assert seen == [size]


def test_tls_is_verified_unless_said_otherwise(misbehaving, certificate):
    context, authority = certificate()
    server = misbehaving(answering(OK), context)
    for options, errors in [({"ca_path": authority}, []), ({"validate_certs": False}, []), ({}, ["tls"])]:
        result = probe(target=server.url, vus=3, duration_s=0.3, **options)
        assert list(result["samples"]["errors"]) == errors
        assert result["metrics"]["requests"] > 5


def test_latency_counts_from_the_intended_start(misbehaving):
    """All stall for the second half of the first second: what is due then waits for 250 ms on average."""
    began = time.monotonic()

    def handle(connection):
        while read_request(connection):
            into = time.monotonic() - began
            if 0.5 < into < 1.0:
                time.sleep(1.0 - into)
            connection.sendall(OK)

    server = misbehaving(handle)
    began = time.monotonic() + 0.1
    result = probe(target=server.url, executor="constant_arrival_rate", rate_rps=200, vus=5, duration_s=2)
    metrics = result["metrics"]
    assert (metrics["requests"], metrics["errors"]) == (400, 0)
    assert metrics["mean_ms"] == pytest.approx(0.25 * 250, rel=0.25)
    assert metrics["p95_ms"] == pytest.approx(400, rel=0.1)
    assert metrics["max_ms"] == pytest.approx(500, rel=0.1)
    assert result["samples"]["generator"]["waited_for_connection"] > 50


def test_the_stop_file_ends_it_early_and_what_was_measured_is_judged(web, tmp_path):
    url, logged = web
    stop = tmp_path / "stop"
    threading.Timer(0.7, stop.touch).start()
    result = probe(target=url, executor="constant_arrival_rate", rate_rps=100, vus=4, duration_s=60,
                   stop_path=str(stop), thresholds=["error_rate < 1%"])
    assert (result["verdict"], result["samples"]["stopped"]) == ("pass", "stop_path")
    assert result["metrics"]["requests"] == len(logged())
    assert result["metrics"]["rps"] == pytest.approx(100, rel=0.1)
    assert result["duration_s"] < 3


def test_a_stop_file_that_is_there_from_the_start(web, tmp_path):
    url, logged = web
    result = probe(target=url, duration_s=60, stop_path=str(tmp_path))
    assert (result["verdict"], result["metrics"]["requests"], logged()) == ("inconclusive", 0, [])
