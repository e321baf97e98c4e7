# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Redis: one command, one reply (RESP2)."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, Mapping

from ..._core.errors import InputError
from ..._wire.resp import Parser, ProtocolError, Push, RespError, encode_command
from .base import Encoded, Refused

if TYPE_CHECKING:
    from ..scenario.request import Request

EXAMPLE = "[GET, 'session:7']"

#: Commands after which the server sends more than one reply, or none.
_STREAMS = frozenset({"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "SYNC", "PSYNC", "QUIT"})


class Redis:
    """Redis at one target.

    :arg username: ACL user; None for ``default``.
    :arg password: never part of a message; None for no authentication.
    :arg database: selected when it is not 0.
    """

    keys = frozenset({"command"})
    preface = b""
    pushes = False

    def __init__(self, username: str | None = None, password: str | None = None, database: int = 0) -> None:
        user = [username] if username else []
        self._login = [["AUTH", *user, password]] if password is not None else []
        if database:
            self._login.append(["SELECT", str(database)])

    def encode(self, spec: Mapping[str, Any], where: str) -> Encoded:
        """Return the bytes of ``{command}``: a list of arguments, or one line that is split like a shell's."""
        command = spec.get("command")
        try:
            arguments = shlex.split(command) if isinstance(command, str) else list(command or ())
            payload = encode_command(*arguments)
        except (TypeError, ValueError) as error:
            raise InputError(f"{where}.command", command, f"a list of texts and numbers ({error})", EXAMPLE) from error
        name = str(arguments[0]).upper() if arguments else ""
        if not name or name in _STREAMS:
            raise InputError(f"{where}.command", command, "a command that has one reply", EXAMPLE)
        return Encoded(payload, name, " ".join(map(str, arguments[1:]))[:80])

    def greeting(self) -> Login | None:
        """Return the log-in, when there is something to say."""
        return Login(self._login) if self._login else None

    def answer(self, request: Request, keep_body: bool) -> Answer:
        """Return what reads one reply."""
        return Answer()

    def same(self, answer: Answer, data: bytes, whole: bool) -> bytes:
        """Return the size of a bulk string, or everything of any other reply or where the content decides."""
        return data if whole or data[:1] != b"$" else data[:data.index(b"\n") + 1]


class Login:
    """The first commands of a connection, all sent at once; each of them has to succeed."""

    def __init__(self, commands: list[list[str]]) -> None:
        self.opening = b"".join(encode_command(*command) for command in commands)
        self.done = False
        self.rest = b""
        self._names = [command[0] for command in commands]
        self._parser = Parser()

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the replies."""
        self._parser.feed(data)
        for reply in self._parser:
            if not self._names:
                raise ProtocolError("one reply per command", data)
            name = self._names.pop(0)
            if isinstance(reply, RespError):
                raise Refused(f"the server refused {name}: {reply.code}")
        self.done = not self._names
        return b""


class Answer:
    """One reply. ``body`` is a bulk string as it is, any other reply as JSON."""

    status = 0
    fields: tuple[tuple[str, str], ...] = ()
    keep_alive = True

    def __init__(self) -> None:
        self.error = ""
        self.body = b""
        self.body_bytes = 0
        self.reply = b""
        self._parser = Parser()

    @property
    def surplus(self) -> bytes:
        """The bytes after the reply."""
        return self._parser.rest

    def header(self, name: str) -> None:
        """There are no header fields."""

    def feed(self, data: bytes) -> bool:
        """Take bytes, ``b""`` for the end of the connection; return whether the reply is complete.

        :raises ProtocolError: when the bytes are not RESP.
        """
        if not data:
            raise ProtocolError("the rest of a reply", b"the end of the connection")
        self._parser.feed(data)
        for value in self._parser:
            if isinstance(value, Push):
                continue
            if isinstance(value, RespError):
                self.error = value.text
            self.body = value if isinstance(value, bytes) else json.dumps(value, default=_text).encode()
            self.body_bytes = len(self.body)
            return True
        return False


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.text if isinstance(value, RespError) else str(value)
