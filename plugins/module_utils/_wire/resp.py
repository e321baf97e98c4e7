# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RESP, the protocol of Redis, versions 2 and 3, without sockets: bytes in, values out.

Source: "Redis serialization protocol specification", redis.io. Streamed strings and aggregates of RESP3
(``$?``, ``*?``), which no server sends, are a protocol error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Iterator, Union

from .._core.errors import FleetError

#: Longest header line in bytes; only simple strings, errors and big numbers come near it.
MAX_LINE_BYTES = 64 * 1024
#: Longest bulk string in bytes; the server's own default limit is ``proto-max-bulk-len`` 512 MiB.
MAX_BULK_BYTES = 512 * 1024 * 1024
#: Deepest nesting of aggregates; replies of Redis nest less than 10 deep.
MAX_DEPTH = 128

Argument = Union[str, bytes, int, float]

_INTEGER = re.compile(rb"[+-]?[0-9]+\Z")
_DOUBLE = re.compile(rb"(?:[+-]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|inf)|-?nan)\Z")
_BULK = b"$!="
_AGGREGATE = b"*%~>|"


class ProtocolError(FleetError):
    """The bytes are not RESP; the connection cannot be used any more."""

    def __init__(self, expected: str, found: bytes) -> None:
        super().__init__(
            f"RESP: expected {expected}, found {found[:40]!r}.",
            "Check that the port is that of a Redis server and that TLS is on or off on both sides.",
        )


@dataclass(frozen=True)
class RespError:
    """An error reply: ``text`` as the server sent it, ``code`` its first word, such as ``WRONGPASS``."""

    text: str

    @property
    def code(self) -> str:
        """The first word of the text."""
        return self.text.split(" ", 1)[0]


@dataclass(frozen=True)
class Push:
    """An out-of-band message of RESP3, such as an invalidation; never the reply to a command."""

    items: list[Any]


@dataclass
class _Open:
    """An aggregate that still misses ``missing`` items."""

    kind: int
    missing: int
    items: list[Any] = field(default_factory=list)


def encode_command(*arguments: Argument) -> bytes:
    """Return one command as RESP, the same in versions 2 and 3; text is UTF-8 with surrogate escapes.

    :raises TypeError: for an argument that has no one spelling, such as a bool or None.
    """
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        if isinstance(argument, bool) or not isinstance(argument, (str, bytes, int, float)):
            raise TypeError(f"a command takes str, bytes, int or float, not {type(argument).__name__}")
        data = argument if isinstance(argument, bytes) else str(argument).encode("utf-8", "surrogateescape")
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


class Parser:
    """Incremental parser: ``feed`` bytes in pieces of any size, iterate for the values that are complete.

    Values: simple strings are str; bulk strings bytes, or str when ``encoding`` is given (with surrogate
    escapes, so that nothing is lost); numbers int or float; null None; arrays and sets list; maps dict;
    errors RespError; pushes Push. Attributes are dropped, as the specification allows.
    The iterator stops where the bytes stop and goes on after the next ``feed``; bytes that are not RESP
    raise ProtocolError, then and ever after.
    """

    def __init__(self, encoding: str | None = None) -> None:
        self._encoding = encoding
        self._buffer = bytearray()
        self._bulk: tuple[int, int] | None = None
        self._open: list[_Open] = []

    @property
    def rest(self) -> bytes:
        """The bytes that no value was made of yet."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        """Add bytes as they came from the network."""
        self._buffer += data

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        while True:
            value = self._item()
            if isinstance(value, _Open):
                if len(self._open) == MAX_DEPTH:
                    raise ProtocolError(f"at most {MAX_DEPTH} nested aggregates", bytes(self._buffer))
                self._open.append(value)
            elif not self._open:
                return value
            else:
                self._open[-1].items.append(value)
                self._open[-1].missing -= 1
            complete = self._close()
            if complete:
                return complete[0]

    def _close(self) -> list[Any]:
        """Close every aggregate that is full; return the top-level value in a list once it is complete."""
        while self._open and self._open[-1].missing == 0:
            done = self._open.pop()
            if done.kind == ord("|"):
                continue
            value = _finish(done)
            if not self._open:
                return [value]
            self._open[-1].items.append(value)
            self._open[-1].missing -= 1
        return []

    def _item(self) -> Any:
        """Take the next scalar, or the head of an aggregate; stop the iteration where bytes are missing."""
        if self._bulk is None:
            kind, line = self._line()
            if kind in _AGGREGATE or kind in _BULK:
                length = _length(line, nullable=kind in b"$*")
                if length < 0:
                    return self._take(line, None)
                if kind in _AGGREGATE:
                    return self._take(line, _Open(kind, length * 2 if kind in b"%|" else length))
                if length > MAX_BULK_BYTES:
                    raise ProtocolError(f"a bulk string of at most {MAX_BULK_BYTES} bytes", line)
                self._bulk = self._take(line, (kind, length))
            else:
                return self._take(line, _scalar(kind, line))
        kind, length = self._bulk
        if len(self._buffer) < length + 2:
            raise StopIteration
        if self._buffer[length:length + 2] != b"\r\n":
            raise ProtocolError("CRLF at the end of a bulk string", bytes(self._buffer[length:length + 2]))
        data = bytes(self._buffer[:length])
        value = self._bulk_value(kind, data)
        del self._buffer[:length + 2]
        self._bulk = None
        return value

    def _line(self) -> tuple[int, bytes]:
        """Return the type and the rest of the header line, leaving it in the buffer."""
        if not self._buffer:
            raise StopIteration
        kind = self._buffer[0]
        if kind not in b"+-:$*_#,(!=%~>|":
            raise ProtocolError("a type of RESP", bytes(self._buffer[:40]))
        end = self._buffer.find(b"\r\n", 1, MAX_LINE_BYTES)
        if end < 0:
            if len(self._buffer) >= MAX_LINE_BYTES:
                raise ProtocolError(f"a line of at most {MAX_LINE_BYTES} bytes", bytes(self._buffer[:40]))
            raise StopIteration
        return kind, bytes(self._buffer[1:end])

    def _take(self, line: bytes, value: Any) -> Any:
        """Drop the header line from the buffer, now that it proved to be right, and return ``value``."""
        del self._buffer[:len(line) + 3]
        return value

    def _bulk_value(self, kind: int, data: bytes) -> Any:
        if kind == ord("!"):
            return RespError(_text(data))
        if kind == ord("="):
            if data[3:4] != b":":
                raise ProtocolError("a verbatim string such as txt:…", data)
            data = data[4:]
        return data.decode(self._encoding, "surrogateescape") if self._encoding else data


def _length(line: bytes, nullable: bool) -> int:
    if not (line.isdigit() and len(line) < 20) and not (nullable and line == b"-1"):
        raise ProtocolError("a length", line)
    return int(line)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _scalar(kind: int, line: bytes) -> Any:
    if kind == ord("+"):
        return _text(line)
    if kind == ord("-"):
        return RespError(_text(line))
    if kind == ord(":") and _INTEGER.match(line) and len(line) <= 20:
        return int(line)
    if kind == ord("(") and _INTEGER.match(line) and len(line) <= 4300:  # the longest that int() takes
        return int(line)
    if kind == ord(",") and _DOUBLE.match(line):
        return float(line)
    if kind == ord("#") and line in (b"t", b"f"):
        return line == b"t"
    if kind == ord("_") and not line:
        return None
    raise ProtocolError("an integer, a number, a boolean or null", bytes([kind]) + line)


def _finish(done: _Open) -> Any:
    if done.kind == ord("%"):
        try:
            return dict(zip(done.items[::2], done.items[1::2]))
        except TypeError:
            raise ProtocolError("a map whose keys are scalars", repr(done.items[::2]).encode()) from None
    if done.kind == ord(">"):
        return Push(done.items)
    return done.items
