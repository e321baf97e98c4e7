# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Journeys: what a virtual user sends step by step, and errors before anything is sent."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.engine.target import Target
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.protocol.http import Http
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.protocol.redis import Redis
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.protocol.websocket import WebSocket
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.tally import Tally
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.cookies import Jar
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.feeder import Reader
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.parse import mix, parse_scenarios
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.virtual_user import VirtualUser
from ansible_collections.evenkeel.fleet.plugins.module_utils._wire.http import Answer
from hypothesis import given
from hypothesis import strategies as st

TARGET = Target.parse("http://app.example.org:8000")
HTTP = Http(TARGET)
USERS = [{"name": "user", "values": [{"email": "a@b.c", "id": 7}]}, {"name": "genre", "values": ["drama & more"]}]
LOGIN = {"name": "login", "path": "/api/auth", "method": "POST", "body": {"email": "${user.email}", "id": "${user.id}"},
         "capture": {"token": {"json": "/token"}}}


def journey_of(*steps, feeders=tuple(USERS), dialect=HTTP, **scenario):
    requests = parse_scenarios([{"name": "s", "steps": list(steps), **scenario}], dialect, list(feeders))
    return requests, requests[0].journey


class Traveller:
    """A virtual user with its journey, on no connection."""

    def __init__(self, *steps, number=0, seed=1, **scenario):
        self.requests, self.journey = journey_of(*steps, **scenario)
        self.readers = {feeder: Reader(feeder, 0, 1) for feeder in self.journey.feeders}
        self.user = VirtualUser(number, seed, scenario.get("dialect", HTTP), Jar("app.example.org", False), None, None)
        self.begin()

    def begin(self):
        self.user.begin(self.journey, self.readers, Tally())

    def sent(self):
        self.user.prepare()
        head, dummy, body = self.user.payload.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        return first, dict(line.split(": ", 1) for line in lines), body.decode()

    def answer(self, body="", *headers, status=200):
        answer = Answer()
        data = body if isinstance(body, str) else json.dumps(body)
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data.encode())}", *headers]
        assert answer.feed("\r\n".join(lines).encode() + b"\r\n\r\n" + data.encode())
        return self.user.judge(1, answer, 1000)

    def go_on(self):
        assert not self.user.over
        self.user.place += 1


def test_a_captured_value_is_sent_in_path_headers_and_body():
    traveller = Traveller(LOGIN, {"path": "/api/items/${token}?genre=${genre}&vu=${vu}", "method": "PUT",
                                  "headers": {"Authorization": "Bearer ${token}"},
                                  "body": "token=${token}; all ${iteration}"})
    first, headers, body = traveller.sent()
    assert first == "POST /api/auth HTTP/1.1"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"email": "a@b.c", "id": 7}
    assert traveller.answer({"token": "ä b/ç\n"}) == ("", "")
    traveller.go_on()
    first, headers, body = traveller.sent()
    assert first == "PUT /api/items/%C3%A4%20b%2F%C3%A7%0A?genre=drama%20%26%20more&vu=0 HTTP/1.1"
    assert headers["Authorization"] == "Bearer ä b/ç%0A"
    assert body == "token=ä b/ç\n; all 0"
    assert headers["Content-Length"] == str(len(body.encode()))
    assert traveller.user.over


@given(st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_no_value_can_break_a_request(value):
    traveller = Traveller(LOGIN, {"path": "/a/${token}/b", "headers": {"X-A": "${token}", "X-B": "a ${token}"},
                                  "body": ["${token}"]}, {"path": "${token}"})
    traveller.sent()
    assert traveller.answer({"token": value}) == ("", "")
    traveller.go_on()
    first, dummy, body = traveller.sent()
    assert first.startswith("GET /a/")
    assert first.endswith("/b HTTP/1.1")
    assert first.count("/") == 4
    assert json.loads(body) == [value]
    assert traveller.user.payload.count(b"\r\n\r\n") == 1
    traveller.go_on()
    assert traveller.sent()[0].count(" ") == 2


@pytest.mark.parametrize("step", [
    {"path": "/a/${token}"}, {"path": "${token}"}, {"path": "/", "headers": {"X": "${token}"}},
    {"path": "/", "body": "${token}"}])
def test_half_a_surrogate_pair_cannot_be_sent(step):
    traveller = Traveller(LOGIN, step)
    traveller.sent()
    assert traveller.answer('{"token": "\\ud800"}') == ("", "")
    traveller.go_on()
    with pytest.raises(FleetError, match="UTF-8"):
        traveller.sent()


@pytest.mark.parametrize("location", [
    "/items/7?a=b%20c", "http://app.example.org:8000/items/7?a=b%20c", "items/7?a=b%20c"])
def test_a_captured_location_is_a_path(location):
    traveller = Traveller({"path": "/new", "capture": {"next": {"header": "Location"}}}, {"path": "${next}"})
    traveller.sent()
    assert traveller.answer("", f"Location: {location}", status=302) == ("", "")
    traveller.go_on()
    assert traveller.sent()[0] == "GET /items/7?a=b%20c HTTP/1.1"
    assert traveller.requests[1].path == "/${next}"


def test_cookies_come_back_until_the_next_journey():
    steps = {"path": "/in"}, {"path": "/shop"}, {"path": "/own", "headers": {"cookie": "b=2"}}
    for keep in (False, True):
        traveller = Traveller(*steps, keep_cookies=keep)
        assert "Cookie" not in traveller.sent()[1]
        traveller.answer("", "Set-Cookie: a=1; Path=/")
        traveller.go_on()
        assert traveller.sent()[1]["Cookie"] == "a=1"
        traveller.go_on()
        headers = traveller.sent()[1]
        assert (headers["cookie"], "Cookie" in headers) == ("b=2", False)
        traveller.begin()
        assert ("Cookie" in traveller.sent()[1]) == keep


@pytest.mark.parametrize(("answer", "error"), [
    ({"status": 500}, "status"), ({"body": "no JSON"}, "check"), ({"body": {"other": 1}}, "check"),
])
def test_what_is_wrong_ends_the_journey(answer, error):
    traveller = Traveller(LOGIN, {"path": "/"})
    traveller.sent()
    assert traveller.answer(answer.get("body", {"token": 1}), status=answer.get("status", 200))[0] == error
    assert traveller.user.over
    traveller.begin()
    assert not traveller.user.over


def test_a_journey_has_one_row_of_each_feeder_and_the_next_one_another():
    rows = [{"id": number, "name": f"n{number}"} for number in range(3)]
    traveller = Traveller({"path": "/${u.id}"}, {"path": "/${u.name}/${iteration}"},
                          feeders=[{"name": "u", "values": rows}])
    for number in (0, 1, 2, 0):
        first, dummy, dummy = traveller.sent()
        assert first == f"GET /{number} HTTP/1.1"
        traveller.go_on()
        assert traveller.sent()[0].startswith(f"GET /n{number}/")
        traveller.begin()


@given(st.integers(0, 100), st.integers(0, 9))
def test_think_times_are_the_same_for_the_same_seed_and_user(seed, number):
    steps = {"path": "/", "think_s": [0.5, 2]}, {"path": "/b"}
    one, other = Traveller(*steps, number=number, seed=seed), Traveller(*steps, number=number, seed=seed)
    times = [one.user.think_s() for _turn in range(5)]
    assert times == [other.user.think_s() for _turn in range(5)]
    assert all(0.5 <= time <= 2 for time in times)
    assert len(set(times)) == 5


def test_the_think_time_of_the_scenario_is_that_of_its_steps():
    traveller = Traveller({"path": "/"}, {"path": "/b", "think_s": 0}, think_s=1.5)
    assert traveller.user.think_s() == 1.5
    traveller.go_on()
    assert traveller.user.think_s() == 0


def test_steps_are_requests_of_their_own_and_only_the_first_is_in_the_mix():
    requests, journey = journey_of(LOGIN, {"path": "/x/${token}", "tags": {"part": "b"}, "checks": {"status": [204]}})
    assert [(request.step, request.method, request.path, request.tags) for request in requests] == [
        ("login", "POST", "/api/auth", ()), ("step2", "GET", "/x/${token}", ("part=b",))]
    assert (requests[0].journey, requests[1].journey) == (journey, None)
    assert [feeder.name for feeder in journey.feeders] == ["user"]
    assert mix(requests, 1) == [0]


def test_a_request_is_made_anew_only_when_it_has_to_be():
    requests = parse_scenarios([{"name": "s", "weight": 3, "requests": [
        {"path": "/a", "weight": 2}, {"path": "/b?q=${genre}"}]},
        {"name": "t", "requests": [{"path": "/c"}], "think_s": 1},
        {"name": "u", "requests": [{"path": "/d"}], "keep_cookies": True},
        {"name": "v", "steps": [{"path": "/e"}, {"path": "/f"}]}], HTTP, USERS)
    assert [request.journey is not None for request in requests] == [False, True, True, True, True, False]
    assert [request.journey.counted for request in requests if request.journey] == [False, False, False, True]
    assert Counter(mix(requests, 0)) == {0: 2, 1: 1, 2: 1, 3: 1, 4: 1}


def test_arguments_of_a_command_stay_apart():
    feeders = [{"name": "key", "values": ["a b'c"]}]
    traveller = Traveller({"command": "SET k:${key} ${vu}"}, feeders=feeders, dialect=Redis())
    traveller.user.prepare()
    assert traveller.user.payload == b"*3\r\n$3\r\nSET\r\n$7\r\nk:a b'c\r\n$1\r\n0\r\n"


def test_what_a_protocol_cannot_carry_is_an_error_at_run_time():
    traveller = Traveller({"command": ["GET", "a"]}, {"command": ["SET", "a", "${iteration}"]}, dialect=Redis())
    traveller.go_on()
    traveller.user._values["iteration"] = None
    with pytest.raises(FleetError):
        traveller.user.prepare()


def steps_with(**step):
    return [{"name": "s", "steps": [LOGIN, {"path": "/"}, {"path": "/", **step}]}]


@pytest.mark.parametrize(("scenarios", "field"), [
    ([{"name": "s", "steps": [{"path": "/"}], "requests": [{"path": "/"}]}], "scenarios[0]"),
    ([{"name": "s", "steps": []}], "scenarios[0].steps"),
    ([{"name": "s", "steps": ["/"]}], "scenarios[0].steps[0]"),
    ([{"name": "s", "steps": [{"path": "/"}], "think_s": "long"}], "scenarios[0].think_s"),
    ([{"name": "s", "requests": [{"path": "/"}], "think_s": [2, 1]}], "scenarios[0].think_s"),
    ([{"name": "s", "requests": [{"path": "/"}], "keep_cookies": "yes"}], "scenarios[0].keep_cookies"),
    ([{"name": "s", "requests": [{"path": "/"}], "feeders": [{"name": "user", "values": [1]}]}],
     "scenarios[0].feeders[0].name"),
    ([{"name": "s", "requests": [{"path": "/", "capture": {}}]}], "scenarios[0].requests[0]"),
    ([{"name": "s", "requests": [{"path": "/${token}"}]}], "scenarios[0].requests[0].path"),
    (steps_with(weight=2), "scenarios[0].steps[2]"),
    (steps_with(name="login"), "scenarios[0].steps[2].name"),
    (steps_with(name="a/b"), "scenarios[0].steps[2].name"),
    (steps_with(capture={"token": "/token"}), "scenarios[0].steps[2].capture.token"),
    (steps_with(capture={"genre": {"json": "/a"}}), "scenarios[0].steps[2].capture.genre"),
    (steps_with(capture={"vu": {"json": "/a"}}), "scenarios[0].steps[2].capture.vu"),
    (steps_with(path="/${user}"), "scenarios[0].steps[2].path"),
    (steps_with(path="/${tokn}"), "scenarios[0].steps[2].path"),
    (steps_with(headers={"X": "${user.name}"}), "scenarios[0].steps[2].headers.X"),
    (steps_with(body={"a": ["${later}"]}, capture={"later": {"json": "/a"}}), "scenarios[0].steps[2].body.a[0]"),
    (steps_with(body="${a b}"), "scenarios[0].steps[2].body"),
    (steps_with(method="${token}"), "scenarios[0].steps[2].method"),
    (steps_with(headers={"X ${token}": "a"}), "scenarios[0].steps[2].headers"),
    (steps_with(think_s=-1), "scenarios[0].steps[2].think_s"),
    (steps_with(think_s=[1, 2, 3]), "scenarios[0].steps[2].think_s"),
    (steps_with(checks={"pointers": {"a": 1}}), "scenarios[0].steps[2].checks.pointers"),
    (steps_with(tags=["x"]), "scenarios[0].steps[2].tags"),
], ids=str)
def test_errors_name_the_field_and_show_an_example(scenarios, field):
    with pytest.raises(InputError) as caught:
        parse_scenarios(scenarios, HTTP, USERS)
    assert caught.value.field == field
    assert "Example: " in str(caught.value)


def test_an_unknown_variable_comes_with_those_that_there_are():
    with pytest.raises(InputError, match=r"vu, iteration, user.email, user.id, genre, token"):
        parse_scenarios(steps_with(path="/${tokn}"), HTTP, USERS)


def test_a_subscription_is_no_step():
    with pytest.raises(InputError, match=r"scenarios\[0\].steps\[0\]: .*no subscription"):
        journey_of({"subscribe": "all"}, dialect=WebSocket(TARGET))
