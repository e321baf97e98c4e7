# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PostgreSQL: one query, all its rows. Simple, extended (with parameters) or prepared once per connection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from ..._core.errors import FleetError, InputError
from ..._wire import postgres as wire
from .base import Encoded, Refused

if TYPE_CHECKING:
    from ..scenario.request import Request


class Postgres:
    """One database.

    :arg password: never part of a message; None when none is needed.
    :arg secure: whether nobody can listen: TLS or a Unix socket. Else the password itself is never sent.
    """

    keys = frozenset({"query", "parameters", "prepared"})
    preface = wire.ssl_request()
    pushes = True

    def __init__(self, user: str, password: str | None, database: str, secure: bool) -> None:
        self._startup = wire.startup(user, database, application_name="evenkeel-probe")
        self._access = (user, password, secure)
        self._prepared: dict[str, str] = {}

    def encode(self, spec: Mapping[str, Any], where: str) -> Encoded:
        """Return the messages of ``{query, parameters, prepared}``.

        A query with ``parameters`` (``$1`` …) goes by the extended protocol, parsed anew each time; with ``prepared``
        it is parsed when a connection opens. What is not known by then is not prepared.
        """
        query, parameters = spec.get("query"), spec.get("parameters")
        if not isinstance(query, str) or not query.strip() or "\0" in query:
            raise InputError(f"{where}.query", query, "a statement", "SELECT 1")
        if parameters is not None and (isinstance(parameters, (str, Mapping)) or not isinstance(parameters, Sequence)):
            raise InputError(f"{where}.parameters", parameters, "a list of values for $1, $2 …", "[7, drama]")
        if parameters is None and not spec.get("prepared"):
            payload = wire.query(query)
        else:
            name = self._prepared.setdefault(query, f"evenkeel_{len(self._prepared)}") if spec.get("prepared") else ""
            values = [_as_text(value) for value in parameters or ()]
            payload = (b"" if name else wire.parse("", query)) + wire.execute(name, values)
        return Encoded(payload, "QUERY", " ".join(query.split())[:80])

    def greeting(self) -> Login:
        """Return start-up, log-in and preparation of a session."""
        prepare = b"".join(wire.parse(name, query) for query, name in self._prepared.items())
        return Login(self._startup, wire.Login(*self._access), prepare)

    def answer(self, request: Request, keep_body: bool) -> Answer:
        """Return what reads all messages up to the one that the server is ready again."""
        return Answer(keep_body)

    def same(self, answer: Answer, data: bytes, whole: bool) -> bytes:
        """Return everything: rows have no head that would tell their size."""
        return data


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else None if value is None else str(value)


class Login:
    """The first messages of a session, up to the one that the server is ready for queries."""

    def __init__(self, startup: bytes, login: wire.Login, prepare: bytes) -> None:
        self.opening = startup
        self.done = False
        self.rest = b""
        self._login = login
        self._prepare = prepare
        self._reader = wire.Reader()

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the server, return what to send."""
        reply = b""
        self._reader.feed(data)
        for kind, body in self._reader:
            if kind == "E":
                raise Refused(refusal(body))
            if kind == "R":
                try:
                    reply += self._login.answer(body)
                except wire.ProtocolError:
                    raise
                except FleetError as error:
                    raise Refused(error.msg) from error
            elif kind == "Z":
                if not self._prepare:
                    self.done, self.rest = True, self._reader.rest
                    break
                reply, self._prepare = self._prepare + wire.sync(), b""
        return reply


class Answer:
    """The answer to one query. ``body`` is a JSON list of its rows as mappings, values as text."""

    status = 0
    fields: tuple[tuple[str, str], ...] = ()
    keep_alive = True

    def __init__(self, keep_body: bool) -> None:
        self.error = ""
        self.body_bytes = 0
        self.reply = b""
        self._keep_body = keep_body
        self._names: list[str] = []
        self._rows: list[dict[str, str | None]] = []
        self._reader = wire.Reader()

    @property
    def body(self) -> bytes:
        """The rows as JSON."""
        return json.dumps(self._rows).encode()

    @property
    def surplus(self) -> bytes:
        """The bytes after the answer."""
        return self._reader.rest

    def header(self, name: str) -> None:
        """There are no header fields."""

    def feed(self, data: bytes) -> bool:
        """Take bytes, ``b""`` for the end of the connection; return whether the answer is complete.

        :raises wire.ProtocolError: when the bytes are not what a server sends.
        """
        if not data:
            raise wire.ProtocolError("the rest of an answer", self.error or "the end of the connection")
        self._reader.feed(data)
        for kind, body in self._reader:
            if kind == "Z":
                return True
            if kind == "D":
                self.body_bytes += len(body)
                if self._keep_body:
                    self._rows.append(dict(zip(self._names, wire.row_values(body))))
            elif kind == "E":
                self.error = self.error or refusal(body)
            elif kind == "T" and self._keep_body:
                self._names = wire.column_names(body)
            elif kind in "GHW":
                raise wire.ProtocolError("rows (COPY is not supported)", kind)
        return False


def refusal(body: bytes) -> str:
    """Return severity, SQLSTATE and message of an error, such as ``ERROR 42P01: relation "x" does not exist``."""
    fields = wire.error_fields(body)
    return f"{fields.get('severity', 'ERROR')} {fields.get('code', '')}: {fields.get('message', '')}"
