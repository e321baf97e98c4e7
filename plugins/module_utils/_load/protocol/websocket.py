# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WebSocket: a message and the next one that comes (echo), or one subscription and all that is pushed after it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Mapping

from ..._core.errors import InputError
from ..._core.text import utf8
from ..._wire import websocket as wire
from ..._wire.http import Answer as UpgradeAnswer
from .base import Encoded, Refused
from .http import merge, parse_headers, quoted

if TYPE_CHECKING:
    from ..engine.target import Target
    from ..scenario.request import Request


class WebSocket:
    """WebSocket to one target.

    :arg headers: sent with the request that opens a session.
    :raises InputError: when ``headers`` is no mapping.
    """

    keys = frozenset({"text", "subscribe"})
    preface = b""
    pushes = True

    def __init__(self, target: Target, headers: Mapping[str, Any] | None = None) -> None:
        common = {"Host": target.authority, "User-Agent": "evenkeel-probe"}
        self._headers = merge(common, parse_headers(headers, "headers"))
        self._path = quoted(target.path or "/", "target")

    def encode(self, spec: Mapping[str, Any], where: str) -> Encoded:
        """Return the frame of ``{text}`` or ``{subscribe}``: text, or a mapping or a list that is sent as JSON.

        A subscription is sent once per connection. The same bytes are sent each time, mask included.
        """
        given = {key: spec[key] for key in ("text", "subscribe") if spec.get(key) is not None}
        if len(given) != 1:
            raise InputError(where, dict(given), "either text or subscribe", "{text: hello}")
        (key, value), = given.items()
        if not isinstance(value, (str, Mapping, list)):
            raise InputError(f"{where}.{key}", value, "text, or a mapping or a list that is sent as JSON", "hello")
        text = value if isinstance(value, str) else json.dumps(value)
        frame = wire.encode_frame(wire.TEXT, utf8(text, f"{where}.{key}"))
        return Encoded(frame, key.upper(), text[:80], once=key == "subscribe")

    def greeting(self) -> Upgrade:
        """Return the opening handshake."""
        return Upgrade(self._path, self._headers)

    def answer(self, request: Request, keep_body: bool) -> Answer:
        """Return what reads one message."""
        return Answer()

    def same(self, answer: Answer, data: bytes, whole: bool) -> bytes:
        """Return the frame's head, or everything where the content decides."""
        return data if whole else data[:len(data) - answer.body_bytes]


class Upgrade:
    """The opening handshake of a connection."""

    def __init__(self, path: str, headers: Mapping[str, str]) -> None:
        self._key = wire.new_key()
        self._answer = UpgradeAnswer()
        self.opening = wire.encode_upgrade(path, headers, self._key)
        self.done = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the response."""
        answer = self._answer
        if answer.feed(data):
            if answer.status != 101:
                raise Refused(f"the server answers {answer.status} instead of 101 to the request for a WebSocket")
            if not wire.accepts(answer, self._key):
                raise wire.ProtocolError("WebSocket: the server's proof of the handshake is wrong")
            self.done, self.rest = True, answer.surplus
        return b""


class Answer:
    """One message; pings before it are answered. A close in its place is an error and ends the connection."""

    status = 0
    fields: tuple[tuple[str, str], ...] = ()

    def __init__(self) -> None:
        self.error = ""
        self.keep_alive = True
        self.body = b""
        self.body_bytes = 0
        self.reply = b""
        self._parser = wire.Parser()

    @property
    def surplus(self) -> bytes:
        """The bytes after the message."""
        return self._parser.rest

    def header(self, name: str) -> None:
        """There are no header fields."""

    def feed(self, data: bytes) -> bool:
        """Take bytes, ``b""`` for the end of the connection; return whether the message is complete.

        :raises wire.ProtocolError: when the bytes break the protocol.
        """
        if not data:
            raise wire.ProtocolError("the connection was closed without a closing handshake")
        self._parser.feed(data)
        while True:
            message = self._parser.next_message()
            if message is None:
                return False
            if message.opcode == wire.PING:
                self.reply += wire.encode_frame(wire.PONG, message.data)
            elif message.opcode == wire.CLOSE:
                self.keep_alive = False
                self.error = f"the server closed the session: {wire.close_reason(message.data)}"
                return True
            elif message.opcode != wire.PONG:
                self.body, self.body_bytes = message.data, len(message.data)
                return True
