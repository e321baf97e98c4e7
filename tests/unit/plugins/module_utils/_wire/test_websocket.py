# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WebSocket: frames as RFC 6455 has them, however the bytes are cut; what breaks the protocol is refused."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._wire.http import Answer
from ansible_collections.evenkeel.fleet.plugins.module_utils._wire.websocket import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    Message,
    Parser,
    ProtocolError,
    accepts,
    close_reason,
    encode_frame,
)
from hypothesis import given
from hypothesis import strategies as st


def server_frame(opcode, data, final=True):
    """Return a frame as a server sends it: not masked."""
    size = len(data)
    head = bytes([opcode | 0x80 * final])
    if size < 126:
        return head + bytes([size]) + data
    return head + (struct.pack("!BH", 126, size) if size < 65536 else struct.pack("!BQ", 127, size)) + data


def messages_of(*pieces):
    parser, found = Parser(), []
    for piece in pieces:
        parser.feed(piece)
        while (message := parser.next_message()) is not None:
            found.append(message)
    return found, parser.rest


def test_the_example_of_the_rfc():
    assert encode_frame(TEXT, b"Hello", bytes.fromhex("37fa213d")) == bytes.fromhex("818537fa213d7f9f4d5158")
    answer = Answer()
    assert answer.feed(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    assert accepts(answer, "dGhlIHNhbXBsZSBub25jZQ==")
    assert not accepts(answer, "another")


@given(st.binary(max_size=70000), st.binary(min_size=4, max_size=4))
def test_what_is_encoded_is_the_data_under_its_mask(data, mask):
    frame = encode_frame(BINARY, data, mask)
    masked = frame[len(frame) - len(data):]
    assert bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked)) == data
    start = 2 if len(data) < 126 else 4 if len(data) < 65536 else 10
    assert frame[start:start + 4] == mask


@given(st.lists(st.tuples(st.sampled_from([TEXT, BINARY, PING]), st.binary(max_size=125)), max_size=6),
       st.lists(st.integers(0, 800), max_size=8))
def test_messages_are_the_same_however_the_bytes_are_cut(messages, cuts):
    stream = b"".join(server_frame(opcode, data) for opcode, data in messages)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    found, rest = messages_of(*(stream[a:b] for a, b in zip(places, places[1:])))
    assert (found, rest) == ([Message(*message) for message in messages], b"")


def test_fragments_with_a_ping_between_them():
    found, dummy = messages_of(server_frame(TEXT, b"Hel", False), server_frame(PING, b"?"), server_frame(0, b"lo"))
    assert found == [Message(PING, b"?"), Message(TEXT, b"Hello")]


@pytest.mark.parametrize("data", [
    server_frame(3, b""), b"\xc1\x00", encode_frame(TEXT, b"masked"), server_frame(PING, b"x" * 126),
    server_frame(PING, b"", False), server_frame(0, b"x"), server_frame(TEXT, b"a", False) + server_frame(TEXT, b"b"),
    b"\x82\x7f" + struct.pack("!Q", 1 << 62),
], ids=["opcode", "reserved", "masked", "long-ping", "cut-ping", "continues-nothing", "begins-twice", "huge"])
def test_what_breaks_the_protocol_is_refused(data):
    with pytest.raises(ProtocolError):
        messages_of(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_messages_or_refused(data):
    try:
        found, rest = messages_of(data)
    except ProtocolError:
        return
    assert sum(len(message.data) for message in found) + len(rest) <= len(data)


def test_reasons_to_close():
    assert close_reason(b"\x03\xe9going away") == "1001 going away"
    assert close_reason(b"") == "1005"
    assert messages_of(server_frame(CLOSE, b"\x03\xe8"))[0] == [Message(CLOSE, b"\x03\xe8")]
