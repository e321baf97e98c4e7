# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small blocking client for PostgreSQL, for checks on hosts that have no driver: connect, ask, close."""

from __future__ import annotations

import contextlib
import socket
from types import TracebackType

from .._core.clock import Deadline
from .._core.errors import FleetError
from .._wire import postgres as wire
from .dial import DialError, TlsOptions, classify, dial, start_tls

_REMEDIES = {
    "28P01": "Check the user and the password.",
    "28000": "Check the user, and let pg_hba.conf admit it from this address.",
    "3D000": "Create the database, or correct its name.",
    "53300": "Raise max_connections, or free connections.",
    "57P03": "Wait until the server has started, then run again.",
    "42501": "Grant the user what the query reads.",
    "25006": "A check only reads; remove what writes from its query.",
    "57014": "Allow more time, or ask a cheaper query.",
}


class PostgresError(FleetError):
    """The server answered with an error; ``code`` is its SQLSTATE, such as ``28P01``."""

    def __init__(self, where: str, fields: dict[str, str]) -> None:
        self.code = fields.get("code", "")
        remedy = _REMEDIES.get(self.code) or fields.get("hint", "")
        super().__init__(f"postgresql at {where}: {fields.get('message', 'unknown error')} ({self.code}).", remedy)


class PostgresClient:
    """One session, opened by the ``with`` statement and closed by it.

    :arg host, port: where the server listens, or ``unix_socket``: the path of its socket.
    :arg password: never part of a message.
    :arg tls: options of TLS; None for plain text.
    :arg timeout_s: limit in seconds for the whole session, from the connect to the last row.
    :arg allow_cleartext: give the password as it is to a server that asks for that without TLS.
    :raises DialError: when the connection does not open or breaks.
    :raises PostgresError: when the server refuses the session or a query.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 5432,
        unix_socket: str | None = None,
        user: str = "postgres",
        password: str | None = None,
        database: str = "postgres",
        tls: TlsOptions | None = None,
        timeout_s: float = 5.0,
        allow_cleartext: bool = False,
    ) -> None:
        self.where = unix_socket or f"{host}:{port}"
        #: What the server reports of itself, such as ``server_version``.
        self.parameters: dict[str, str] = {}
        self._address = (host, port, unix_socket, timeout_s)
        self._tls = tls
        self._startup = wire.startup(user, database, application_name="evenkeel.fleet")
        self._login = wire.Login(user, password, bool(tls or unix_socket), allow_cleartext)
        self._timeout_s = timeout_s
        self._reader = wire.Reader()

    def __enter__(self) -> PostgresClient:
        self._deadline = Deadline(self._timeout_s)
        self._sock = dial(*self._address)
        try:
            if self._tls:
                self._sock = self._secure(self._sock, self._tls)
            self._exchange(self._startup)
        except FleetError:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def query(self, sql: str) -> list[dict[str, str | None]]:
        """Run one or more statements and return the rows of the last that has any, values as text."""
        return self._exchange(wire.query(sql))

    def read(self, sql: str) -> list[dict[str, str | None]]:
        """Run a query in a read-only transaction and return its rows."""
        limit_ms = max(1, int(self._deadline.remaining_s * 1000))
        self.query(f"START TRANSACTION READ ONLY; SET LOCAL statement_timeout = {limit_ms}")
        rows = self.query(sql)
        self.query("ROLLBACK")
        return rows

    def _close(self) -> None:
        with contextlib.suppress(OSError):  # the server may have gone first
            self._sock.sendall(wire.terminate())
        self._sock.close()

    def _secure(self, sock: socket.socket, tls: TlsOptions) -> socket.socket:
        try:
            sock.sendall(wire.ssl_request())
            reply = sock.recv(1)
            if reply == b"N":
                raise DialError("tls", f"{self.where} has TLS switched off (ssl = off).")
            if reply != b"S":
                raise wire.ProtocolError("S or N in answer to the request for TLS", reply)
            return start_tls(sock, str(self._address[0]), tls)
        except OSError as error:
            raise classify(error, self.where, self._timeout_s) from error

    def _exchange(self, data: bytes) -> list[dict[str, str | None]]:
        """Send, and collect rows until the server is ready for the next query."""
        sock = self._sock
        names: list[str] = []
        rows: list[dict[str, str | None]] = []
        refusals: list[PostgresError] = []
        try:
            sock.settimeout(max(self._deadline.remaining_s, 0.001))
            sock.sendall(data)
            while True:
                for kind, body in self._reader:
                    if kind == "R":
                        sock.sendall(self._login.answer(body))
                    elif kind == "S":
                        name, _zero, value = body.decode("utf-8", "replace").partition("\0")
                        self.parameters[name] = value.rstrip("\0")
                    elif kind == "T":
                        names, rows = wire.column_names(body), []
                    elif kind == "D":
                        rows.append(dict(zip(names, wire.row_values(body))))
                    elif kind == "E":
                        refusals.append(PostgresError(self.where, wire.error_fields(body)))
                    elif kind in "GHW":
                        raise FleetError("COPY is not supported here.", "Ask with SELECT.")
                    elif kind == "Z":
                        if refusals:
                            raise refusals[0]
                        return rows
                sock.settimeout(max(self._deadline.remaining_s, 0.001))
                received = sock.recv(65536)
                if not received:
                    raise ConnectionError("the server ended it")
                self._reader.feed(received)
        except OSError as error:
            if refusals:
                raise refusals[0] from error
            raise classify(error, self.where, self._timeout_s) from error
