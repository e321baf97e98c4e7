# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one executor: a line to HAProxy's unix socket, its answer back, once or as long as it goes on."""

from __future__ import annotations

import contextlib
import os
import socket

from .._core.errors import FleetError


class RuntimeSocket:
    """HAProxy's runtime API on a unix socket; one connection per command.

    :arg path: the ``stats socket`` of HAProxy's configuration.
    :arg timeout_s: longest wait for an answer, in seconds.
    """

    def __init__(self, path: str, timeout_s: float = 5.0) -> None:
        self._path = path
        self._timeout_s = timeout_s

    @property
    def exists(self) -> bool:
        """Whether there is anything at the path."""
        return os.path.exists(self._path)

    def ask(self, command: str) -> str:
        """Send one command and return the answer, blank lines around it removed.

        :raises FleetError: when nobody answers at the socket.
        """
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(self._timeout_s)
                connection.connect(self._path)
                connection.sendall(f"{command}\n".encode())
                return b"".join(iter(lambda: connection.recv(65536), b"")).decode().strip("\n")
        except OSError as error:
            raise self._no_answer(command, error) from error

    def follow(self, command: str) -> Lines:
        """Send a command that HAProxy goes on answering.

        :raises FleetError: when nobody answers at the socket.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._timeout_s)
            connection.connect(self._path)
            connection.sendall(f"{command}\n".encode())
        except OSError as error:
            connection.close()
            raise self._no_answer(command, error) from error
        connection.setblocking(False)
        return Lines(connection)

    def _no_answer(self, command: str, error: OSError) -> FleetError:
        return FleetError(
            f"socket: expected HAProxy's runtime API at {self._path}, found: {error}.",
            "See that HAProxy runs, that its configuration has 'stats socket … level admin' with this path, "
            "and that this user may open it (become: true).",
            cmd=command,
        )


class Lines:
    """What HAProxy sends after one command, line by line."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""
        #: Whether HAProxy has ended it.
        self.over = False

    def read(self) -> list[str]:
        """Return the lines that have come whole since the last time; never waits."""
        with contextlib.suppress(BlockingIOError):
            while not self.over:
                try:
                    received = self._connection.recv(1 << 16)
                except ConnectionError:
                    received = b""
                self.over = not received
                self._rest += received
        *lines, self._rest = self._rest.split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def close(self) -> None:
        """Ask for no more."""
        self._connection.close()
