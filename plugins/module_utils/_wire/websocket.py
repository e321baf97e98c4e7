# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WebSocket of the client without sockets: bytes in, messages out.

Source: RFC 6455 (opening handshake in section 4, frames in section 5). No extensions are offered.
"""

from __future__ import annotations

import base64
import hashlib
import os
import struct
from typing import Mapping, NamedTuple

from .._core.errors import FleetError
from .http import Answer, encode_request

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

#: The limit of a message, all its fragments together, in bytes.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024

_CONTINUATION = 0
_OPCODES = frozenset({_CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class ProtocolError(FleetError):
    """The bytes are not what a WebSocket server sends."""


class Message(NamedTuple):
    """A whole message or a control frame: its opcode and its data."""

    opcode: int
    data: bytes


def new_key() -> str:
    """Return a value for ``Sec-WebSocket-Key``."""
    return base64.b64encode(os.urandom(16)).decode()


def encode_upgrade(path: str, headers: Mapping[str, str], key: str) -> bytes:
    """Return the request that opens a session; ``headers`` must hold ``Host``."""
    own = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
    return encode_request("GET", path, {**headers, **own}, where="upgrade")


def accepts(answer: Answer, key: str) -> bool:
    """Whether a response accepts the session that ``key`` asked for."""
    wanted = base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()
    return answer.status == 101 and answer.header("sec-websocket-accept") == wanted


def encode_frame(opcode: int, data: bytes, mask: bytes | None = None) -> bytes:
    """Return one final frame of a client, which is always masked; a fresh mask unless one is given."""
    mask = mask or os.urandom(4)
    size = len(data)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 0xFE, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0xFF, size)
    pattern = (mask * (size // 4 + 1))[:size]
    masked = (int.from_bytes(data, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")
    return head + mask + masked


class Parser:
    """Cut a server's bytes into messages: ``feed`` what arrives, call ``next_message`` until it returns None.

    ``rest`` are the bytes that no message was made of yet.
    """

    def __init__(self) -> None:
        self.rest = b""
        self._opcode = _CONTINUATION
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Add bytes as they arrive."""
        self.rest = self.rest + data if self.rest else data

    def next_message(self) -> Message | None:
        """Return the next whole message or control frame; None when bytes are missing.

        :raises ProtocolError: when the bytes break the protocol.
        """
        while True:
            frame = self._frame()
            if frame is None:
                return None
            final, opcode, data = frame
            if opcode >= CLOSE:
                return Message(opcode, data)
            if (opcode == _CONTINUATION) != bool(self._opcode):
                raise ProtocolError("WebSocket: a fragment is out of order")
            self._opcode = opcode or self._opcode
            self._parts.append(data)
            self._size += len(data)
            if self._size > MAX_MESSAGE_BYTES:
                raise ProtocolError(f"WebSocket: a message is longer than {MAX_MESSAGE_BYTES} bytes")
            if final:
                message = Message(self._opcode, b"".join(self._parts))
                self._opcode, self._parts, self._size = _CONTINUATION, [], 0
                return message

    def _frame(self) -> tuple[bool, int, bytes] | None:
        """Cut one frame off; None when it is not complete."""
        buffer = self.rest
        if len(buffer) < 2:
            return None
        first, second = buffer[0], buffer[1]
        opcode, size, start = first & 15, second & 127, 2
        if first & 0x70 or opcode not in _OPCODES:
            raise ProtocolError("WebSocket: a frame has a reserved bit or opcode")
        if second & 0x80:
            raise ProtocolError("WebSocket: the server masks its frames")
        if opcode >= CLOSE and (size > 125 or not first & 0x80):
            raise ProtocolError("WebSocket: a control frame is fragmented or longer than 125 bytes")
        if size > 125:
            start = 4 if size == 126 else 10
            if len(buffer) < start:
                return None
            size = int.from_bytes(buffer[2:start], "big")
            if size > MAX_MESSAGE_BYTES:
                raise ProtocolError(f"WebSocket: a message is longer than {MAX_MESSAGE_BYTES} bytes")
        end = start + size
        if len(buffer) < end:
            return None
        self.rest = buffer[end:]
        return bool(first & 0x80), opcode, buffer[start:end]


def close_reason(data: bytes) -> str:
    """Return code and text of a close frame, such as ``1001 going away``."""
    if len(data) < 2:
        return "1005"
    return f"{int.from_bytes(data[:2], 'big')} {data[2:].decode('utf-8', 'replace')}".strip()
