# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks and captures: what an answer has to be like, and what is taken from it."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario import content as content_module
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.capture import parse_captures
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.check import Checks
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.content import Content, Unreadable
from ansible_collections.evenkeel.fleet.plugins.module_utils._wire.http import Answer
from hypothesis import given
from hypothesis import strategies as st

BODY = json.dumps({"user": {"id": 7, "name": "Ada"}, "items": [], "ok": True}).encode()
MS = 1_000_000


def answer_of(body=BODY, status=200, headers=()):
    answer = Answer()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    assert answer.feed("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    return answer


def judged(checks, answer=None, latency_ms=1):
    return Checks.parse(checks, "checks").judge(answer or answer_of(), latency_ms * MS)


@pytest.mark.parametrize(("checks", "right", "wrong"), [
    ({"status": [201, 302]}, {"status": 302}, {"status": 200}),
    ({}, {"status": 399}, {"status": 400}),
    ({"contains": '"Ada"'}, {}, {"body": b'"Bob"'}),
    ({"pointers": {"/user/id": 7, "/ok": True}}, {}, {"body": b'{"user": {"id": 8}, "ok": true}'}),
    ({"pointers": {"/user/id": "7", "/ok": "True"}}, {}, {"body": b'{"user": {"id": "x"}, "ok": true}'}),
    ({"pointers": {"/user/id": 7}}, {}, {"body": b'{"user": []}'}),
    ({"pointers": {"": []}}, {"body": b"[]"}, {"body": b"no JSON"}),
    ({"headers": {"X-Cache": "HIT|STALE"}}, {"headers": ["x-cache: STALE"]}, {"headers": ["X-Cache: HITS"]}),
    ({"headers": {"X-Cache": ""}}, {"headers": ["X-Cache:"]}, {}),
    ({"min_bytes": 5}, {"body": b"12345"}, {"body": b"1234"}),
    ({"max_bytes": 5}, {"body": b"12345"}, {"body": b"123456"}),
], ids=str)
def test_what_is_right_and_what_is_wrong(checks, right, wrong):
    assert judged(checks, answer_of(**right)) == ("", "")
    error, detail = judged(checks, answer_of(**wrong))
    assert error == ("status" if "status" in wrong else "check")
    assert detail


def test_a_latency_limit():
    assert judged({"max_latency_ms": 5}, latency_ms=5) == ("", "")
    assert judged({"max_latency_ms": 5}, latency_ms=6) == ("check", "it took 6.0 ms, more than 5 ms")


@pytest.mark.parametrize(("checks", "keep_body", "compare"), [
    ({}, False, "head"), ({"status": 200, "headers": {"a": "b"}, "max_bytes": 5}, False, "head"),
    ({"contains": "a"}, True, "whole"), ({"pointers": {"/a": 1}}, True, "whole"),
    ({"contains": "a", "max_latency_ms": 5}, True, "never"),
])
def test_what_the_fast_path_has_to_compare(checks, keep_body, compare):
    parsed = Checks.parse(checks, "checks")
    assert (parsed.keep_body, parsed.compare) == (keep_body, compare)


@pytest.mark.parametrize(("coding", "encode"), [
    ("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes),
    ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
])
def test_codings_are_undone_for_the_check_but_not_for_the_size(coding, encode):
    sent = encode(BODY)
    answer = answer_of(sent, headers=[f"Content-Encoding: {coding}"])
    assert judged({"contains": '"Ada"', "min_bytes": len(sent), "max_bytes": len(sent)}, answer) == ("", "")


@pytest.mark.parametrize(("coding", "body", "detail"), [
    ("br", b"x", "send the header Accept-Encoding: gzip"),
    ("gzip", b"no gzip", "not gzip"),
    ("gzip", gzip.compress(BODY)[:-9], "in the middle of its gzip"),
])
def test_what_cannot_be_decoded_is_wrong(coding, body, detail):
    answer = answer_of(body, headers=[f"Content-Encoding: {coding}"])
    assert judged({}, answer) == ("", "")
    error, found = judged({"contains": "a"}, answer)
    assert error == "check"
    assert detail in found


def test_a_bomb_is_not_decoded(monkeypatch):
    monkeypatch.setattr(content_module, "MAX_DECODED_BYTES", 1000)
    with pytest.raises(Unreadable, match="longer than 1000 bytes"):
        bytes(Content(answer_of(gzip.compress(bytes(100000)), headers=["Content-Encoding: gzip"])).body)


@given(st.binary(), st.sampled_from(["gzip", "deflate", "gzip, br", ""]))
def test_no_content_makes_it_fail(body, coding):
    checks = Checks.parse({"contains": "x", "pointers": {"/a/0": 1}}, "checks")
    assert checks.judge(answer_of(body, headers=[f"Content-Encoding: {coding}"]), 0)[0] in ("", "check")


def taken(source, answer=None):
    (capture,) = parse_captures({"x": source}, "capture")
    return capture.take(Content(answer or answer_of(headers=["Location: /items/42?a=1"])))


@pytest.mark.parametrize(("source", "value"), [
    ({"json": "/user/id"}, 7), ({"json": "/user"}, {"id": 7, "name": "Ada"}), ({"json": "/ok"}, True),
    ({"regex": '"name": "([^"]+)"'}, "Ada"), ({"regex": "A.a"}, "Ada"), ({"regex": "(?:A)(da)"}, "da"),
    ({"header": "Location"}, "/items/42?a=1"), ({"header": "location", "regex": "items/([0-9]+)"}, "42"),
    ({"json": "/none", "default": 0}, 0), ({"header": "X-None", "default": "-"}, "-"),
    ({"regex": "z", "default": ""}, ""),
])
def test_captures(source, value):
    assert taken(source) == value


@pytest.mark.parametrize(("source", "detail"), [
    ({"json": "/none"}, "capture.x: the content has nothing at /none"),
    ({"header": "X-None"}, "capture.x: there is no header x-none"),
    ({"regex": "z+"}, r"capture.x: nothing matches z\+"),
    ({"regex": "A(z)?"}, r"capture.x: nothing matches A\(z\)\?"),
])
def test_what_is_not_there_cannot_be_captured(source, detail):
    with pytest.raises(Unreadable, match=detail):
        taken(source)


def test_a_capture_of_json_needs_json():
    with pytest.raises(Unreadable, match="not JSON: <html>"):
        taken({"json": "/a"}, answer_of(b"<html>"))


@pytest.mark.parametrize(("checks", "field"), [
    ("x", "checks"), ({"state": 1}, "checks"), ({"status": "ok"}, "checks.status"), ({"status": []}, "checks.status"),
    ({"status": [99]}, "checks.status"), ({"pointers": "/a"}, "checks.pointers"),
    ({"pointers": {"a": 1}}, "checks.pointers"), ({"pointers": {"/a~2": 1}}, "checks.pointers"),
    ({"headers": []}, "checks.headers"),
    ({"headers": {"X": "("}}, "checks.headers.X"), ({"min_bytes": -1}, "checks.min_bytes"),
    ({"min_bytes": 2, "max_bytes": 1}, "checks.min_bytes"), ({"max_latency_ms": 0}, "checks.max_latency_ms"),
    ({"max_latency_ms": "nan"}, "checks.max_latency_ms"), ({"max_latency_ms": True}, "checks.max_latency_ms"),
], ids=str)
def test_errors_of_checks_name_the_field(checks, field):
    with pytest.raises(InputError, match="Example: ") as caught:
        Checks.parse(checks, "checks")
    assert caught.value.field == field


@pytest.mark.parametrize(("captures", "field"), [
    (["token"], "capture"), ({"a b": {"json": "/a"}}, "capture.a b"), ({"x": "/token"}, "capture.x"),
    ({"x": {}}, "capture.x"), ({"x": {"xpath": "//a"}}, "capture.x"), ({"x": {"json": "token"}}, "capture.x.json"),
    ({"x": {"json": "/a", "header": "b"}}, "capture.x"), ({"x": {"json": "/a", "regex": "b"}}, "capture.x"),
    ({"x": {"regex": "("}}, "capture.x.regex"), ({"x": {"regex": "(a)(b)"}}, "capture.x.regex"),
], ids=str)
def test_errors_of_captures_name_the_field(captures, field):
    with pytest.raises(InputError, match="Example: ") as caught:
        parse_captures(captures, "capture")
    assert caught.value.field == field
