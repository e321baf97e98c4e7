# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP/1.1 parser: right events, the same for any cut of the bytes, no crash on any bytes."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._wire.http import (
    Answer,
    Body,
    Broken,
    End,
    Head,
    ProtocolError,
    ResponseParser,
    encode_request,
)
from hypothesis import given
from hypothesis import strategies as st


def events_of(pieces, method="GET", close=False, limit=65536):
    """Feed the pieces; return the events with neighbouring Body events joined, and the surplus."""
    parser = ResponseParser(method, limit)
    events = [event for piece in pieces for event in parser.feed(piece)]
    if close:
        events += parser.close()
    joined = []
    for event in events:
        if isinstance(event, Body) and joined and isinstance(joined[-1], Body):
            joined[-1] = Body(joined[-1].data + event.data)
        else:
            joined.append(event)
    return joined, parser.surplus


def answer_of(data, method="GET", close=False):
    """Return the complete answer."""
    answer = Answer(method)
    assert answer.feed(data) or (close and answer.feed(b""))
    return answer


LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Release:  v1 \r\n\r\nhello"
CHUNKED = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\nTrailer: X-Sum\r\n\r\n"
           b"5;name=\"v\"\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n")
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + LENGTH
CLOSING = b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nall the rest"
FOLDED = b"HTTP/1.1 204 No Content\r\nX-Long: one\r\n\t two\r\nX-Next: 3\r\n\r\n"
BARE_LF = b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"
BAD = {
    "garbage": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "a field without a name": b"HTTP/1.1 200 OK\r\n: x\r\n\r\n",
    "a blank before the colon": b"HTTP/1.1 200 OK\r\nServer : x\r\n\r\n",
    "a NUL in a field": b"HTTP/1.1 200 OK\r\nServer: a\0b\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "a chunk size that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\nhello",
    "a chunk longer than its size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n",
}


def test_content_length():
    answer = answer_of(LENGTH + b"HTTP")
    assert (answer.status, answer.body, answer.body_bytes, answer.keep_alive) == (200, b"hello", 5, True)
    assert answer.header("x-release") == "v1"
    assert answer.header("absent") is None
    assert answer.parser.surplus == b"HTTP"


def test_chunks_with_extensions_and_trailers():
    answer = answer_of(CHUNKED)
    assert (answer.body, answer.trailers, answer.keep_alive) == (b"hello world", (("x-sum", "11"),), True)
    assert answer.parser.content_length is None


def test_interim_responses_are_not_the_answer():
    assert answer_of(INTERIM).status == 200
    events, dummy = events_of([INTERIM])
    assert [event.status for event in events if isinstance(event, Head)] == [103, 100, 200]


def test_close_delimited_content_ends_with_the_connection():
    answer = answer_of(CLOSING, close=True)
    assert (answer.body, answer.keep_alive) == (b"all the rest", False)


@pytest.mark.parametrize(("method", "head"), [
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
    ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"),
])
def test_answers_without_content(method, head):
    answer = answer_of(head, method)
    assert (answer.body, answer.keep_alive) == (b"", True)


def test_switching_protocols_leaves_the_rest_to_the_new_protocol():
    answer = answer_of(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi")
    assert (answer.status, answer.parser.surplus) == (101, b"\x81\x02hi")


@pytest.mark.parametrize(("head", "keep_alive"), [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0, 0\r\n\r\n", True),
])
def test_keep_alive(head, keep_alive):
    assert answer_of(head).keep_alive is keep_alive


def test_folded_fields_become_one_line():
    assert answer_of(FOLDED).fields == (("x-long", "one two"), ("x-next", "3"))


def test_bare_line_feeds_are_accepted():
    assert answer_of(BARE_LF).body == b"ok"


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_not_http(data):
    with pytest.raises(ProtocolError):
        Answer().feed(data)


@pytest.mark.parametrize("size", [199, 200, 201])
def test_the_limit_of_the_head_is_exact(size):
    start, end = b"HTTP/1.1 204 No\r\nX: ", b"\r\n\r\n"
    data = start + b"x" * (size - len(start) - len(end)) + end
    for pieces in ([data], [data[i:i + 1] for i in range(len(data))]):
        events, dummy = events_of(pieces, limit=200)
        assert isinstance(events[-1], End if size <= 200 else Broken)


@pytest.mark.parametrize("data", [LENGTH[:-1], LENGTH[:10], CHUNKED[:-2], b""])
def test_closing_in_the_middle_is_an_error(data):
    answer = Answer()
    assert not (data and answer.feed(data))
    with pytest.raises(ProtocolError, match="in the middle"):
        answer.feed(b"")


WHOLE = st.sampled_from([LENGTH, CHUNKED, INTERIM, CLOSING, FOLDED, BARE_LF, LENGTH + LENGTH, *BAD.values()])


@given(WHOLE, st.lists(st.integers(0, 250)), st.sampled_from(["GET", "HEAD"]), st.booleans())
def test_any_cut_gives_the_same_events(data, cuts, method, close):
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in zip(places, places[1:])]
    whole, surplus = events_of([data], method, close)
    cut, cut_surplus = events_of(pieces, method, close)
    assert cut == whole
    assert not isinstance(whole[-1], End) or cut_surplus == surplus


@given(st.binary(max_size=300), st.integers(0, 300))
def test_no_bytes_crash_the_parser(tail, cut):
    data = b"HTTP/1.1 200 OK\r\n"[:cut % 18] + tail
    whole, dummy = events_of([data], close=True, limit=100)
    halves, dummy = events_of([data[:cut], data[cut:]], close=True, limit=100)
    assert whole == halves
    assert isinstance(whole[-1], (End, Broken))


@given(st.binary(max_size=2000), st.lists(st.integers(1, 700), min_size=1))
def test_chunked_content_comes_back(content, sizes):
    data, rest = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", content
    for size in sizes:
        piece, rest = rest[:size], rest[size:]
        data += b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b""
    data += (b"%X\r\n%s\r\n" % (len(rest), rest) if rest else b"") + b"0\r\n\r\n"
    assert answer_of(data).body == content


def test_encode():
    assert encode_request("GET", "/a?b=c", {"Host": "h"}) == b"GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n"
    assert encode_request("POST", "/", {"Host": "h"}, b"xy").endswith(b"Content-Length: 2\r\n\r\nxy")
    assert b"Content-Length: 0" in encode_request("POST", "/", {"Host": "h"})


@pytest.mark.parametrize(("arguments", "named"), [
    (("GE T", "/", {"Host": "h"}), "request.method"),
    (("GET", "/a b", {"Host": "h"}), "request.path"),
    (("GET", "", {"Host": "h"}), "request.path"),
    (("GET", "/", {"Host": "h", "X:": "1"}), "request.headers"),
    (("GET", "/", {"Host": "h\r\nX: 1"}), "request.headers.Host"),
    (("GET", "/", {}), "Host"),
])
def test_encode_refuses_what_would_break_the_message(arguments, named):
    with pytest.raises(InputError, match=named):
        encode_request(*arguments)
