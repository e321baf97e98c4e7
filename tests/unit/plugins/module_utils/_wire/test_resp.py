# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._wire import resp
from ansible_collections.evenkeel.fleet.plugins.module_utils._wire.resp import (
    Parser,
    ProtocolError,
    Push,
    RespError,
    encode_command,
)
from hypothesis import given
from hypothesis import strategies as st


def encode(value):
    """A server's side of RESP3: the inverse of the parser."""
    if value is None:
        return b"_\r\n"
    if isinstance(value, bool):
        return b"#t\r\n" if value else b"#f\r\n"
    if isinstance(value, int):
        return b"%c%d\r\n" % (b":" if abs(value) < 2**63 else b"(", value)
    if isinstance(value, float):
        return b",%s\r\n" % repr(value).encode()
    if isinstance(value, bytes):
        return b"$%d\r\n%b\r\n" % (len(value), value)
    if isinstance(value, str):
        return b"+%s\r\n" % value.encode()
    if isinstance(value, RespError):
        return b"-%s\r\n" % value.text.encode()
    if isinstance(value, dict):
        return b"%%%d\r\n" % len(value) + b"".join(encode(key) + encode(item) for key, item in value.items())
    return b"*%d\r\n" % len(value) + b"".join(map(encode, value))


lines = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=20)
scalars = (
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | st.binary(max_size=50)
    | lines | lines.map(RespError)
)
keys = st.binary(max_size=8) | st.integers()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=4))


def parse(data, encoding=None):
    parser = Parser(encoding)
    parser.feed(data)
    return list(parser)


def same(left, right):
    """Equality that tells 1 from True and from 1.0, as RESP3 does."""
    return repr(left) == repr(right)


@given(st.lists(values, max_size=4))
def test_what_is_encoded_is_parsed(replies):
    assert same(parse(b"".join(map(encode, replies))), replies)


@given(st.lists(values, min_size=1, max_size=4), st.data())
def test_any_split_of_the_bytes_gives_the_same_values(replies, data):
    wire = b"".join(map(encode, replies))
    parser, parsed, position = Parser(), [], 0
    while position < len(wire):
        step = data.draw(st.integers(1, len(wire) - position))
        parser.feed(wire[position:position + step])
        parsed.extend(parser)
        position += step
    assert same(parsed, replies)


@given(values)
def test_a_value_is_complete_only_with_its_last_byte(reply):
    wire = encode(reply)
    parser = Parser()
    parser.feed(wire[:-1])
    assert list(parser) == []
    parser.feed(wire[-1:])
    assert same(list(parser), [reply])


@given(st.binary(max_size=200))
def test_bytes_from_anywhere_end_in_values_or_a_protocol_error(noise):
    parser = Parser()
    parser.feed(noise)
    try:
        list(parser)
    except ProtocolError:
        parser.feed(b":1\r\n")
        with pytest.raises(ProtocolError):
            list(parser)


@given(st.lists(st.binary() | st.text() | st.integers() | st.floats(allow_nan=False), min_size=1))
def test_a_command_is_an_array_of_bulk_strings(arguments):
    expected = [argument if isinstance(argument, bytes) else str(argument).encode() for argument in arguments]
    assert parse(encode_command(*arguments)) == [expected]


@pytest.mark.parametrize("argument", [True, None, ["a"], {"a": 1}])
def test_arguments_without_one_spelling_are_refused(argument):
    with pytest.raises(TypeError, match=type(argument).__name__):
        encode_command("SET", argument)


@pytest.mark.parametrize(("wire", "value"), [
    (b"$-1\r\n", None),
    (b"*-1\r\n", None),
    (b"*0\r\n", []),
    (b"%0\r\n", {}),
    (b"*2\r\n*0\r\n*1\r\n*0\r\n", [[], [[]]]),
    (b"~2\r\n:1\r\n:2\r\n", [1, 2]),
    (b">1\r\n+invalidate\r\n", Push(["invalidate"])),
    (b"=7\r\ntxt:abc\r\n", b"abc"),
    (b"!8\r\nERR a\r\nb\r\n", RespError("ERR a\r\nb")),
    (b"-WRONGPASS invalid\r\n", RespError("WRONGPASS invalid")),
    (b"|1\r\n+ttl\r\n:3600\r\n*1\r\n:7\r\n", [7]),
    (b"*2\r\n:1\r\n|1\r\n+ttl\r\n:3600\r\n:2\r\n", [1, 2]),
    (b",inf\r\n", math.inf),
    (b",-inf\r\n", -math.inf),
    (b",1\r\n", 1.0),
    (b":+5\r\n", 5),
])
def test_every_type(wire, value):
    assert same(parse(wire), [value])


def test_not_a_number():
    (value,) = parse(b",nan\r\n")
    assert math.isnan(value)


def test_error_code_is_the_first_word():
    assert RespError("NOAUTH Authentication required.").code == "NOAUTH"


@pytest.mark.parametrize("wire", [
    b"HTTP/1.1 400 Bad Request\r\n",
    b"\x15\x03\x01\x00\x02\x02\x50",
    b":1_000\r\n",
    b":\r\n",
    b": 1\r\n",
    b":99999999999999999999999\r\n",
    b"(1x\r\n",
    b",1,5\r\n",
    b"#x\r\n",
    b"_x\r\n",
    b"$-2\r\n",
    b"$+1\r\n",
    b"$1e3\r\n",
    b"%-1\r\n",
    b"$?\r\n",
    b"$3\r\nabcde",
    b"=3\r\nabc\r\n",
    b"%1\r\n*0\r\n:1\r\n",
    b"$999999999999\r\n",
    b"*" + b"9" * 30 + b"\r\n",
])
def test_garbage_is_a_protocol_error(wire):
    with pytest.raises(ProtocolError, match=r"RESP: expected .*, found "):
        parse(wire)


def test_nesting_is_limited():
    deepest = b"*1\r\n" * resp.MAX_DEPTH
    assert parse(deepest) == []
    with pytest.raises(ProtocolError, match="nested"):
        parse(deepest + b"*1\r\n")


def test_a_line_without_an_end_is_limited():
    with pytest.raises(ProtocolError, match="a line of at most"):
        parse(b"+" + b"x" * resp.MAX_LINE_BYTES)


def test_a_big_bulk_string_in_small_pieces():
    payload = bytes(range(256)) * 16384
    wire = encode(payload)
    parser, parsed = Parser(), []
    for start in range(0, len(wire), 1000):
        parser.feed(wire[start:start + 1000])
        parsed.extend(parser)
    assert parsed == [payload]


def test_text_keeps_bytes_that_are_not_utf8():
    (text,) = parse(b"$2\r\n\xff\xfe\r\n", encoding="utf-8")
    assert text.encode("utf-8", "surrogateescape") == b"\xff\xfe"
    assert encode_command(text) == b"*1\r\n$2\r\n\xff\xfe\r\n"
