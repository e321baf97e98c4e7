# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The slow path of the engine: answers that need a parser, sends that fall short, connections that are lost."""

from __future__ import annotations

import select
import time
from typing import Any, Callable

from ..._core.errors import FleetError
from ..protocol.base import NEVER, WHOLE, Answer
from .connection import READY, Connection, classify, too_early
from .contract import Executor, Plan, User
from .counting import Counting

EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
DATA = select.EPOLLIN | select.EPOLLOUT
GONE = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR

#: How many times in a row a connection is read that always has more, so that no target can keep the engine busy.
_READS = 4

now_ns = time.monotonic_ns


class Exchange:
    """Connections by file descriptor, and what happens on them beside the fast path."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.executor: Executor
        self.counting = Counting(plan.requests)
        self.connections: dict[int, Connection] = {}
        self.epoll = select.epoll()
        #: How often a request was sent again because the target had closed the idle connection.
        self.retried = 0
        self._not_now: tuple[type[OSError], ...] = plan.tls.not_now if plan.tls else (BlockingIOError,)
        self._hung_up: tuple[type[OSError], ...] = plan.tls.ended if plan.tls else ()
        self._buffer = bytearray(65536)
        self._view = memoryview(self._buffer)
        # by file descriptor
        self._receive: list[Callable[[Any], int]] = []
        self._send: list[Callable[[Any], int]] = []
        self._kind: list[int] = []
        self._begun: list[int] = []

    # What executors and users call

    def open(self, kind: int, begun: int, user: User | None = None) -> None:
        """Open a connection, for a request or (kind 0) to keep ready."""
        raise NotImplementedError

    def _advance(self, fd: int, connection: Connection, mask: int) -> bool:
        """Take a new connection as far as it goes now; return whether it is ready.

        :raises OSError: when it has to wait, or fails.
        """
        raise NotImplementedError

    def begin(self, fd: int, kind: int, begun: int) -> None:
        """Send a request on an idle connection; its latency counts from ``begun``."""
        self._kind[fd], self._begun[fd] = kind, begun
        try:
            sent = self._send[fd](self.counting.payload[kind])
        except OSError as error:
            self._unsent(fd, error)
        else:
            if sent != self.counting.length[kind]:
                self._remember_rest(fd, sent)

    def tell(self, fd: int, kind: int, begun: int, user: User) -> None:
        """Send a user's own payload on an idle connection, which is the user's from now on."""
        connection = self.connections[fd]
        connection.user, connection.kind, self._begun[fd] = user, kind, begun
        try:
            sent = self._send[fd](user.payload)
        except OSError as error:
            self._unsent(fd, error)
        else:
            if sent != len(user.payload):
                self._remember_rest(fd, sent)

    def release(self, fd: int) -> None:
        """Take a connection from its user: the executor is told of it again."""
        self.connections[fd].user = None

    def single_out(self, fd: int) -> None:
        """Let the answer that a connection awaits end in ``idle()``."""
        connection = self.connections[fd]
        if self._kind[fd]:
            connection.kind, self._kind[fd] = self._kind[fd], 0

    def close(self, fd: int) -> None:
        """Close a connection; nobody is told."""
        connection = self.connections.pop(fd)
        self._kind[fd] = 0
        self._receive[fd] = self._send[fd] = too_early
        connection.sock.close()

    def fail(self, kind: int, begun: int, error: str, detail: str) -> None:
        """Count a request that got no answer."""
        self.counting.count(kind, 0, error, detail, None, now_ns(), begun)

    # What the hot loop leaves over

    def _unknown(self, fd: int) -> None:
        """An event on a descriptor that is no connection."""
        raise NotImplementedError

    def _attend(self, fd: int, mask: int) -> None:
        """Handle an event in full."""
        connection = self.connections.get(fd)
        if connection is None:
            self._unknown(fd)
            return
        if mask & GONE:
            connection.closing = True
        try:
            if connection.state != READY and not self._advance(fd, connection, mask):
                return
            if connection.rest is not None and mask & select.EPOLLOUT:
                self._send_rest(connection)
            if mask == select.EPOLLOUT:
                return
            for dummy in range(_READS):
                try:
                    count = self._receive[fd](self._buffer)
                except self._hung_up:
                    count = 0
                if not self._received(fd, connection, count) or self.connections.get(fd) is not connection:
                    return
            self.epoll.modify(fd, EVENTS)  # the others first: this one comes again
        except OSError as error:
            if self.connections.get(fd) is connection:
                self._trouble(fd, error)

    def _read(self, fd: int, count: int) -> None:
        """Handle the bytes in the buffer, then whatever else there is to read."""
        connection = self.connections[fd]
        if self._received(fd, connection, count):
            self._attend(fd, select.EPOLLIN)

    def _unreceived(self, fd: int, error: OSError) -> None:
        if self._receive[fd] is too_early:
            self._attend(fd, DATA)
        elif isinstance(error, self._hung_up):
            self._read(fd, 0)
        else:
            self._trouble(fd, error)

    def _unsent(self, fd: int, error: OSError) -> None:
        if isinstance(error, self._not_now):
            self._remember_rest(fd, 0)
        else:
            self._trouble(fd, error)

    # Answers

    def _received(self, fd: int, connection: Connection, count: int) -> bool:
        """Handle the bytes in the buffer; return whether there may be more to read."""
        kind = self._kind[fd]
        if count == 0 and connection.answer is None and (kind or connection.kind):
            self._lose(fd, "reset", "the connection was closed before the answer")
            return False
        if kind and count == self.counting.size[kind] and self._buffer.startswith(self.counting.same[kind]):
            now = now_ns()
            self.counting.record[kind](now - self._begun[fd])
            self._kind[fd] = 0
            self._over(fd, connection, now)
            return False
        if not self._take(fd, connection, bytes(self._view[:count])):
            return False
        return connection.closing or self.plan.tls is not None or count == len(self._buffer)

    def _over(self, fd: int, connection: Connection, now: int) -> None:
        """A request that had its answer is over: the connection is free, or it ends here."""
        if not self.plan.reuse or connection.closing or connection.rest is not None:
            self._drop(fd, connection)
        else:
            self._free(fd, connection, now)

    def _take(self, fd: int, connection: Connection, data: bytes) -> bool:
        """Handle bytes of the target, ``b""`` for the end; return whether more of them is wanted."""
        while True:
            kind = self._kind[fd] or connection.kind
            if not kind:
                return self._unasked(fd, connection, data)
            answer = connection.answer
            at_once = answer is None
            if answer is None:
                request = self.counting.requests[kind]
                answer = self.plan.dialect.answer(request, request.keep_body or connection.user is not None)
            try:
                complete = answer.feed(data)
            except FleetError as error:
                self._lose(fd, "protocol" if data else "reset", error.msg, answer.status)
                return False
            if answer.reply:
                self._say(connection, answer.reply)
                answer.reply = b""
            if not complete:
                self._kind[fd], connection.kind, connection.answer = 0, kind, answer
                return True
            surplus = answer.surplus
            self._answered(fd, connection, kind, answer, data if at_once and not surplus else b"", len(surplus))
            if not surplus or self.connections.get(fd) is not connection:
                return False
            data = surplus

    def _answered(self, fd: int, connection: Connection, kind: int, answer: Answer, data: bytes, surplus: int) -> None:
        """Count a complete answer; ``data`` are its bytes when they, and nothing else, came at once."""
        now, begun = now_ns(), self._begun[fd]
        request, dialect, user = self.counting.requests[kind], self.plan.dialect, connection.user
        too_much = surplus > 0 and not dialect.pushes
        if too_much:
            error, detail = "protocol", f"{surplus} bytes more than one answer"
        elif user is None:
            error, detail = request.judge(answer, now - begun)
        else:
            error, detail = user.judge(kind, answer, now - begun)
        header = answer.header(self.plan.count_header) if self.plan.count_header else None
        sink = self.counting.count(kind, answer.status, error, detail, header, now, begun)
        self._kind[fd], connection.kind, connection.answer = 0, 0, None
        ends = too_much or not answer.keep_alive
        if ends and self.plan.reuse:
            self._drop(fd, connection)
            return
        if request.once:
            self._send[fd] = len  # it has been sent: from now on, sending it again only says that all is sent
        if (data and not too_much and user is None and request.compare != NEVER
                and not (error and self.counting.tally_of(kind).wants_example(error))):
            self.counting.same[kind] = dialect.same(answer, data, request.compare == WHOLE)
            self.counting.size[kind] = len(data)
            self.counting.record[kind] = sink
        self._over(fd, connection, now)

    def _unasked(self, fd: int, connection: Connection, data: bytes) -> bool:
        """Handle bytes that come while nothing is asked: where the target may push, they are read and forgotten."""
        dialect = self.plan.dialect
        while data and dialect.pushes:
            answer = connection.answer or dialect.answer(self.counting.requests[0], False)
            try:
                complete = answer.feed(data)
            except FleetError:
                break
            if answer.reply:
                self._say(connection, answer.reply)
                answer.reply = b""
            if not complete:
                connection.answer = answer
                return True
            connection.answer = None
            if not answer.keep_alive:
                break
            data = answer.surplus
            if not data:
                return True
        self._drop(fd, connection)
        return False

    def _free(self, fd: int, connection: Connection, now: int) -> None:
        if connection.user is None:
            self.executor.idle(fd, now)
        else:
            connection.user.answered(fd, now)

    # Sends that fall short

    def _say(self, connection: Connection, data: bytes) -> None:
        """Send beside the requests, after what is still waiting."""
        if not data:
            return
        if connection.rest is not None:
            connection.rest = memoryview(bytes(connection.rest) + data)
            return
        try:
            sent = connection.sock.send(data)
        except self._not_now:
            sent = 0
        if sent < len(data):
            connection.rest = memoryview(data)[sent:]

    def _remember_rest(self, fd: int, sent: int) -> None:
        """Send the rest of a request when there is room; off the fast path until then."""
        connection = self.connections[fd]
        kind = self._kind[fd] or connection.kind
        payload = self.counting.payload[kind] if connection.user is None else connection.user.payload
        connection.rest = memoryview(payload)[sent:]
        self._kind[fd], connection.kind = 0, kind

    def _send_rest(self, connection: Connection) -> None:
        try:
            while connection.rest:
                connection.rest = connection.rest[connection.sock.send(connection.rest):]
            connection.rest = None
        except self._not_now:
            pass

    # Failures

    def _trouble(self, fd: int, error: OSError) -> None:
        """A call on a connection failed, or only has nothing to do now."""
        if not isinstance(error, self._not_now):
            self._lose(fd, "tls" if self.plan.tls and self.plan.tls.is_error(error) else classify(error), str(error))

    def _lose(self, fd: int, error: str, detail: str, status: int = 0) -> None:
        """Close a connection that failed, count its request or (on a stale connection) send it again."""
        connection = self.connections[fd]
        kind, begun = self._kind[fd] or connection.kind, self._begun[fd]
        failed = connection.state != READY
        stale = not failed and connection.answer is None and connection.first != begun
        self.close(fd)
        if kind and error == "reset" and stale and self.counting.requests[kind].idempotent:
            self.retried += 1
            self.open(kind, begun, connection.user)
            return
        now = now_ns()
        if kind:
            self.counting.count(kind, status, error, detail, None, now, begun)
        self._gone(fd, connection.user, now, failed)

    def _refuse(self, kind: int, begun: int, now: int, error: OSError, user: User | None) -> None:
        """Count a request for which no connection could even be begun."""
        if kind:
            self.fail(kind, begun, classify(error), str(error))
        self._gone(-1, user, now, True)

    def _drop(self, fd: int, connection: Connection) -> None:
        """Close a connection that has no request."""
        self.close(fd)
        self._gone(fd, connection.user, now_ns(), False)

    def _gone(self, fd: int, user: User | None, now: int, failed: bool) -> None:
        if user is None:
            self.executor.lost(fd, now, failed)
        else:
            user.lost(now, failed)
