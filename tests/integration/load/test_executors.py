# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Executors against services whose capacity is known: what they find is what can be computed."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.probe import probe
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.merge import merge_results
from benchmarks.common import server
from benchmarks.load import arrivals
from benchmarks.load import server as recorder

from .test_faults import start_probe, wait_until

#: Four at a time, 20 ms each.
SERVERS, SERVICE_S, CAPACITY_RPS = 4, 0.02, 200


@pytest.fixture
def running():
    """Start services; each gets its URL."""
    stack = []

    def start(program, *numbers):
        stack.append(server(lambda _directory, port: [sys.executable, str(program), str(port), *map(str, numbers)]))
        port, _directory = stack[-1].__enter__()
        return f"http://127.0.0.1:{port}"

    yield start
    for one in stack:
        one.__exit__(None, None, None)


@pytest.fixture
def bottleneck(running):
    """Start a service of known capacity; each gets its URL."""
    return lambda *growth: running(Path(__file__).with_name("bottleneck.py"), SERVERS, SERVICE_S, *growth)


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("processes", [1, 2])
def test_users_come_and_go_as_the_stages_say(bottleneck, processes):
    url = bottleneck()
    result = probe(target=url, executor="ramping_vus", processes=processes, stages=[
        {"duration_s": 2, "vus": 20}, {"duration_s": 0, "vus": 6}, {"duration_s": 1.5, "vus": 6}])
    log = fetch(f"{url}/log")
    began = log[0][0]
    assert result["samples"]["errors"] == {}
    assert [phase["requests"] for phase in result["phases"]] == [
        result["metrics"]["requests"] - result["phases"][1]["requests"], result["phases"][1]["requests"]]
    assert sum(phase["requests"] for phase in result["phases"]) == len(log)
    at = {second: [number for time, number in log if second - 0.1 < time - began < second] for second in (1, 2, 3)}
    assert all(8 <= number <= 12 for number in at[1])
    assert max(at[2]) in (19, 20)
    assert set(at[3]) == {6}
    assert [phase["offered"] for phase in result["phases"]] == [{"vus": 20}, {"vus": 6}]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_ramp_makes_exactly_the_requests_due_that_lie_under_it(running, processes):
    url = running(recorder.__file__)
    result = probe(target=url, executor="ramping_arrival_rate", vus=10, processes=processes, stages=[
        {"duration_s": 2, "rate_rps": 300}, {"duration_s": 1, "rate_rps": 300}, {"duration_s": 0, "rate_rps": 50},
        {"duration_s": 1, "rate_rps": 50}])
    times = fetch(f"{url}/arrivals")
    assert len(times) == result["metrics"]["requests"] == 300 + 300 + 50
    assert [phase["requests"] for phase in result["phases"]] == [300, 300, 50]
    from_start = [(time - times[0]) / 1e9 for time in times]
    for number in (25, 75, 150, 299):
        assert from_start[number] == pytest.approx((number / 75) ** 0.5, abs=0.03)
    assert from_start[450] == pytest.approx(2.5, abs=0.03)
    assert from_start[625] == pytest.approx(3.5, abs=0.03)


def test_the_open_model_sends_exactly_as_many_as_are_due(running):
    url = running(recorder.__file__)
    result = probe(target=url, executor="constant_arrival_rate", rate_rps=2000, vus=50, duration_s=3)
    times = fetch(f"{url}/arrivals")
    assert len(times) == result["metrics"]["requests"] == 6000
    assert arrivals.evenness(times, 1e9 / 2000)["deviation_us"] < 1000
    generator = result["samples"]["generator"]
    assert generator["intended_rps"] == 2000
    assert generator["dispatched_rps"] == pytest.approx(2000, rel=0.01)
    assert 0 < generator["lateness_p50_ms"] <= generator["lateness_p99_ms"] <= generator["lateness_max_ms"]


def test_a_generator_that_is_held_up_gives_no_verdict(running):
    """It is stopped for the last quarter of its time: what it sends afterwards was due before."""
    held_up_s = 0.8
    url = running(recorder.__file__)
    started = start_probe(url, executor="constant_arrival_rate", rate_rps=100, vus=5, duration_s=2)
    wait_until(lambda: fetch(f"{url}/arrivals"))
    time.sleep(1.5)
    os.kill(started.pid, signal.SIGSTOP)
    time.sleep(held_up_s)
    os.kill(started.pid, signal.SIGCONT)
    result = json.loads(started.communicate(timeout=10)[0])
    assert (result["verdict"], result["metrics"]["requests"]) == ("inconclusive", 200)
    assert result["samples"]["generator"]["lateness_max_ms"] >= 0.9 * held_up_s * 1000
    assert result["samples"]["generator"]["dispatched_rps"] == pytest.approx(75, rel=0.15)
    assert result["reasons"] == [f"the load generator was the limit: it got to only "
                                 f"{result['samples']['generator']['dispatched_rps']:g} of 100 rps in time; "
                                 "use more processes or a lower rate"]


def test_a_stall_shows_with_its_full_length(running):
    """1 s in 10 s, 500 rps, 50 connections: 50 ms on average, 500, 900 and 990 ms at p95, p99 and p99.9.

    A probe that waits for the stalled server would see about 2 ms on average. The benchmark has the narrow bounds.
    """
    url = running(recorder.__file__, 10, 1)
    result = probe(target=url, executor="constant_arrival_rate", rate_rps=500, vus=50, duration_s=20)
    expected = arrivals.analytic()
    assert {name: round(value) for name, value in expected.items()} == {
        "mean_ms": 50, "p95_ms": 500, "p99_ms": 900, "p99_9_ms": 990}
    assert {name: result["metrics"][name] for name in expected} == pytest.approx(expected, rel=0.1)
    assert (result["metrics"]["requests"], result["metrics"]["errors"]) == (10000, 0)


@pytest.mark.parametrize("processes", [1, 2])
def test_iterations_are_shared_and_end_it(bottleneck, processes):
    url = bottleneck()
    result = probe(target=url, vus=4, iterations=101, duration_s=60, processes=processes)
    assert result["metrics"]["requests"] == len(fetch(f"{url}/log")) == 101
    assert result["duration_s"] < 5
    assert result["metrics"]["rps"] == pytest.approx(CAPACITY_RPS, rel=0.3)


def test_the_knee_is_where_all_servers_are_busy(bottleneck):
    result = probe(target=bottleneck(), executor="step", levels=[1, 2, 4, 8, 16], duration_s=1, warmup_s=0.2)
    assert (result["knee"]["level"], result["knee"]["reached"]) == (4, True)
    assert [phase["efficiency"] for phase in result["phases"]] == pytest.approx([1, 1, 1, 0.5, 0.25], rel=0.2)
    assert [phase["name"] for phase in result["phases"]][-1] == "level 16"
    assert result["phases"][-1]["mean_ms"] == pytest.approx(4 * SERVICE_S * 1000, rel=0.3)


def test_the_recovery_takes_as_long_as_the_queue_needs(bottleneck):
    """300 rps for 2 s leave 200 requests waiting; with 50 rps still coming they are gone after 1.33 s or later.

    Later on a busy machine, whose bottleneck bears less.
    """
    result = probe(target=bottleneck(), executor="spike", rate_rps=50, vus=100, duration_s=13, warmup_s=0.5,
                   spike={"factor": 6, "start_s": 3, "length_s": 2}, thresholds=["recovery_s < 6"])
    assert [phase["requests"] for phase in result["phases"]] == [150, 600, 400]
    assert [phase["offered"] for phase in result["phases"]] == [{"rps": 50}, {"rps": 300}, {"rps": 50}]
    assert result["recovery_s"] in range(2, 6)
    assert (result["verdict"], result["thresholds"][0]["measured"]) == ("pass", result["recovery_s"])


def test_a_service_that_does_not_recover_fails(bottleneck):
    result = probe(target=bottleneck(0.02), executor="spike", vus=2, duration_s=9.5,
                   spike={"factor": 4, "start_s": 3, "length_s": 1})
    assert (result["verdict"], result["recovery_s"]) == ("fail", None)
    assert result["reasons"][-1].startswith("no recovery within 5.5 s after the spike")


def test_a_service_that_gets_slower_drifts(bottleneck):
    result = probe(target=bottleneck(0.005), executor="soak", rate_rps=40, vus=20, duration_s=12)
    assert (result["verdict"], result["drift"]["p95_ms"]["trend"]) == ("fail", "rising")
    assert result["drift"]["p95_ms"]["slope_per_hour"] == pytest.approx(5 * 3600, rel=0.3)
    assert not result["drift"]["error_rate"]["drifts"]


@pytest.mark.parametrize("processes", [1, 2])
def test_the_capacity_is_found(bottleneck, processes):
    result = probe(target=bottleneck(), executor="capacity", rate_rps=50, capacity={"precision": 0.15}, vus=100,
                   duration_s=1.5, processes=processes, thresholds=["p95 < 100ms", "capacity_rps > 150"])
    found = result["capacity"]
    assert found["rps"] == pytest.approx(CAPACITY_RPS, rel=0.2)
    assert found["rps"] < found["not_borne_rps"] <= 1.15 * found["rps"]
    assert (result["verdict"], found["generator_limited"]) == ("pass", False)
    assert len(result["phases"]) == found["trials"] <= 14
    borne = [phase["offered"]["rps"] for phase in result["phases"] if phase["borne"]]
    assert max(borne) == found["rps"] == result["metrics"]["capacity_rps"]
    assert result["metrics"]["rps"] == pytest.approx(found["rps"], rel=0.1)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_breach_ends_it_early(bottleneck, processes):
    result = probe(target=bottleneck(), vus=40, duration_s=60, processes=processes,
                   thresholds=["p95 < 50ms or abort after 1s"])
    assert result["verdict"] == "fail"
    assert result["duration_s"] < 5
    assert any(reason.startswith("aborted by threshold: p95 < 50ms") for reason in result["reasons"])


def test_a_breach_ends_a_search_with_what_was_found_until_then(bottleneck):
    result = probe(target=bottleneck(), executor="capacity", rate_rps=150, vus=100, duration_s=2,
                   thresholds=["p95 < 100ms", "p95 < 300ms or abort after 0.5s"])
    assert result["verdict"] == "fail"
    assert any(reason.startswith("aborted by threshold: p95 < 300ms") for reason in result["reasons"])
    assert result["capacity"]["rps"] == 150
    assert result["capacity"]["trials"] == sum("borne" in phase for phase in result["phases"]) == 1
    assert result["phases"][-1]["offered"]["rps"] > CAPACITY_RPS


def shared(url, thresholds=(), **options):
    """Let two hosts share a load; return their merged result."""
    started = [start_probe(url, share=f"{place}/2", mergeable=True, start_at=time.time() + 1, **options)
               for place in (1, 2)]
    results = {f"load{place}": json.loads(one.communicate(timeout=60)[0]) for place, one in enumerate(started, 1)}
    return merge_results(results, thresholds, list(results))


def test_two_hosts_find_the_same_knee(bottleneck):
    result = shared(bottleneck(), executor="step", levels=[2, 4, 16], duration_s=1)
    assert (result["knee"]["level"], result["knee"]["reached"]) == (4, True)
    assert [phase["offered"] for phase in result["phases"]] == [{"vus": 2}, {"vus": 4}, {"vus": 16}]
    assert [phase["efficiency"] for phase in result["phases"]] == pytest.approx([1, 1, 0.25], rel=0.2)


def test_two_hosts_see_the_recovery(bottleneck):
    result = shared(bottleneck(), ["recovery_s < 1"], executor="spike", rate_rps=50, vus=100, duration_s=13,
                    spike={"factor": 6, "start_s": 3, "length_s": 2})
    assert result["recovery_s"] in range(2, 6)
    assert (result["verdict"], result["reasons"]) == ("fail", [f"recovery_s < 1: measured {result['recovery_s']}"])


def test_two_hosts_see_the_drift(bottleneck):
    result = shared(bottleneck(0.005), executor="soak", rate_rps=40, vus=20, duration_s=12)
    assert (result["verdict"], result["drift"]["p95_ms"]["drifts"]) == ("fail", True)


def test_the_next_batch_goes_on_after_connections_were_lost(misbehaving):
    """Each answer closes its connection: at all levels as many users go on."""
    def handle(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")

    result = probe(target=misbehaving(handle).url, executor="step", levels=[2, 5], duration_s=0.5)
    assert result["samples"]["errors"] == {}
    assert all(phase["requests"] > 20 for phase in result["phases"])
