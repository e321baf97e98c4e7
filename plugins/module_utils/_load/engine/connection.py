# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection as the slow path sees it, and the class of what went wrong on it."""

from __future__ import annotations

import errno
from socket import SocketType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..protocol.base import Answer, Greeting
    from .contract import User

CONNECTING, PREFACE, SECURING, GREETING, READY = range(5)

_OWN_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
_REFUSED = frozenset({errno.ECONNREFUSED, errno.ENOENT, errno.EACCES, errno.EAGAIN})


class Connection:
    """``kind`` and ``answer`` are set while an answer is under way on the slow path.

    ``first`` is when the first request began, ``since`` when the connection was begun, in ns.
    ``rest`` is what could not be sent yet, ``user`` who is told of the answers instead of the executor.
    """

    __slots__ = ("answer", "closing", "first", "greeting", "kind", "rest", "since", "sock", "state", "user")

    def __init__(self, sock: SocketType, kind: int, first: int, since: int, user: User | None) -> None:
        self.sock = sock
        self.state = CONNECTING
        self.kind = kind
        self.first = first
        self.since = since
        self.user = user
        self.answer: Answer | None = None
        self.greeting: Greeting | None = None
        self.rest: memoryview | None = None
        self.closing = False


def too_early(_buffer: Any) -> int:
    """Stand in for a connection's send and receive until it is ready."""
    raise BlockingIOError


def classify(error: OSError) -> str:
    """Return the class of an error of a socket without TLS; EAGAIN is that of a Unix socket whose backlog is full."""
    if error.errno in _OWN_LIMITS:
        return "generator"
    if error.errno in _UNREACHABLE:
        return "unreachable"
    if error.errno in _REFUSED:
        return "refused"
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return "timeout"
    return "reset"
