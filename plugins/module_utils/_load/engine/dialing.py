# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How connections come to be: connect, TLS, the protocol's own greeting; never blocking."""

from __future__ import annotations

import errno
import os
import select
import socket

from ..._core.errors import FleetError
from ..protocol.base import Refused
from .connection import CONNECTING, GREETING, PREFACE, READY, SECURING, Connection, too_early
from .contract import Plan, User
from .exchange import EVENTS, GONE, Exchange, now_ns

_ANSWER = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET


class Dialing(Exchange):
    """Open connections and take them to where they are ready."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        #: Whether a request may go right after the connect: on this machine, that is already established then.
        self._at_once = plan.tls is None and plan.dialect.greeting() is None

    def open(self, kind: int, begun: int, user: User | None = None) -> None:
        """Open a connection, for a request or (kind 0) to keep ready."""
        now = now_ns()
        try:
            sock = socket.SocketType(self.plan.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            self._refuse(kind, begun, now, error, user)
            return
        try:
            if self.plan.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = sock.connect_ex(self.plan.address)
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
        except OSError as error:
            sock.close()
            self._refuse(kind, begun, now, error, user)
            return
        fd = sock.fileno()
        missing = fd + 1 - len(self._kind)
        if missing > 0:
            self._receive += [too_early] * missing
            self._send += [too_early] * missing
            self._kind += [0] * missing
            self._begun += [0] * missing
        connection = self.connections[fd] = Connection(sock, kind, begun, now, user)
        self._receive[fd], self._kind[fd], self._begun[fd] = too_early, 0, begun
        if not self._at_once or not kind or user is not None or not self._sent_at_once(fd, connection):
            self.epoll.register(fd, EVENTS)

    def _sent_at_once(self, fd: int, connection: Connection) -> bool:
        """Send the request of a connection that was begun this moment; return False when it is not open yet."""
        kind, sock = connection.kind, connection.sock
        try:
            sent = sock.send(self.counting.payload[kind])
        except BlockingIOError:
            self._at_once = False
            return False
        except OSError as error:
            self._trouble(fd, error)
            return True
        connection.state, connection.kind = READY, 0
        self._receive[fd], self._send[fd], self._kind[fd] = sock.recv_into, sock.send, kind
        if sent == self.counting.length[kind]:
            self.epoll.register(fd, EVENTS if self.plan.reuse else _ANSWER)
        else:
            self._remember_rest(fd, sent)
            self.epoll.register(fd, EVENTS)
        return True

    def _advance(self, fd: int, connection: Connection, mask: int) -> bool:
        """Take a new connection as far as it goes now; return whether it is ready.

        :raises OSError: when it has to wait, or fails.
        """
        plan, sock = self.plan, connection.sock
        if connection.state == CONNECTING:
            if mask & GONE:
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise OSError(code, os.strerror(code))
            if plan.tls is not None and plan.dialect.preface:
                sock.send(plan.dialect.preface)
                connection.state = PREFACE
            else:
                self._secure(connection)
        if connection.state == PREFACE:
            if sock.recv(1) != b"S":
                self._lose(fd, "tls", "the server does not offer TLS")
                return False
            self._secure(connection)
        if connection.state == SECURING:
            if plan.tls is not None:
                connection.sock.do_handshake()  # type: ignore[attr-defined]
            connection.greeting = plan.dialect.greeting()
            if connection.greeting is None:
                self._ready(fd, connection)
                return self.connections.get(fd) is connection
            connection.state = GREETING
            self._say(connection, connection.greeting.opening)
        return self._greet(fd, connection)

    def _secure(self, connection: Connection) -> None:
        connection.state = SECURING
        if self.plan.tls is not None:
            connection.sock = self.plan.tls.wrap(connection.sock, self.plan.server_name)

    def _greet(self, fd: int, connection: Connection) -> bool:
        greeting = connection.greeting
        while greeting is not None and not greeting.done:
            data = connection.sock.recv(65536)
            if not data:
                self._lose(fd, "reset", "the connection was closed before it was ready")
                return False
            try:
                self._say(connection, greeting.feed(data))
            except FleetError as error:
                self._lose(fd, "login" if isinstance(error, Refused) else "protocol", error.msg)
                return False
        rest = greeting.rest if greeting else b""
        connection.greeting = None
        self._ready(fd, connection)
        if rest and self.connections.get(fd) is connection:
            self._take(fd, connection, rest)
        return self.connections.get(fd) is connection

    def _ready(self, fd: int, connection: Connection) -> None:
        connection.state = READY
        if self.plan.tls is None:
            self._receive[fd], self._send[fd] = connection.sock.recv_into, connection.sock.send
        else:
            self._receive[fd], self._send[fd] = self.plan.tls.calls(connection.sock, len(self._buffer))
        kind, connection.kind = connection.kind, 0
        if not kind:
            self._free(fd, connection, now_ns())
        elif connection.user is None:
            self.begin(fd, kind, self._begun[fd])
        else:
            self.tell(fd, kind, self._begun[fd], connection.user)
