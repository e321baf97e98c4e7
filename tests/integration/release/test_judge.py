# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The canary judge through a real HAProxy: a weight of a tenth, constant traffic, servers that fail as told."""

from __future__ import annotations

import contextlib
import functools
import random
import shutil
import threading
import time
import urllib.error

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge import latency_run
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.canary_run import run
from ansible_collections.evenkeel.fleet.tests.integration.balancer.harness import Balancer, Shop, free_port, until

RULES = {"max_error_rate": "5%", "ratio": 10, "alpha": 0.001, "beta": 0.01}


def failing(share, status=500, seed=1):
    """Return the answers of a server that fails this share of its requests."""
    chance = random.Random(seed)
    return iter(lambda: status if chance.random() < share else 200, None)


@pytest.fixture
def balancer(tmp_path):
    """The old release in blue with nine tenths of the traffic, the new one in green with the rest."""
    assert shutil.which("haproxy"), "haproxy is missing: run scripts/setup/system, which installs it"
    one = Balancer(tmp_path, {"blue": Shop(), "green": Shop()})
    one.start()
    one.switch({"name": "blue", "state": "ready", "weight": 90}, {"name": "green", "state": "ready", "weight": 10},
               healthy=True)
    yield one
    one.stop()
    for shop in one.shops.values():
        shop.stop()


@contextlib.contextmanager
def traffic(balancer, rate_rps=200, clients=4):
    """Ask at a constant rate for the time of a ``with`` block."""
    over, started = threading.Event(), time.monotonic()

    def ask(number):
        while not over.is_set():
            over.wait(max(0.0, started + number / rate_rps - time.monotonic()))
            with contextlib.suppress(urllib.error.URLError, OSError):
                balancer.get()
            number += clients

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join()


def judge(balancer, deadline_s=20.0, servers=("green",), baseline=(), before=None, withdraw=False, latency=None,
          before_latency=None, **rules):
    return run(balancer.socket, "be_shop", list(servers), list(baseline), {**RULES, **rules}, deadline_s, 0.25,
               before or {}, withdraw, str(balancer.state_file), False, balancer.warnings.append, latency,
               before_latency)


def test_a_fifth_of_errors_is_found_within_ten_of_them(balancer):
    balancer.shops["green"].answers = failing(0.2)
    with traffic(balancer):
        found = judge(balancer, max_error_rate="1%")
    assert found["verdict"] == "fail", found
    assert found["metrics"]["errors"] <= 10
    assert found["duration_s"] - found["samples"]["first_request_s"] <= 3
    assert (found["samples"]["servers"], found["samples"]["baseline"]) == (["green"], ["blue"])
    metrics = found["metrics"]
    assert 7 <= metrics["baseline_requests"] / metrics["requests"] <= 11
    assert found["reasons"] == [
        f"the new release failed {metrics['errors']} of {metrics['requests']} requests, the old one beside it failed 0 "
        f"of {metrics['baseline_requests']} requests"]


def test_one_that_refuses_connections_is_found_although_another_server_answers(balancer):
    balancer.stop()
    balancer.state_file.unlink()
    balancer.start({"green": free_port()})  # its health is asked elsewhere
    balancer.switch({"name": "blue", "state": "ready", "weight": 90}, {"name": "green", "state": "ready", "weight": 10},
                    healthy=True)
    with traffic(balancer):
        found = judge(balancer)
    assert found["verdict"] == "fail", found
    assert 0 < found["metrics"]["errors"] == found["metrics"]["requests"] <= 10
    assert found["metrics"]["baseline_errors"] == 0


def test_one_in_twenty_is_found_within_ten_of_them(balancer):
    balancer.shops["green"].answers = failing(0.05)
    with traffic(balancer):
        found = judge(balancer, 30, max_error_rate="1%")
    assert found["verdict"] == "fail", found
    assert found["metrics"]["errors"] <= 10


def test_a_healthy_release_passes(balancer):
    with traffic(balancer):
        found = judge(balancer)
    assert (found["verdict"], found["reasons"]) == ("pass", [])
    assert found["metrics"]["requests"] >= 100


def test_a_server_that_hangs_up_counts_as_failing(balancer):
    balancer.shops["green"].answers = failing(0.3, status=0)
    with traffic(balancer):
        found = judge(balancer)
    assert found["verdict"] == "fail", found


def test_without_traffic_it_says_what_is_missing(balancer):
    found = judge(balancer, 1)
    assert found["verdict"] == "inconclusive"
    assert found["reasons"] == ["no verdict in 1 s: no request reached green. See that the service has traffic and "
                                "that the servers are ready with a weight above 0"]
    with traffic(balancer, rate_rps=100):
        found = judge(balancer, 2, max_error_rate="1%")
    assert found["verdict"] == "inconclusive"
    assert "too little traffic. About 4" in found["reasons"][0]
    assert "more requests without an error would make it pass" in found["reasons"][0]


def test_a_trouble_of_both_is_not_held_against_the_new_one(balancer):
    for seed, shop in enumerate(balancer.shops.values()):
        shop.answers = failing(0.3, seed=seed)
    with traffic(balancer):
        found = judge(balancer, 5)
    assert found["verdict"] == "inconclusive", found
    assert "too often, and not the new release alone" in found["reasons"][0]


def test_a_new_release_that_the_check_finds_down_fails_at_once(balancer):
    balancer.shops["green"].health_answers = iter(lambda: 503, None)
    until(lambda: balancer.read()["green"]["operational"] == "stopped")
    found = judge(balancer)
    assert found["verdict"] == "fail"
    assert "the load balancer's check found green down: L7STS 503" in found["reasons"][0]
    assert found["duration_s"] < 1


def test_counters_that_begin_anew_are_left_out(balancer):
    def restart():
        time.sleep(1)
        balancer.stop()
        time.sleep(0.5)
        balancer.start()

    with traffic(balancer):
        restarting = threading.Thread(target=restart)
        restarting.start()
        found = judge(balancer)
        restarting.join()
    assert found["verdict"] == "pass", found
    assert found["samples"]["restarts"] == 1
    assert balancer.read()["green"]["weight"] == 10


@pytest.mark.parametrize(("servers", "baseline", "message"), [
    (["nobody"], [], "servers: expected a server of backend be_shop: blue, green, found 'nobody'"),
    (["green"], ["green"], "baseline: expected none of the servers of the new release"),
    ([], [], "servers: expected at least one of blue, green"),
])
def test_servers_that_make_no_sense_are_refused(balancer, servers, baseline, message):
    with pytest.raises(Exception, match=message):
        judge(balancer, 1, servers, baseline)


def test_the_evidence_of_an_earlier_look_goes_on_and_a_bad_release_is_drained_at_once(balancer):
    chance = random.Random(3)
    balancer.shops["green"].answers = iter(lambda: 500 if chance.random() < 0.1 else 200, None)
    found, looks = {"metrics": {}, "verdict": "inconclusive"}, 0
    with traffic(balancer):
        while found["verdict"] == "inconclusive":
            found = judge(balancer, 1, before=found["metrics"], withdraw=True)
            looks += 1
            assert found["changed"] == (found["verdict"] == "fail")
    assert (found["verdict"], found["metrics"]["errors"] <= 10) == ("fail", True)
    assert 1 < looks < 10
    assert balancer.states() == {"blue": "ready", "green": "drain"}
    assert "be_shop" in balancer.state_file.read_text()


def test_what_is_no_evidence_is_refused(balancer):
    with pytest.raises(Exception, match="before: expected the metrics of an earlier verdict"):
        judge(balancer, 1, before={"requests": 3})


@pytest.fixture
def slow(balancer):
    """Let the requests of blue and green take about so long, with half of the traffic for each."""
    balancer.switch({"name": "green", "weight": 90})

    def take(blue_s, green_s):
        for seed, (name, seconds) in enumerate((("blue", blue_s), ("green", green_s))):
            draw = functools.partial(random.Random(seed).uniform, 0.5 * seconds, 1.5 * seconds)
            balancer.shops[name].delays = iter(draw, None)

    return take


def test_a_release_that_answers_later_is_found(balancer, slow):
    slow(0.02, 0.06)
    with traffic(balancer, 100, 16):
        found = judge(balancer, 40, latency={}, withdraw=True)
    assert found["verdict"] == "fail", found
    metrics = found["metrics"]
    assert metrics["p95_ms"] > 1.5 * metrics["baseline_p95_ms"] > 30
    assert found["reasons"][0].startswith(f"p95_ms: {metrics['p95_ms']:.3g} of the new release, ")
    assert "tolerated 1.5x" in found["reasons"][0]
    assert [one["ok"] for one in found["thresholds"]] == [True, None, False]
    assert balancer.read()["green"]["state"] == "drain"


def test_one_that_is_as_fast_passes_and_so_does_one_whose_difference_does_not_matter(balancer, slow):
    slow(0.01, 0.014)
    with traffic(balancer, 100, 16):
        found = judge(balancer, 40, latency={"tolerance": "10%", "min_effect_ms": 60})
    assert (found["verdict"], found["reasons"]) == ("pass", []), found


def test_errors_that_pass_wait_for_the_latency_and_a_later_look_goes_on(balancer, slow):
    slow(0.01, 0.01)
    with traffic(balancer, 50, 16):
        first = judge(balancer, 4, latency={"min_effect_ms": 25})
        assert first["verdict"] == "inconclusive", first
        assert "latency: " in first["reasons"][0]
        assert "the next look is at 100 of the new one" in first["reasons"][0]
        again = judge(balancer, 40, before=first["metrics"], before_latency=first["samples"]["latency"],
                      latency={"min_effect_ms": 25})
    assert again["verdict"] == "pass", again
    counted = [sum(int(pair.split(":")[1]) for pair in one["samples"]["latency"]["new"]["counts"].split())
               for one in (first, again)]
    assert 0 < counted[0] < 100 <= counted[1]


def test_latency_needs_the_ring(balancer, monkeypatch):
    monkeypatch.setattr(latency_run, "follow", lambda: "show events nobody -w -n")
    with pytest.raises(FleetError, match="expected a ring 'evenkeel' in HAProxy's configuration, found none"):
        judge(balancer, 2, latency={})
