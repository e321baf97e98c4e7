# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios: what is sent, in which mix, and errors that name the field."""

from __future__ import annotations

from collections import Counter

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.engine.target import Target
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.protocol.http import Http
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.parse import (
    MAX_PATTERN,
    mix,
    parse_scenarios,
)
from ansible_collections.evenkeel.fleet.plugins.module_utils._wire.http import Answer
from hypothesis import given
from hypothesis import strategies as st

TARGET = Target.parse("http://app.example.org:8000/shop/")


def requests_of(*requests, target=TARGET, headers=None):
    return parse_scenarios([{"name": "s", "requests": list(requests)}], Http(target, headers))


def test_without_scenarios_the_path_of_the_target_is_asked():
    (request,) = parse_scenarios(None, Http(Target.parse("http://h/a?b=1")))
    assert (request.scenario, request.payload.split(b"\r\n")[:2]) == ("default", [b"GET /a?b=1 HTTP/1.1", b"Host: h"])


def test_the_path_of_the_target_goes_first_and_blanks_are_quoted():
    (request,) = requests_of({"path": "/find?q=two words&r=é"})
    assert request.path == "/shop/find?q=two%20words&r=%C3%A9"


def test_the_headers_of_a_request_win():
    (request,) = requests_of({"path": "/", "headers": {"host": "other", "X-A": 1}}, headers={"X-A": "0", "X-B": "2"})
    lines = request.payload.split(b"\r\n")
    assert {b"host: other", b"X-A: 1", b"X-B: 2"} <= set(lines)
    assert not {b"X-A: 0", b"Host: app.example.org:8000"} & set(lines)


def test_a_mapping_is_sent_as_json():
    (request,) = requests_of({"path": "/", "method": "post", "body": {"email": "a@b.c"}})
    assert request.payload.startswith(b"POST ")
    assert b"Content-Type: application/json" in request.payload
    assert request.payload.endswith(b'\r\n\r\n{"email": "a@b.c"}')
    assert not request.idempotent


def right(request, status):
    answer = Answer()
    answer.status = status
    return request.judge(answer, 0) == ("", "")


def test_right_statuses():
    plain, strict = requests_of({"path": "/"}, {"path": "/", "checks": {"status": 404}})
    assert [right(plain, status) for status in (199, 200, 399, 400)] == [False, True, True, False]
    assert (right(strict, 404), right(strict, 200)) == (True, False)


def test_weights_of_scenarios_and_requests_multiply():
    requests = parse_scenarios([
        {"name": "a", "weight": 3, "requests": [{"path": "/1", "weight": 2}, {"path": "/2"}]},
        {"name": "b", "requests": [{"path": "/3"}]}], Http(TARGET))
    assert Counter(mix(requests, 0)) == {0: 2, 1: 1, 2: 1}


@given(st.lists(st.integers(1, 10000), min_size=1, max_size=40), st.integers(0, 3))
def test_the_mix_keeps_the_proportions(weights, seed):
    requests = requests_of(*({"path": "/", "weight": weight} for weight in weights))
    pattern = mix(requests, seed)
    counts = Counter(pattern)
    assert len(pattern) <= MAX_PATTERN + len(weights)
    for index, weight in enumerate(weights):
        assert abs(counts[index] - len(pattern) * weight / sum(weights)) <= 1 + len(weights)


def scenario(**request):
    return [{"name": "s", "requests": [{"path": "/"}, {"path": "/", **request}]}]


@pytest.mark.parametrize(("scenarios", "field"), [
    ([{"name": "s"}], "scenarios[0]"),
    ([{"name": "s", "requests": []}], "scenarios[0].requests"),
    ([{"requests": [{"path": "/"}]}], "scenarios[0].name"),
    ([{"name": "a:b", "requests": [{"path": "/"}]}], "scenarios[0].name"),
    (scenario() + scenario(), "scenarios[1].name"),
    ([{"name": "s", "wait": 1, "requests": [{"path": "/"}]}], "scenarios[0]"),
    (["browse"], "scenarios[0]"),
    (scenario(path="api"), "scenarios[0].requests[1].path"),
    (scenario(method="GET /"), "scenarios[0].requests[1].method"),
    (scenario(weight=0), "scenarios[0].requests[1].weight"),
    (scenario(weight="a lot"), "scenarios[0].requests[1].weight"),
    (scenario(body=5), "scenarios[0].requests[1].body"),
    (scenario(headers={"X": "a\nb"}), "scenarios[0].requests[1].headers.X"),
    (scenario(headers="X"), "scenarios[0].requests[1].headers"),
    (scenario(checks={"status": "ok"}), "scenarios[0].requests[1].checks.status"),
    (scenario(checks={"status": [200, 700]}), "scenarios[0].requests[1].checks.status"),
    (scenario(checks={"body": "x"}), "scenarios[0].requests[1].checks"),
    (scenario(tags="x"), "scenarios[0].requests[1].tags"),
])
def test_errors_name_the_field_and_show_an_example(scenarios, field):
    with pytest.raises(InputError) as caught:
        parse_scenarios(scenarios, Http(TARGET))
    assert caught.value.field == field
    assert "Example: " in str(caught.value)


def test_a_query_in_the_target_has_no_place_before_a_path():
    with pytest.raises(InputError, match="no query"):
        requests_of({"path": "/a"}, target=Target.parse("http://h/?a=1"))
