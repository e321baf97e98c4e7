# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small blocking client for Redis 5 and later: connect, authenticate, call, pipeline."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Any, Iterable, Sequence

from .._core.clock import Deadline
from .._core.errors import FleetError
from .._wire.resp import Argument, Parser, Push, RespError, encode_command
from .dial import DialError, TlsOptions, classify, dial

_REMEDIES = {
    "WRONGPASS": "Check the user and the password.",
    "NOAUTH": "Give the password (and the user, if it is not 'default').",
    "NOPERM": "Let the ACL of this user run the command, or use another user.",
    "DENIED": "The server is in protected mode: set a password on it, or connect over loopback.",
    "LOADING": "Wait until the server has loaded its data, then run again.",
    "MASTERDOWN": "Restore the link to the master, then run again.",
}


class RedisError(FleetError):
    """The server answered with an error; ``code`` is its first word, such as ``WRONGPASS``."""

    def __init__(self, where: str, command: str, error: RespError, remedy: str = "") -> None:
        super().__init__(
            f"redis at {where} refused {command}: {error.text}.".replace("..", "."),
            remedy or _REMEDIES.get(error.code, ""),
        )
        self.code = error.code


class RedisClient:
    """One connection, opened by the first call and closed by the ``with`` statement.

    :arg host, port: where the server listens, or ``unix_socket``: the path of its socket.
    :arg username: ACL user (Redis 6 and later); None for ``default``.
    :arg password: never part of a message.
    :arg tls: options of TLS; None for plain text.
    :arg timeout_s: limit in seconds for connecting, and for each call or pipeline as a whole.
    :arg deadline: of everything together; None for no such limit.
    :raises DialError: when the connection does not open or breaks.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 6379,
        unix_socket: str | None = None,
        username: str | None = None,
        password: str | None = None,
        tls: TlsOptions | None = None,
        timeout_s: float = 5.0,
        deadline: Deadline | None = None,
    ) -> None:
        self.where = unix_socket or f"{host}:{port}"
        self._address = (host, port, unix_socket, timeout_s, tls)
        self._username = username
        self._password = password
        self._timeout_s = timeout_s
        self._deadline = deadline
        self._sock: socket.socket | None = None
        self._parser = Parser(encoding="utf-8")

    def __enter__(self) -> RedisClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if it is open; the next call opens a new one."""
        if self._sock:
            self._sock.close()
        self._sock = None
        self._parser = Parser(encoding="utf-8")

    def call(self, *arguments: Argument) -> Any:
        """Run one command and return its reply; bulk strings are str.

        :raises RedisError: when the server answers with an error.
        """
        reply = self.pipeline([arguments])[0]
        if isinstance(reply, RespError):
            raise RedisError(self.where, str(arguments[0]).upper(), self._safe(reply))
        return reply

    def pipeline(self, commands: Iterable[Sequence[Argument]]) -> list[Any]:
        """Send all commands at once and return their replies in order; errors are RespError values."""
        batch = list(commands)
        return self._exchange(self._sock or self._connect(), batch)

    def _connect(self) -> socket.socket:
        """Open the connection and authenticate, when there is a password."""
        self._sock = sock = dial(*self._address)
        if self._password is None:
            return sock
        user = [self._username] if self._username else []
        reply = self._exchange(sock, [["AUTH", *user, self._password]])[0]
        if isinstance(reply, RespError):
            self.close()
            raise RedisError(self.where, "AUTH", self._safe(reply), "Check the user and the password.")
        return sock

    def _exchange(self, sock: socket.socket, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """Send and receive within the time-out; any failure closes the connection."""
        limit_s = self._timeout_s if self._deadline is None else min(self._timeout_s, self._deadline.remaining_s)
        deadline = Deadline(limit_s)
        replies: list[Any] = []
        try:
            sock.settimeout(max(limit_s, 0.001))
            sock.sendall(b"".join(encode_command(*command) for command in commands))
            while len(replies) < len(commands):
                sock.settimeout(max(deadline.remaining_s, 0.001))
                data = sock.recv(65536)
                if not data:
                    raise DialError("closed", f"{self.where} closed the connection.")
                self._parser.feed(data)
                replies.extend(value for value in self._parser if not isinstance(value, Push))
        except OSError as error:
            self.close()
            raise classify(error, self.where, self._timeout_s) from error
        except FleetError:
            self.close()
            raise
        return replies

    def _safe(self, error: RespError) -> RespError:
        """Return the error without the password, which servers echo where AUTH is renamed."""
        return RespError(error.text.replace(self._password, "********")) if self._password else error
