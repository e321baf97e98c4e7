# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The frontend/backend protocol of PostgreSQL, version 3.0, without sockets: bytes in, messages out.

Source: PostgreSQL documentation, "Frontend/Backend Protocol"; SCRAM-SHA-256: RFC 5802, RFC 7677.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import re
import secrets
import stringprep
import struct
import unicodedata
from typing import Callable, Iterator, NamedTuple, Sequence

from .._core.errors import FleetError
from .._core.text import utf8

#: Longest message in bytes that is accepted from a server.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024

#: Names of the fields of an error or a notice, by their code.
ERROR_FIELDS = {
    "S": "severity", "V": "severity", "C": "code", "M": "message", "D": "detail", "H": "hint", "P": "position",
    "s": "schema", "t": "table", "c": "column", "d": "data_type", "n": "constraint", "W": "where",
}

_PROTOCOL_3_0 = 196608
_SSL_REQUEST = 80877103
_SCRAM = "SCRAM-SHA-256"


class ProtocolError(FleetError):
    """The bytes are not what a PostgreSQL server sends; the connection cannot be used any more."""

    def __init__(self, expected: str, found: bytes | str) -> None:
        super().__init__(
            f"PostgreSQL protocol: expected {expected}, found {found[:40]!r}.",
            "Check that the port is that of a PostgreSQL server and that TLS is on or off on both sides.",
        )


class Message(NamedTuple):
    """One message of the server: its type byte as a letter, and its body."""

    kind: str
    body: bytes


class Reader:
    """Cut a stream of bytes into messages: ``feed`` what arrives, iterate over what is complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def rest(self) -> bytes:
        """The bytes that no message was made of yet."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        """Add bytes as they arrive."""
        self._buffer += data

    def __iter__(self) -> Iterator[Message]:
        """Yield each complete message once.

        :raises ProtocolError: when the bytes cannot be a message.
        """
        while len(self._buffer) >= 5:
            kind, length = struct.unpack_from("!cI", self._buffer)
            if not kind.isalnum() or not 4 <= length <= MAX_MESSAGE_BYTES:
                raise ProtocolError("a message", bytes(self._buffer))
            if len(self._buffer) <= length:
                return
            body = bytes(self._buffer[5 : length + 1])
            del self._buffer[: length + 1]
            yield Message(kind.decode("ascii"), body)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _text(value: str) -> bytes:
    """Return a zero-terminated string.

    :raises FleetError: when the text itself holds a zero, or is none that UTF-8 can carry.
    """
    if "\0" in value:
        raise FleetError("PostgreSQL protocol: expected a text without a zero byte, found one.", "Remove it.")
    return utf8(value, "PostgreSQL protocol: text") + b"\0"


def ssl_request() -> bytes:
    """Ask for TLS; the server answers with the single byte ``S`` or ``N``."""
    return struct.pack("!II", 8, _SSL_REQUEST)


def startup(user: str, database: str, **parameters: str) -> bytes:
    """Return the first message of a session."""
    pairs = {"user": user, "database": database, "client_encoding": "UTF8", **parameters}
    body = b"".join(_text(name) + _text(value) for name, value in pairs.items()) + b"\0"
    return struct.pack("!II", len(body) + 8, _PROTOCOL_3_0) + body


def query(sql: str) -> bytes:
    """Return a simple query."""
    return _message(b"Q", _text(sql))


def parse(name: str, sql: str) -> bytes:
    """Return the message that prepares a statement; the empty name is for the next :func:`execute` only."""
    return _message(b"P", _text(name) + _text(sql) + b"\0\0")


def execute(name: str, values: Sequence[str | None]) -> bytes:
    """Return the messages that bind values as text, describe the rows, execute a prepared statement, and sync."""
    encoded = [None if value is None else utf8(value, "PostgreSQL protocol: parameter") for value in values]
    parameters = b"".join(struct.pack("!i", -1) if data is None else struct.pack("!i", len(data)) + data
                          for data in encoded)
    bind = b"\0" + _text(name) + struct.pack("!HH", 0, len(values)) + parameters + b"\0\0"
    return _message(b"B", bind) + _message(b"D", b"P\0") + _message(b"E", b"\0\0\0\0\0") + sync()


def sync() -> bytes:
    """Return the message after which the server is ready again, whatever went wrong before."""
    return _message(b"S", b"")


def terminate() -> bytes:
    """Return the message that ends a session."""
    return _message(b"X", b"")


def error_fields(body: bytes) -> dict[str, str]:
    """Return the fields of an ErrorResponse or NoticeResponse by name; the untranslated severity wins."""
    fields: dict[str, str] = {}
    for item in body.split(b"\0"):
        name = ERROR_FIELDS.get(item[:1].decode("latin-1"))
        if name:
            fields[name] = item[1:].decode("utf-8", "replace")
    return fields


def column_names(body: bytes) -> list[str]:
    """Return the names of the columns of a RowDescription."""
    try:
        (count,) = struct.unpack_from("!H", body)
        names, offset = [], 2
        for _dummy in range(count):
            end = body.index(b"\0", offset)
            names.append(body[offset:end].decode("utf-8", "replace"))
            offset = end + 19
    except (struct.error, ValueError) as error:
        raise ProtocolError("a row description", body) from error
    if offset != len(body):
        raise ProtocolError("a row description", body)
    return names


def row_values(body: bytes) -> list[str | None]:
    """Return the values of a DataRow as text; None for NULL."""
    try:
        (count,) = struct.unpack_from("!H", body)
        values: list[str | None] = []
        offset = 2
        for _dummy in range(count):
            (length,) = struct.unpack_from("!i", body, offset)
            offset += 4
            values.append(None if length < 0 else body[offset : offset + length].decode("utf-8", "replace"))
            offset += max(length, 0)
    except struct.error as error:
        raise ProtocolError("a row", body) from error
    if offset != len(body):
        raise ProtocolError("a row", body)
    return values


def saslprep(text: str) -> str:
    """Return a password in the form that SCRAM hashes (RFC 4013).

    As PostgreSQL does, text that the profile prohibits is returned as it is.
    """
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char for char in text if not stringprep.in_table_b1(char)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    prohibited = (
        stringprep.in_table_a1, stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3,
        stringprep.in_table_c4, stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7,
        stringprep.in_table_c8, stringprep.in_table_c9,
    )
    right_to_left = [stringprep.in_table_d1(char) for char in prepared]
    mixed = any(right_to_left) and (
        any(stringprep.in_table_d2(char) for char in prepared) or not (right_to_left[0] and right_to_left[-1])
    )
    if not prepared or mixed or any(table(char) for char in prepared for table in prohibited):
        return text
    return prepared


@functools.lru_cache(maxsize=4)
def _salted(password: bytes, salt: bytes, iterations: int) -> bytes:
    """Return SCRAM's salted password: slow on purpose, and the same for every session of a user."""
    return hashlib.pbkdf2_hmac("sha256", password, salt, iterations)


class Scram:
    """The client's side of SCRAM-SHA-256 without channel binding: three messages, both sides prove themselves."""

    def __init__(self, password: str, nonce: Callable[[], str] = lambda: secrets.token_urlsafe(18)) -> None:
        self._password = saslprep(password).encode()
        self._nonce = nonce()
        self._first = f"n=,r={self._nonce}"
        self._server_signature = b""

    def first(self) -> bytes:
        """Return the client-first message. PostgreSQL takes the user from the startup message."""
        return f"n,,{self._first}".encode()

    def final(self, challenge: bytes) -> bytes:
        """Return the client-final message for the server-first message.

        :raises ProtocolError: when the server's message is not well-formed or not for our nonce.
        """
        match = re.fullmatch(rb"r=([!-+\--~]+),s=([A-Za-z0-9+/]+=*),i=([1-9][0-9]{0,6})(,.*)?", challenge)
        if not match or not match.group(1).decode().startswith(self._nonce) or len(match.group(2)) % 4:
            raise ProtocolError("a SCRAM challenge for this session", challenge)
        nonce, salt, iterations = match.group(1).decode(), base64.b64decode(match.group(2)), int(match.group(3))
        without_proof = f"c=biws,r={nonce}"
        exchange = f"{self._first},{challenge.decode('utf-8', 'replace')},{without_proof}".encode()
        salted = _salted(self._password, salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client_key).digest(), exchange, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self._server_signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), exchange, "sha256")
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, outcome: bytes) -> None:
        """Check the server-final message.

        :raises ProtocolError: when the server does not know the password either.
        """
        if not self._server_signature or outcome != b"v=" + base64.b64encode(self._server_signature):
            raise ProtocolError("the server's own proof of the password", "none or a wrong one")


class Login:
    """Answer the server's requests for authentication.

    :arg password: never part of a message; None when none is given.
    :arg secure: whether nobody can listen: TLS or a Unix socket.
    :arg allow_cleartext: send the password itself even where somebody can listen.
    """

    def __init__(self, user: str, password: str | None, secure: bool, allow_cleartext: bool = False) -> None:
        self._user = user
        self._password = password
        self._may_show = secure or allow_cleartext
        self._scram: Scram | None = None
        self._proven = True

    def answer(self, body: bytes) -> bytes:
        """Return what to send for an Authentication message (type ``R``); empty when nothing is due.

        :raises FleetError: when no password is given, or the server wants what is not safe or not known.
        :raises ProtocolError: when the server breaks the protocol.
        """
        if len(body) < 4:
            raise ProtocolError("an authentication request", body)
        (method,), data = struct.unpack_from("!I", body), body[4:]
        if method == 0:
            if not self._proven:
                raise ProtocolError("the server's own proof of the password", "none")
            return b""
        if method == 3:
            if not self._may_show:
                raise FleetError(
                    "the server asks for the password in clear text over a connection without TLS.",
                    "Use TLS, or set password_encryption and pg_hba.conf to scram-sha-256.",
                )
            return _message(b"p", _text(self._given()))
        if method == 5 and len(data) == 4:
            inner = hashlib.md5((self._given() + self._user).encode()).hexdigest().encode()
            return _message(b"p", b"md5" + hashlib.md5(inner + data).hexdigest().encode() + b"\0")
        if method == 10 and _SCRAM.encode() in data.split(b"\0"):
            self._scram, self._proven = Scram(self._given()), False
            first = self._scram.first()
            return _message(b"p", _text(_SCRAM) + struct.pack("!I", len(first)) + first)
        if method == 11 and self._scram:
            return _message(b"p", self._scram.final(data))
        if method == 12 and self._scram:
            self._scram.verify(data)
            self._proven = True
            return b""
        raise FleetError(
            f"the server asks for authentication method {method}, which is not supported here.",
            "Set scram-sha-256 for this user and address in pg_hba.conf.",
        )

    def _given(self) -> str:
        if self._password is None:
            raise FleetError(f"the server asks for a password for user {self._user!r}, none is given.", "Give it.")
        return self._password
