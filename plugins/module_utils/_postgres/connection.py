# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one connection: psycopg 3 in, plain rows and one exception type out. No other file imports psycopg."""

from __future__ import annotations

import contextlib
import traceback
from typing import Any, Iterator, Mapping

from .._core.errors import FleetError

try:
    import psycopg
    from psycopg.rows import dict_row
except ImportError:
    PSYCOPG_MISSING: str | None = traceback.format_exc()
else:
    PSYCOPG_MISSING = None

APPLICATION_NAME = "evenkeel.fleet"


class SqlError(FleetError):
    """A statement failed. ``sqlstate`` is the server's five-character code, empty when the connection broke."""

    def __init__(self, error: Any, sql: str) -> None:
        diagnostic = error.diag
        self.sqlstate: str = error.sqlstate or ""
        self.primary: str = diagnostic.message_primary or str(error).strip() or type(error).__name__
        super().__init__(
            f"PostgreSQL said: {self.primary}.", diagnostic.message_hint or "",
            cmd=sql, stdout="", stderr=self.primary, rc=1, sqlstate=self.sqlstate,
        )


class ConnectError(FleetError):
    """The server could not be reached, or it refused the login."""


class Database:
    """A connection in autocommit mode."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a query as dictionaries; parameters are written ``%(name)s``."""
        try:
            return list(self._connection.execute(sql, parameters or None).fetchall())
        except psycopg.Error as error:
            raise SqlError(error, sql) from error

    def run(self, sql: str) -> None:
        """Run one statement without parameters.

        ``binary`` makes psycopg use the extended protocol, in which the server refuses several statements in one
        text: an expression of a wish cannot end its statement and begin another one.
        """
        try:
            self._connection.execute(sql, binary=True)
        except psycopg.Error as error:
            raise SqlError(error, sql) from error

    @contextlib.contextmanager
    def undone(self) -> Iterator[None]:
        """Run a block in a transaction that is always rolled back."""
        self.run("BEGIN")
        try:
            yield
        finally:
            self.run("ROLLBACK")


@contextlib.contextmanager
def connect(parameters: Mapping[str, Any]) -> Iterator[Database]:
    """Connect for the length of a block.

    :arg parameters: ``login_host``, ``login_port``, ``login_user``, ``login_password``, ``login_db``,
        ``login_unix_socket`` (a directory), ``ssl_mode``, ``ca_cert``, ``connect_timeout_s``.
    :raises ConnectError: naming host, port, user and database, never the password.
    """
    host = parameters["login_unix_socket"] or parameters["login_host"]
    wanted = {
        "host": host, "port": parameters["login_port"], "user": parameters["login_user"],
        "password": parameters["login_password"], "dbname": parameters["login_db"],
        "sslmode": parameters["ssl_mode"], "sslrootcert": parameters["ca_cert"],
        "connect_timeout": parameters["connect_timeout_s"], "application_name": APPLICATION_NAME,
    }
    try:
        connection = psycopg.connect(
            autocommit=True, row_factory=dict_row, **{key: value for key, value in wanted.items() if value is not None})
    except psycopg.Error as error:
        raise ConnectError(
            f"Cannot connect to database {parameters['login_db']!r} as {parameters['login_user']!r} at "
            f"{host or 'the default socket'}, port {parameters['login_port']}: {str(error).strip()}.",
            "Check login_host, login_port, login_user, login_password, login_db, login_unix_socket and ssl_mode.",
        ) from error
    try:
        yield Database(connection)
    finally:
        connection.close()
