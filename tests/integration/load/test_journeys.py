# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Journeys against a server that remembers: every value comes back, what fails is skipped, what is counted happened."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.probe import probe

from .shop import Shop

FEEDERS = [
    {"name": "user", "csv": "email,age\n" + "".join(f"u{number}@b.c,{number}\n" for number in range(40))},
    {"name": "genre", "weighted": {"drama": 3, "crime & cömedy": 1}},
]
BEARER = {"Authorization": "Bearer ${token}"}
LOGIN = {"name": "login", "path": "/login", "method": "POST", "body": {"email": "${user.email}"},
         "capture": {"token": {"json": "/user/token"}, "no": {"regex": '"no": ([0-9]+)'}}}
ITEMS = {"name": "items", "path": "/items?genre=${genre}", "headers": BEARER,
         "capture": {"id": {"json": "/items/1/id"}}}
ORDER = {"name": "order", "path": "/orders", "method": "POST", "headers": BEARER,
         "body": {"item": "${id}", "no": "${no}"},
         "checks": {"status": [303], "max_bytes": 0}, "capture": {"location": {"header": "Location"}}}
LOOK = {"name": "look", "path": "${location}", "headers": BEARER,
        "checks": {"pointers": {"/status": "open", "/items": []}, "headers": {"Content-Length": "[0-9]+"}}}
VISIT = [LOGIN, ITEMS, ORDER, LOOK]
STEPS = ["login", "items", "order", "look"]


@pytest.fixture
def shop():
    server = Shop()
    yield server
    server.shutdown()
    server.server_close()


def visit(shop, *steps, more=(), scenario=None, **options):
    """Probe the shop with one journey."""
    options = {"vus": 4, "duration_s": 1, "feeders": FEEDERS, "timeout_s": 2, **options}
    scenarios = [{"name": "visit", "steps": list(steps or VISIT), **(scenario or {})}, *more]
    return probe(target=shop.url, scenarios=scenarios, **options)


def counts(result):
    return [result["steps"][f"visit/{step}"]["requests"] for step in STEPS]


@pytest.mark.parametrize("options", [
    {}, {"processes": 2}, {"executor": "constant_arrival_rate", "rate_rps": 40, "vus": 12},
    {"executor": "constant_arrival_rate", "rate_rps": 40, "vus": 12, "processes": 2},
    {"headers": {"Accept-Encoding": "gzip"}}, {"reuse": False},
    {"executor": "ramping_vus", "stages": [{"duration_s": 0.5, "vus": 6}, {"duration_s": 0.5, "vus": 1}]},
], ids=["closed", "closed-2-processes", "open", "open-2-processes", "gzip", "no-reuse", "ramp"])
def test_every_value_comes_back_and_every_request_is_counted(shop, options):
    result = visit(shop, **options)
    assert shop.wrong == []
    assert result["samples"]["errors"] == {}
    assert result["metrics"]["requests"] == len(shop.seen) == sum(counts(result)) > 40
    journeys = result["samples"]["journeys"]["visit"]
    assert journeys["begun"] == counts(result)[0]
    assert journeys["completed"] == counts(result)[3]
    assert (journeys["failed"], journeys["skipped"]) == (0, {})
    assert counts(result) == sorted(counts(result), reverse=True)
    if "rate_rps" in options:
        assert journeys["begun"] == 40
    for email in {seen.email for seen in shop.seen}:
        kinds = [path.partition("?")[0].rstrip("0123456789") for path in shop.paths(email)]
        assert kinds == list(itertools.islice(itertools.cycle(["/login", "/items", "/orders", "/orders/"]), len(kinds)))


def test_a_connection_that_the_server_closes_does_not_end_a_journey(shop):
    shop.patience = 3
    result = visit(shop)
    assert (result["samples"]["errors"], shop.wrong) == ({}, [])
    assert result["samples"]["journeys"]["visit"]["completed"] > 10
    assert len({seen.client for seen in shop.seen}) > len(shop.seen) / 4


@pytest.mark.parametrize(("change", "error", "detail"), [
    ({"capture": {"id": {"json": "/items/9/id"}}}, "check", "capture.id: the content has nothing at /items/9/id"),
    ({"checks": {"max_bytes": 3}}, "check", "the content has"),
    ({"checks": {"status": 201}}, "status", "status 200"),
    ({"checks": {"headers": {"X-Genre": "no"}}}, "check", "the header x-genre is"),
    ({"checks": {"max_latency_ms": 0.001}}, "check", "it took "),
    ({"checks": {"contains": "nothing like it"}}, "check", "the content lacks"),
])
def test_the_rest_of_a_journey_that_fails_is_skipped_and_the_user_begins_again(shop, change, error, detail):
    result = visit(shop, LOGIN, {**ITEMS, **change}, {**ORDER, "body": {}}, LOOK, vus=2, duration_s=0.5)
    journeys = result["samples"]["journeys"]["visit"]
    login, items, order, look = counts(result)
    assert (order, look) == (0, 0)
    assert journeys["failed"] == items == result["samples"]["errors"][error] > 2
    assert journeys["skipped"] == {"order": items, "look": items}
    assert login - items <= 2
    assert result["samples"]["error_examples"][0]["detail"].startswith(detail)
    assert Counter(seen.path.partition("?")[0] for seen in shop.seen) == {"/login": login, "/items": items}


def test_a_connection_that_breaks_fails_the_journey(shop):
    shop.broken = "/orders"
    result = visit(shop, vus=2, duration_s=0.5)
    journeys = result["samples"]["journeys"]["visit"]
    assert result["samples"]["errors"] == {"reset": journeys["failed"]}
    assert journeys["failed"] == counts(result)[2] == journeys["skipped"]["look"] > 2
    assert counts(result)[3] == 0


def test_a_threshold_for_a_step_is_for_that_step_alone(shop):
    result = visit(shop, scenario={"think_s": 0.05},
                   thresholds=["visit/items: p95 < 0.001ms", "visit/order: p95 < 1h", "visit: error_rate < 1%"])
    items, order = (result["steps"][f"visit/{step}"]["p95_ms"] for step in ("items", "order"))
    assert result["verdict"] == "fail"
    assert [reason.partition(" measured")[0] for reason in result["reasons"]] == ["visit/items: p95 < 0.001ms:"]
    assert [(row["threshold"], row["measured"], row["ok"]) for row in result["thresholds"]] == [
        ("visit/items: p95 < 0.001ms", items, False), ("visit/order: p95 < 1h", order, True),
        ("visit: error_rate < 1%", 0, True)]


def test_nobody_there_fails_the_first_step(shop):
    shop.shutdown()
    shop.server_close()
    result = visit(shop, vus=2, duration_s=0.4)
    journeys = result["samples"]["journeys"]["visit"]
    assert result["samples"]["errors"] == {"refused": journeys["begun"]}
    assert journeys["failed"] == journeys["skipped"]["look"] == journeys["begun"] > 2


@pytest.mark.parametrize(("executor", "pauses"), [
    ({"vus": 3}, 4), ({"executor": "constant_arrival_rate", "rate_rps": 5, "vus": 9}, 3)])
def test_users_think_between_steps_and_in_the_closed_model_after_the_last_one(shop, executor, pauses):
    think = {"scenario": {"think_s": [0.04, 0.12]}, "duration_s": 2}
    visit(shop, LOGIN, {**ITEMS, "think_s": 0.2}, ORDER, LOOK, **think, **executor)
    by_client = {}
    for seen in shop.seen:
        by_client.setdefault(seen.client, []).append(seen)
    between = {}
    for requests in by_client.values():
        for before, after in itertools.pairwise(requests):
            between.setdefault(before.path.partition("?")[0].rstrip("0123456789"), []).append(after.at - before.at)
    thought = {"/login": (0.04, 0.12), "/items": (0.2, 0.2), "/orders": (0.04, 0.12), "/orders/": (0.04, 0.12)}
    for path, (shortest, longest) in list(thought.items())[:pauses]:
        assert min(between[path]) >= shortest
        assert sorted(between[path])[len(between[path]) // 2] <= longest + 0.03
    assert max(between["/login"]) - min(between["/login"]) > 0.02


def test_a_lone_request_is_made_anew_and_thinks(shop):
    result = probe(target=shop.url, vus=2, duration_s=1, feeders=FEEDERS, scenarios=[
        {"name": "ping", "think_s": 0.05, "requests": [{"path": "/ping?${user.email}&${vu}-${iteration}"}]}])
    assert result["samples"]["errors"] == {}
    assert 24 <= result["metrics"]["requests"] <= 40
    assert "journeys" not in result["samples"]
    turns = [tuple(map(int, path.rpartition("&")[2].split("-"))) for path in shop.paths()]
    for user in range(2):
        own = [turn for number, turn in turns if number == user]
        assert own == list(range(len(own)))


def test_the_mix_counts_beginnings(shop):
    ping = {"name": "ping", "weight": 3, "requests": [{"path": "/ping"}, {"path": "/ping?${genre}"}]}
    result = visit(shop, more=[ping], vus=2)
    begun = result["samples"]["journeys"]["visit"]["begun"]
    assert result["samples"]["errors"] == {}
    assert abs(result["scenarios"]["ping"]["requests"] - 3 * begun) <= 8
    plain = sum(path == "/ping" for path in shop.paths())
    assert abs(plain - result["scenarios"]["ping"]["requests"] / 2) <= 4


def test_per_user_rows_are_those_of_the_user_in_all_processes(shop):
    feeders = [{**FEEDERS[0], "policy": "per_user"}, FEEDERS[1]]
    visit(shop, {**LOGIN, "path": "/login?${vu}"}, feeders=feeders, vus=6, processes=2)
    pairs = Counter((seen.path, seen.email) for seen in shop.seen)
    assert set(pairs) == {(f"/login?{number}", f"u{number}@b.c") for number in range(6)}
    assert min(pairs.values()) > 1


def test_next_rows_go_round_over_all_processes(shop):
    visit(shop, LOGIN, vus=4, processes=2, iterations=40)
    assert Counter(seen.email for seen in shop.seen) == {f"u{number}@b.c": 1 for number in range(40)}


def test_the_same_seed_is_the_same_journey(shop):
    def paths(seed):
        shop.seen.clear()
        visit(shop, LOGIN, ITEMS, vus=1, iterations=15, seed=seed)
        return shop.paths()

    first = paths(1)
    assert len(first) == 30
    assert paths(1) == first
    assert paths(2) != first


def test_iterations_are_whole_journeys(shop):
    result = visit(shop, vus=3, iterations=7, duration_s=20, scenario={"think_s": 0.05})
    assert result["samples"]["journeys"]["visit"]["completed"] == 7
    assert counts(result) == [7] * 4
    assert result["duration_s"] < 5


def test_journeys_go_on_from_the_warm_up_and_no_step_begins_after_the_end(shop):
    result = visit(shop, vus=5, warmup_s=0.6, duration_s=0.6, scenario={"think_s": 0.12})
    assert (result["samples"]["errors"], shop.wrong) == ({}, [])
    began = shop.seen[0].at
    cut = [len(list(paths)) % 4 for paths in (shop.paths(email) for email in {seen.email for seen in shop.seen})]
    assert sum(map(bool, cut)) <= 5
    assert max(seen.at for seen in shop.seen) - began <= 1.2 + 0.05
    assert sum(counts(result)) < len(shop.seen)


def test_cookies_are_kept_for_the_next_journey_only_when_asked_for(shop):
    steps = {"name": "login", "path": "/ping?first"}, {**LOGIN, "name": "items"}
    for keep in (False, True):
        shop.seen.clear()
        cookies = []
        shop.RequestHandlerClass.session = lambda desk, cookies=cookies: cookies.append(desk.headers.get("Cookie"))
        visit(shop, *steps, vus=1, iterations=3, scenario={"keep_cookies": keep})
        assert [cookie is not None for cookie in cookies] == [False, False, keep, keep, keep, keep]


def test_what_cannot_be_sent_is_a_failed_check_and_no_crash(shop):
    surrogate = {"name": "items", "path": "/ping", "method": "POST", "body": "${half}"}
    feeders = [{"name": "half", "values": ["\ud800"]}, *FEEDERS]
    result = visit(shop, LOGIN, surrogate, feeders=feeders, vus=2, duration_s=0.5)
    journeys = result["samples"]["journeys"]["visit"]
    assert result["samples"]["errors"] == {"check": journeys["failed"]}
    assert 4 <= journeys["failed"] <= 12
    assert "UTF-8" in result["samples"]["error_examples"][0]["detail"]
    assert {seen.path for seen in shop.seen} == {"/login"}


def test_it_is_stopped_in_the_middle_of_thinking(shop, tmp_path):
    stop = tmp_path / "stop"
    stop.touch()
    result = visit(shop, duration_s=30, scenario={"think_s": 20}, stop_path=str(stop))
    assert result["samples"]["stopped"] == "stop_path"
    assert result["duration_s"] < 3
