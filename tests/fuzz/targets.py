# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fuzzed: a function per parser that takes any bytes and fails only where the parser is wrong.

A parser that takes its bytes in pieces must make the same of them wherever they are cut. A parser of what people
write must accept it or raise ``FleetError``, and nothing else. Everything runs on plain Python: the fuzzer is in
``run.py``, and ``test_targets.py`` tries the corpus and what hypothesis makes up.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any, Callable, Iterable, Iterator

from ansible_collections.evenkeel.fleet.plugins.module_utils._core import pointer, units
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.threshold import Threshold
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.engine.access import Access
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.engine.target import Target
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.k6 import options as k6
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario import template
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.content import Content
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.cookies import Jar
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.parse import mix, parse_scenarios
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics import hdr
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime import pull
from ansible_collections.evenkeel.fleet.plugins.module_utils._wire import http, postgres, resp, websocket

TARGETS: dict[str, Callable[[bytes], None]] = {}


def target(function: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Make a function one of the targets, under its name."""
    TARGETS[function.__name__] = function
    return function


class Source:
    """Bytes as a source of choices; when they are used up it goes on with zeros."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, below: int) -> int:
        """Return a number from 0 to ``below`` - 1."""
        self._at += 1
        return self._data[self._at - 1] % below if self._at <= len(self._data) else 0

    def text(self) -> str:
        """Return up to 15 bytes as text."""
        size = self.number(16)
        piece = self._data[self._at:self._at + size]
        self._at += size
        return piece.decode("utf-8", "surrogateescape")

    def tree(self, words: list[str], depth: int = 5) -> Any:
        """Return what YAML can hold, with these words among its keys and texts."""
        kind = self.number(9 if depth else 6)
        if kind < 6:
            return [lambda: None, lambda: bool(self.number(2)), lambda: self.number(256) - 8, self.text,
                    lambda: float(self.number(256)) / 16, lambda: words[self.number(len(words))]][kind]()
        if kind == 6:
            return [self.tree(words, depth - 1) for _turn in range(self.number(4))]
        return {words[self.number(len(words))]: self.tree(words, depth - 1) for _turn in range(self.number(7))}


def pieces(data: bytes) -> tuple[bytes, Iterator[bytes]]:
    """Return the bytes after the first one, and the same cut in pieces whose size that one decides."""
    size, rest = (data[0] % 32 + 1 if data else 1), data[1:]
    return rest, (rest[start:start + size] for start in range(0, len(rest), size))


def same_for_any_cut(data: bytes, read: Callable[[Iterable[bytes]], Any]) -> None:
    """Fail when a parser makes something else of the bytes in one piece than of the same bytes cut."""
    whole, cut = pieces(data)
    at_once, in_pieces = read([whole]), read(cut)
    if at_once != in_pieces:
        raise AssertionError(f"in one piece {at_once!r}, cut {in_pieces!r}")


def values_of(parser: Any, parts: Iterable[bytes], error: type[FleetError]) -> list[str]:
    """Return what an iterable parser makes of the parts, as text, up to its end or its error."""
    found = []
    try:
        for part in parts:
            parser.feed(part)
            for value in parser:
                found.append(repr(value))
    except error:
        found.append("an error")
    return found


# Protocols


@target
def http_response(data: bytes) -> None:
    method, close = [("GET", False), ("GET", True), ("HEAD", True)][data[-1] % 3 if data else 0]

    def read(parts: Iterable[bytes]) -> list[Any]:
        parser = http.ResponseParser(method, max_head_bytes=256)
        events = [event for part in parts for event in parser.feed(part)] + (parser.close() if close else [])
        body = b"".join(event.data for event in events if isinstance(event, http.Body))
        rest = ["broken" if isinstance(event, http.Broken) else event for event in events
                if not isinstance(event, http.Body)]
        return [rest, body, parser.done]

    same_for_any_cut(data, read)


@target
def resp_values(data: bytes) -> None:
    same_for_any_cut(data, lambda parts: values_of(resp.Parser(), parts, resp.ProtocolError))
    same_for_any_cut(data, lambda parts: values_of(resp.Parser("utf-8"), parts, resp.ProtocolError))


@target
def websocket_messages(data: bytes) -> None:
    class Messages(websocket.Parser):
        def __iter__(self) -> Iterator[websocket.Message]:
            return iter(self.next_message, None)

    same_for_any_cut(data, lambda parts: values_of(Messages(), parts, websocket.ProtocolError))


@target
def postgres_messages(data: bytes) -> None:
    same_for_any_cut(data, lambda parts: values_of(postgres.Reader(), parts, postgres.ProtocolError))
    login = postgres.Login("user", "secret", secure=bool(data[:1] > b"\x7f"))
    for body in (data, data[1:]):
        postgres.error_fields(body)
        for read in (postgres.column_names, postgres.row_values, login.answer):
            refused(read, body)


@target
def answers(data: bytes) -> None:
    """Every protocol of the load probe reads one answer and says what is left, or refuses it."""
    for url, request in (("http://a", {"path": "/"}), ("redis://a", {"command": "PING"}), ("ws://a", {"text": "x"}),
                         ("pg://a@b/c", {"query": "SELECT 1"})):
        dialect = Access().dialect(Target.parse(url), None)
        (kind,) = parse_scenarios([{"name": "s", "requests": [request]}], dialect)

        def read(parts: Iterable[bytes], dialect: Any = dialect, kind: Any = kind) -> tuple[Any, ...]:
            answer = dialect.answer(kind, True)
            try:
                complete = any(answer.feed(part) for part in parts if part)
            except FleetError:
                return ("refused",)
            return complete, answer.status, answer.error, answer.body if complete else b""

        same_for_any_cut(data, read)


@target
def pull_events(data: bytes) -> None:
    """Whatever the engine tells of a pull, what is done is never more than all."""
    progress = pull.Progress()
    try:
        for event in pull.events(data.splitlines()):
            progress.take(event)
    except FleetError:
        pass
    status = progress.status()
    if status["layers_done"] > status["layers_all"] or status["bytes_done"] > status["bytes_all"]:
        raise AssertionError(status)


# What people write


def refused(function: Callable[..., Any], *arguments: Any) -> bool:
    """Call a function that may refuse its arguments with FleetError; return whether it did."""
    try:
        function(*arguments)
    except FleetError as error:
        str(error.to_failure())
        return True
    return False


@target
def thresholds(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    if not refused(Threshold.parse, text):
        rule = Threshold.parse(text)
        assert rule.judge({})["ok"] is None
        assert rule.judge({rule.metric: 1.0})["ok"] in (True, False)
    for parse in (units.parse_seconds, units.parse_bytes, units.parse_share):
        refused(parse, text)


@target
def urls(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    if not refused(Target.parse, text):
        found = Target.parse(text)
        assert found.host
        assert 0 < found.port < 65536
        refused(Access().dialect, found, None)


SCENARIO_WORDS = [
    "name", "weight", "requests", "steps", "method", "path", "headers", "body", "checks", "tags", "status", "contains",
    "json", "header", "pointers", "/a/b", "max_latency_ms", "max_bytes", "min_bytes", "capture", "regex", "default",
    "think_s", "from", "to", "step", "feeders", "policy", "values", "csv", "range", "random", "weighted",
    "keep_cookies", "command", "text",
    "subscribe", "query", "parameters", "prepared", "/items/${id}", "${row.name}", "GET", "a", "b", "1",
]


@target
def scenarios(data: bytes) -> None:
    source = Source(data)
    url = ("http://a/b", "redis://a", "ws://a", "pg://a@b/c")[source.number(4)]
    dialect = Access().dialect(Target.parse(url), None)
    wish = [{"name": f"s{number}", **tree} if isinstance(tree, dict) else tree
            for number, tree in enumerate(source.tree(SCENARIO_WORDS) for _turn in range(source.number(3) + 1))]
    feeders = source.tree(SCENARIO_WORDS) if source.number(2) else None
    if not refused(parse_scenarios, wish, dialect, feeders):
        requests = parse_scenarios(wish, dialect, feeders)
        assert sum(request.share for request in requests) == 1
        assert set(mix(requests, 0)) == {place for place, request in enumerate(requests) if request.share}


@target
def templates(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    if not refused(template.split, text, "here"):
        parts = template.split(text, "here")
        escaped = ["${" + part + "}" if isinstance(part, template.Reference) else part.replace("${", "$${")
                   for part in parts]
        assert template.split("".join(escaped), "here") == parts
        values = {part: "v" for part in parts if isinstance(part, template.Reference)}
        assert "".join("v" if part in values and isinstance(part, template.Reference) else part
                       for part in parts) == template.compiled(text, "here")(values)


@target
def cookies(data: bytes) -> None:
    jar = Jar("shop.example.org", secure=False, clock=lambda: 1_800_000_000.0)
    for line in data.decode("latin-1").split("\n"):
        jar.take([("set-cookie", line)], "/a/b")
        assert "\n" not in jar.header("/a/b?c")


@target
def pointers(data: bytes) -> None:
    path, _zero, document = data.partition(b"\0")
    try:
        tree = json.loads(document)
    except (ValueError, RecursionError):
        return
    with contextlib.suppress(LookupError):
        pointer.resolve(tree, path.decode("utf-8", "replace"))


@target
def contents(data: bytes) -> None:
    class Answer:
        status, error, body_bytes = 200, "", len(data)
        body = data[1:]

        def header(self, _name: str) -> str:
            return ("gzip", "deflate", "gzip, deflate", "br")[data[0] % 4 if data else 0]

    content = Content(Answer())  # type: ignore[arg-type]
    refused(lambda: content.body)
    refused(lambda: content.document)


@target
def histograms(data: bytes) -> None:
    text = data.decode("latin-1")
    if not refused(hdr.decode, text):
        once = hdr.decode(text)
        assert hdr.decode(hdr.encode(once)).counts == once.counts


K6_WORDS = [
    "vus", "duration", "iterations", "stages", "scenarios", "thresholds", "executor", "constant-vus", "ramping-vus",
    "constant-arrival-rate", "ramping-arrival-rate", "shared-iterations", "per-vu-iterations", "rate", "timeUnit",
    "startVUs", "startRate", "preAllocatedVUs", "maxVUs", "target", "startTime", "gracefulStop", "30s", "1m30s", "1h",
    "http_req_duration", "http_req_failed", "http_reqs", "p(95)<500", "rate<0.01", "avg<200", "threshold",
    "abortOnFail", "delayAbortEval", "http_req_duration{scenario:a}", "tags", "exec", "env", "noConnectionReuse",
]


@target
def k6_options(data: bytes) -> None:
    refused(k6.translate, Source(data).tree(K6_WORDS))
