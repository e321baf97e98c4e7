# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP/1.1 of the client without sockets: bytes in, events out.

Sources: RFC 9110 (semantics), RFC 9112 (messages, framing in section 6.3, chunks in section 7.1).

One ``ResponseParser`` reads one response; what follows it stays in ``surplus``. ``Answer`` collects
a whole response for those who do not care for events::

    answer = Answer("GET")
    while not answer.feed(sock.recv(65536)):   # b"" means that the peer closed
        pass
    answer.status, answer.header("content-type"), answer.body
"""

from __future__ import annotations

import functools
import re
from typing import Callable, Iterable, Mapping, NamedTuple, Union

from .._core.errors import FleetError, InputError

#: The default limit of a head, and of trailers, in bytes.
MAX_HEAD_BYTES = 65536
#: The limit of a chunk's size line with its extensions, in bytes.
MAX_CHUNK_LINE_BYTES = 4096
#: The limit of content that is kept, in bytes: a server may never end.
MAX_KEPT_BYTES = 64 * 1024 * 1024

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_METHOD = re.compile(_TOKEN)
_FIELD_NAME = re.compile(_TOKEN)
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_REQUEST_TARGET = re.compile(r"[\x21-\x7e]+")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?")
_FIELD_LINE = re.compile(rb"(" + _TOKEN.encode() + rb"):([\t\x20-\x7e\x80-\xff]*)")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_PREFIX = b"HTTP/1."

#: Heads up to this size are remembered, in bytes.
_KNOWN_BYTES = 4096

Fields = tuple[tuple[str, str], ...]


class ProtocolError(FleetError):
    """The peer does not speak HTTP/1.1."""


class Head(NamedTuple):
    """The status line and the header fields; names are in lower case. Below 200 it is an interim response."""

    status: int
    fields: Fields


class Body(NamedTuple):
    """A part of the content, chunk framing taken off."""

    data: bytes


class End(NamedTuple):
    """The response is complete; ``keep_alive`` tells whether the connection can carry another one."""

    keep_alive: bool
    trailers: Fields


class Broken(NamedTuple):
    """The bytes are not an HTTP/1.1 response; nothing more will be read."""

    reason: str


Event = Union[Head, Body, End, Broken]


def field(fields: Iterable[tuple[str, str]], name: str) -> str | None:
    """Return a field's value, several lines of it joined by commas; None when it is missing."""
    values = [value for key, value in fields if key == name]
    return ", ".join(values) if values else None


class ResponseParser:
    """Read one response, however its bytes are cut.

    :arg method: of the request; the answer to ``HEAD`` has no content.
    :arg max_head_bytes: a longer head (or longer trailers) is an error.

    After the End, ``surplus`` holds the bytes that follow the response. ``content_length`` is known
    after the Head, and None when the content is chunked or ends with the connection.
    """

    def __init__(self, method: str = "GET", max_head_bytes: int = MAX_HEAD_BYTES) -> None:
        self._method = method
        self._max = max_head_bytes
        self._buffer = b""
        self._step: Callable[[list[Event]], bool] | None = self._head
        self._left = 0
        self._until_close = False
        self._keep_alive = False
        self.content_length: int | None = None

    @property
    def done(self) -> bool:
        """Whether the response has ended, well or badly."""
        return self._step is None

    @property
    def surplus(self) -> bytes:
        """The bytes after the end of the response."""
        return self._buffer if self.done else b""

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes, return what they complete."""
        self._buffer = self._buffer + data if self._buffer else data
        events: list[Event] = []
        try:
            while self._step is not None and self._step(events):
                pass
        except ProtocolError as error:
            self._step = None
            events.append(Broken(error.msg))
        return events

    def close(self) -> list[Event]:
        """The peer closed the connection: the end of some responses, the breaking off of others."""
        if self.done:
            return []
        if self._until_close:
            return [self._end(())]
        self._step = None
        return [Broken("the connection was closed in the middle of the response")]

    # Each step returns whether it got on; False waits for more bytes.

    def _head(self, events: list[Event]) -> bool:
        buffer = self._buffer
        if buffer[:7] != _PREFIX[:len(buffer)]:
            raise ProtocolError("the answer does not begin with HTTP/1.0 or HTTP/1.1")
        block = self._block("head")
        if block is None:
            return False
        parsed = (_known_head if len(block) <= _KNOWN_BYTES else _parse_head)(block)
        events.append(parsed.head)
        status = parsed.head.status
        if not 100 <= status < 200 or status == 101:
            self._frame(parsed, status, events)
        return True

    def _frame(self, parsed: _ParsedHead, status: int, events: list[Event]) -> None:
        """Decide where the content ends: RFC 9112, section 6.3."""
        self._keep_alive, codings, lengths = parsed.persistent, parsed.codings, parsed.lengths
        if self._method == "HEAD" or status in (101, 204, 304):
            self.content_length = 0
            events.append(self._end(()))
        elif codings:
            self._keep_alive = self._keep_alive and not lengths
            self._until_close = codings[-1] != "chunked"
            self._step = self._rest if self._until_close else self._chunk_line
        elif lengths:
            text = lengths[0]
            if len(lengths) > 1 or not _LENGTH.fullmatch(text):
                raise ProtocolError("content-length is not one whole number")
            self.content_length = self._left = int(text)
            self._step = self._counted
        else:
            self._until_close = True
            self._step = self._rest

    def _counted(self, events: list[Event]) -> bool:
        if self._take(events):
            events.append(self._end(()))
        return False

    def _rest(self, events: list[Event]) -> bool:
        self._left = len(self._buffer)
        self._take(events)
        return False

    def _chunk_line(self, events: list[Event]) -> bool:
        line = self._line(MAX_CHUNK_LINE_BYTES)
        if line is None:
            return False
        match = _CHUNK_LINE.fullmatch(line)
        if not match:
            raise ProtocolError("a chunk's size is malformed")
        self._left = int(match.group(1), 16)
        self._step = self._chunk if self._left else self._trailers
        return True

    def _chunk(self, events: list[Event]) -> bool:
        if not self._take(events):
            return False
        self._step = self._chunk_end
        return True

    def _chunk_end(self, events: list[Event]) -> bool:
        line = self._line(2)
        if line is None:
            return False
        if line:
            raise ProtocolError("a chunk is longer than its size")
        self._step = self._chunk_line
        return True

    def _trailers(self, events: list[Event]) -> bool:
        if self._buffer[:1] == b"\n" or self._buffer[:2] == b"\r\n":
            self._line(2)
            events.append(self._end(()))
            return False
        if self._buffer in (b"", b"\r"):
            return False
        block = self._block("trailers")
        if block is not None:
            events.append(self._end(_parse_fields(_lines(block))))
        return False

    def _end(self, trailers: Fields) -> End:
        self._step = None
        return End(self._keep_alive and not self._until_close, trailers)

    def _take(self, events: list[Event]) -> bool:
        """Pass on up to ``_left`` bytes of content; return whether that was all."""
        data = self._buffer[:self._left]
        if data:
            self._buffer = self._buffer[len(data):]
            self._left -= len(data)
            events.append(Body(data))
        return self._left == 0

    def _line(self, limit: int) -> bytes | None:
        """Cut a line off the buffer, without its end; None when it is not complete."""
        end = self._buffer.find(b"\n", 0, limit)
        if end < 0:
            if len(self._buffer) >= limit:
                raise ProtocolError("a chunk is longer than its size" if limit == 2 else "a chunk's size is malformed")
            return None
        line, self._buffer = self._buffer[:end], self._buffer[end + 1:]
        return line[:-1] if line.endswith(b"\r") else line

    def _block(self, what: str) -> bytes | None:
        """Cut lines up to an empty one off the buffer; None when they are not complete."""
        match = _HEAD_END.search(self._buffer, 0, self._max)
        if match is None:
            if len(self._buffer) >= self._max:
                raise ProtocolError(f"the {what} is longer than {self._max} bytes")
            return None
        block, self._buffer = self._buffer[:match.start()], self._buffer[match.end():]
        return block


class _ParsedHead(NamedTuple):
    """A head with what decides how the content ends."""

    head: Head
    persistent: bool
    codings: tuple[str, ...]
    lengths: tuple[str, ...]


def _parse_head(block: bytes) -> _ParsedHead:
    status_line, *lines = _lines(block)
    match = _STATUS_LINE.fullmatch(status_line)
    if not match:
        raise ProtocolError("the status line is malformed")
    fields = _parse_fields(lines)
    options = _list(field(fields, "connection"))
    persistent = "keep-alive" in options if match.group(1) == b"0" else "close" not in options
    return _ParsedHead(Head(int(match.group(2)), fields), persistent, tuple(_list(field(fields, "transfer-encoding"))),
                       tuple(set(_list(field(fields, "content-length")))))


#: The same for heads that come again and again; few, since a date makes them new every second.
_known_head = functools.lru_cache(maxsize=32)(_parse_head)


def _lines(block: bytes) -> list[bytes]:
    """Return lines without their ends, folds undone."""
    return _FOLD.sub(b" ", block).replace(b"\r\n", b"\n").split(b"\n")


def _parse_fields(lines: Iterable[bytes]) -> Fields:
    fields = []
    for line in lines:
        match = _FIELD_LINE.fullmatch(line)
        if not match:
            raise ProtocolError("a header field is malformed")
        fields.append((match.group(1).decode("ascii").lower(), match.group(2).strip(b" \t").decode("latin-1")))
    return tuple(fields)


def _list(value: str | None) -> list[str]:
    """Split a comma-separated field into lower-case items."""
    return [item.strip().lower() for item in value.split(",") if item.strip()] if value else []


class Answer:
    """One whole response, collected.

    :arg method: of the request.
    :arg keep_body: whether to keep the content in ``body`` (True) or only count it in ``body_bytes``.

    ``status`` is 0 until the head is there. ``broken`` says what was wrong, else it is empty.
    """

    def __init__(self, method: str = "GET", keep_body: bool = True, max_head_bytes: int = MAX_HEAD_BYTES) -> None:
        self.parser = ResponseParser(method, max_head_bytes)
        self.status = 0
        self.fields: Fields = ()
        self.trailers: Fields = ()
        self.body_bytes = 0
        self.keep_alive = False
        self.error = ""
        self.reply = b""
        self._keep_body = keep_body
        self._parts: list[bytes] = []

    @property
    def body(self) -> bytes:
        """The content so far."""
        return b"".join(self._parts)

    @property
    def surplus(self) -> bytes:
        """The bytes after the response."""
        return self.parser.surplus

    def header(self, name: str) -> str | None:
        """Return a header field's value; ``name`` in lower case."""
        return field(self.fields, name)

    def feed(self, data: bytes) -> bool:
        """Take bytes, ``b""`` for the end of the connection; return whether the response is complete.

        :raises ProtocolError: when the bytes are not an HTTP/1.1 response, or more content than can be kept.
        """
        for event in self.parser.feed(data) if data else self.parser.close():
            if isinstance(event, Body):
                self.body_bytes += len(event.data)
                if self._keep_body:
                    if self.body_bytes > MAX_KEPT_BYTES:
                        raise ProtocolError(f"the content is longer than {MAX_KEPT_BYTES} bytes")
                    self._parts.append(event.data)
            elif isinstance(event, Head):
                if event.status >= 200 or event.status == 101:
                    self.status, self.fields = event
            elif isinstance(event, End):
                self.keep_alive, self.trailers = event
            else:
                raise ProtocolError(event.reason)
        return self.parser.done


def encode_request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"",
                   where: str = "request") -> bytes:
    """Return a request's bytes; ``content-length`` is added when there is content or the method wants some.

    :arg path: path and query, ASCII, e.g. ``/search?q=a%20b``.
    :arg headers: must hold ``Host``.
    :arg where: what an error's field begins with.
    :raises InputError: when a part cannot be sent as it is.
    """
    if not _METHOD.fullmatch(method):
        raise InputError(f"{where}.method", method, "a method name", "GET")
    if not _REQUEST_TARGET.fullmatch(path):
        raise InputError(f"{where}.path", path, "printable ASCII without blanks", "/search?q=a%20b")
    names = {name.lower() for name in headers}
    lines = [f"{method} {path} HTTP/1.1"]
    for name, value in headers.items():
        if not _FIELD_NAME.fullmatch(name):
            raise InputError(f"{where}.headers", name, "a header name", "Accept: application/json")
        if not _FIELD_VALUE.fullmatch(value):
            raise InputError(f"{where}.headers.{name}", value, "one line of text", "Accept: application/json")
        lines.append(f"{name}: {value}")
    if "host" not in names:
        raise InputError(f"{where}.headers", sorted(headers), "a Host header", "Host: app.example.org")
    if (body or method in ("POST", "PUT", "PATCH")) and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
