# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine: many connections on one epoll, one request at a time on each.

Sockets are non-blocking and registered once, edge-triggered. For a kind of request whose last answer
is known, an answer of the same length with the same head (or the same bytes, where the content decides)
needs no parsing: the next request is sent in the same pass. Everything else takes the slow path
through the parser. Hot state lives in lists indexed by file descriptor, with bound methods looked up once.

Who sends what and when is the executor's business: see ``executor.py``.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any, Callable, Protocol, Sequence

from .._core.clock import utc_now
from .._wire.http import Answer, ProtocolError
from .scenario import Request
from .tally import Outcome, Tally

#: How often latencies are folded and stop conditions are looked at, in ns.
TICK_NS = 100_000_000

_EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
_DATA = select.EPOLLIN | select.EPOLLOUT
_GONE = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_OWN_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})

CONNECTING, HANDSHAKE, READY = range(3)

#: Reasons to stop early.
STOP_PATH, ABANDONED = "stop_path", "the one who started the probe is gone"

now_ns = time.monotonic_ns


@dataclass(frozen=True)
class Plan:
    """What the engine needs to know about target and requests; times in seconds."""

    requests: Sequence[Request]
    family: int
    address: Any
    host: str
    tls: ssl.SSLContext | None = None
    timeout_s: float = 10.0
    count_header: str = ""
    stop_path: str = ""


class Executor(Protocol):
    """Who decides what is sent and when. Times are in ns on the monotonic clock."""

    def following(self) -> int:
        """Return the kind to send on a connection that has just been answered; 0 for `ask idle()`."""

    def idle(self, fd: int, now: int) -> None:
        """A connection has nothing to do."""

    def lost(self, fd: int, now: int, failed: bool) -> None:
        """A connection is gone; ``failed`` when it never came to be."""

    def wait(self, now: int) -> float:
        """Send what is due; return for how many seconds nothing else will be."""

    def expire(self, limit: int) -> None:
        """Give up what has been waiting for a connection since before ``limit``."""

    def finished(self) -> bool:
        """Whether there is nothing more to wait for."""


class Connection:
    """The slow path's view of a connection; ``kind`` and ``answer`` while an answer is under way there."""

    __slots__ = ("answer", "closing", "first", "kind", "rest", "since", "sock", "state")

    def __init__(self, sock: socket.socket, kind: int, first: int, since: int) -> None:
        self.sock = sock
        self.state = CONNECTING
        self.kind = kind
        self.first = first
        self.since = since
        self.answer: Answer | None = None
        self.rest: memoryview | None = None
        self.closing = False


def _too_early(_buffer: Any) -> int:
    """Stand in for a connection's receive until it is ready."""
    raise BlockingIOError


class Engine:
    """Send requests, read answers, count outcomes.

    Kinds 1…n are the plan's requests while warming up, n+1…2n the same ones while measuring; kind 0 is none.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.executor: Executor
        self.tally = Tally()
        self.warmup = Tally()
        self.retried = 0
        self.stopped = ""
        self.stop_path = plan.stop_path
        self.connections: dict[int, Connection] = {}
        self._timeout = round(plan.timeout_s * 1e9)
        self.epoll = select.epoll()
        self._next_tick = 0
        self._next_scan = 0
        self._buffer = bytearray(65536)
        self._view = memoryview(self._buffer)
        # by kind
        requests = [plan.requests[0], *plan.requests, *plan.requests]
        self.requests = requests
        self._payload = [request.payload for request in requests]
        self._length = [len(payload) for payload in self._payload]
        self._size = [-1] * len(requests)
        self._same = [b""] * len(requests)
        self._record: list[Callable[[int], None]] = [lambda _latency: None] * len(requests)
        # by file descriptor
        self._receive: list[Callable[[Any], int]] = []
        self._send: list[Callable[[Any], int]] = []
        self._kind: list[int] = []
        self._begun: list[int] = []

    def close(self) -> None:
        """Close everything."""
        for fd in list(self.connections):
            self._close(fd)
        self.epoll.close()

    def watch(self, fd: int) -> None:
        """Stop when the other side of this descriptor goes away."""
        self.epoll.register(fd, select.EPOLLRDHUP)

    def start_measuring(self, started_ns: int) -> None:
        """Count from now on."""
        self.tally = Tally(started_ns)
        self._next_tick = started_ns + TICK_NS

    def kinds(self, pattern: Sequence[int], measured: bool) -> list[int]:
        """Return the kinds for a pattern of places in the plan's requests."""
        offset = 1 + (len(self.plan.requests) if measured else 0)
        return [offset + place for place in pattern]

    def busy(self) -> bool:
        """Whether any request is under way."""
        kind = self._kind
        return any(kind[fd] or connection.kind for fd, connection in self.connections.items())

    def serve(self, executor: Executor, until: int) -> None:
        """Let an executor run until a point in time, until it has finished, or until something stops it."""
        self.executor = executor
        poll, clock, tick = self.epoll.poll, now_ns, self._tick
        following, idle, wait, finished = executor.following, executor.idle, executor.wait, executor.finished
        buffer, starts, read, attend = self._buffer, self._buffer.startswith, self._read, self._attend
        receive, send, kinds, begun = self._receive, self._send, self._kind, self._begun
        payload, length, size, same, record = self._payload, self._length, self._size, self._same, self._record
        while not self.stopped:
            now = clock()
            if now >= self._next_tick:
                tick(now)
            if now >= until or finished():
                break
            for fd, mask in poll(min(wait(now), (until - now) / 1e9)):
                if mask != _DATA:
                    attend(fd, mask)
                    continue
                try:
                    count = receive[fd](buffer)
                except OSError as error:
                    self._unreceived(fd, error)
                    continue
                kind = kinds[fd]
                if count != size[kind] or not starts(same[kind]):
                    read(fd, count)
                    continue
                now = clock()
                record[kind](now - begun[fd])
                kinds[fd] = kind = following()
                if not kind:
                    idle(fd, now)
                    continue
                begun[fd] = now
                try:
                    sent = send[fd](payload[kind])
                except OSError as error:
                    self._unsent(fd, error)
                else:
                    if sent != length[kind]:
                        self._remember_rest(fd, sent)
        self._fold(now_ns())

    # What executors call

    def open(self, kind: int, begun: int) -> None:
        """Open a connection, for a request or (kind 0) to keep ready."""
        now = now_ns()
        try:
            sock = socket.socket(self.plan.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            self._refuse(kind, begun, now, error)
            return
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = sock.connect_ex(self.plan.address)
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
        except OSError as error:
            sock.close()
            self._refuse(kind, begun, now, error)
            return
        fd = sock.fileno()
        missing = fd + 1 - len(self._kind)
        if missing > 0:
            self._receive += [_too_early] * missing
            self._send += [_too_early] * missing
            self._kind += [0] * missing
            self._begun += [0] * missing
        self.connections[fd] = Connection(sock, kind, begun, now)
        self._receive[fd], self._kind[fd], self._begun[fd] = _too_early, 0, begun
        self.epoll.register(fd, _EVENTS)

    def begin(self, fd: int, kind: int, begun: int) -> None:
        """Send a request on an idle connection; its latency counts from ``begun``."""
        self._kind[fd], self._begun[fd] = kind, begun
        try:
            sent = self._send[fd](self._payload[kind])
        except OSError as error:
            self._unsent(fd, error)
        else:
            if sent != self._length[kind]:
                self._remember_rest(fd, sent)

    def fail(self, kind: int, begun: int, error: str, detail: str) -> None:
        """Count a request that got no answer."""
        self._count(kind, now_ns(), begun, Outcome(self._place(kind), 0, error, None), detail)

    def give_up(self) -> None:
        """Count everything that is under way as timed out."""
        self._scan(now_ns() + 1)
        self._fold(now_ns())

    # Counting

    def _place(self, kind: int) -> int:
        return (kind - 1) % len(self.plan.requests)

    def _count(self, kind: int, now: int, begun: int, outcome: Outcome, detail: str) -> Callable[[int], None]:
        tally = self.tally if kind > len(self.plan.requests) else self.warmup
        sink = tally.sink(outcome)
        sink(now - begun)
        if outcome.error and tally.wants_example(outcome.error):
            request = self.requests[kind]
            tally.example(outcome.error, {
                "scenario": request.scenario, "request": f"{request.method} {request.path}", "status": outcome.status,
                "detail": detail, "t_s": round((now - tally.started_ns) / 1e9, 3), "at": utc_now()})
        return sink

    def _fold(self, now: int) -> None:
        self.tally.fold(now)
        self.warmup.fold(now)

    # Once per tick

    def _tick(self, now: int) -> None:
        self._next_tick += TICK_NS * (1 + max(0, now - self._next_tick) // TICK_NS)
        self._fold(now)
        if self.stop_path and not self.stopped and os.path.exists(self.stop_path):
            self.stopped = STOP_PATH
        if now >= self._next_scan:
            self._next_scan = now + min(1_000_000_000, max(TICK_NS // 2, self._timeout // 10))
            self._scan(now - self._timeout)

    def _scan(self, limit: int) -> None:
        """Give up what was begun before ``limit``."""
        self.executor.expire(limit)
        for fd, connection in list(self.connections.items()):
            if self._kind[fd] or connection.kind:
                if self._begun[fd] < limit:
                    self._lose(fd, "timeout", f"no complete answer within {self.plan.timeout_s:g} s")
            elif connection.state != READY and connection.since < limit:
                self._lose(fd, "timeout", "")

    # The slow path

    def _attend(self, fd: int, mask: int) -> None:
        connection = self.connections.get(fd)
        if connection is None:
            self.stopped = self.stopped or ABANDONED
            return
        try:
            if connection.state == CONNECTING:
                self._connected(fd, connection)
            if connection.state == HANDSHAKE:
                self._shake_hands(fd, connection)
        except OSError as error:
            self._trouble(fd, error)
            return
        if self.connections.get(fd) is not connection:
            return
        if mask & _GONE:
            connection.closing = True
        if connection.rest is not None and mask & select.EPOLLOUT:
            self._send_rest(fd, connection)
        while self.connections.get(fd) is connection:
            try:
                count = self._receive[fd](self._buffer)
            except OSError as error:
                self._trouble(fd, error)
                return
            if not self._received(fd, connection, count):
                return

    def _connected(self, fd: int, connection: Connection) -> None:
        code = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        if self.plan.tls is None:
            self._ready(fd, connection)
            return
        connection.state = HANDSHAKE
        connection.sock = self.plan.tls.wrap_socket(connection.sock, server_hostname=self.plan.host,
                                                    do_handshake_on_connect=False)

    def _shake_hands(self, fd: int, connection: Connection) -> None:
        if isinstance(connection.sock, ssl.SSLSocket):
            connection.sock.do_handshake()
        self._ready(fd, connection)

    def _ready(self, fd: int, connection: Connection) -> None:
        connection.state = READY
        self._receive[fd], self._send[fd] = connection.sock.recv_into, connection.sock.send
        kind, connection.kind = connection.kind, 0
        if kind:
            self.begin(fd, kind, self._begun[fd])
        else:
            self.executor.idle(fd, now_ns())

    def _read(self, fd: int, count: int) -> None:
        """Handle the bytes in the buffer, then whatever else there is to read."""
        connection = self.connections[fd]
        if self._received(fd, connection, count):
            self._attend(fd, select.EPOLLIN)

    def _received(self, fd: int, connection: Connection, count: int) -> bool:
        """Handle the bytes in the buffer; return whether there may be more to read."""
        kind = self._kind[fd] or connection.kind
        if not kind:
            self._drop(fd)
            return False
        answer = connection.answer
        at_once = answer is None
        request = self.requests[kind]
        if answer is None:
            if not count:
                self._lose(fd, "reset", "the connection was closed before the answer")
                return False
            answer = Answer(request.method, keep_body=bool(request.contains))
        data = bytes(self._view[:count])
        try:
            complete = answer.feed(data)
        except ProtocolError as error:
            self._lose(fd, "protocol" if count else "reset", error.msg, answer.status)
            return False
        if not complete:
            self._kind[fd], connection.kind, connection.answer = 0, kind, answer
            return connection.closing or self.plan.tls is not None or count == len(self._buffer)
        self._answered(fd, connection, kind, answer, data if at_once else b"")
        return False

    def _answered(self, fd: int, connection: Connection, kind: int, answer: Answer, data: bytes) -> None:
        """Count a complete answer; ``data`` are its bytes when they came at once."""
        now = now_ns()
        request = self.requests[kind]
        surplus = len(answer.parser.surplus)
        error, detail = "", ""
        if surplus:
            error, detail = "protocol", f"{surplus} bytes more than one answer"
        elif not request.status_is_right(answer.status):
            error, detail = "status", f"status {answer.status}"
        elif request.contains and request.contains not in answer.body:
            error, detail = "check", f"the content lacks {request.contains.decode(errors='replace')!r}"
        header = answer.header(self.plan.count_header) if self.plan.count_header else None
        outcome = Outcome(self._place(kind), answer.status, error, header)
        sink = self._count(kind, now, self._begun[fd], outcome, detail)
        self._kind[fd], connection.kind, connection.answer = 0, 0, None
        if not answer.keep_alive or connection.closing or connection.rest is not None or surplus:
            self._drop(fd)
            return
        if data and not (error and self.tally.wants_example(error)):
            whole = request.contains or answer.parser.content_length is None
            self._same[kind] = data if whole else data[:len(data) - answer.body_bytes]
            self._size[kind] = len(data)
            self._record[kind] = sink
        self.executor.idle(fd, now)

    # Short sends and failures

    def _remember_rest(self, fd: int, sent: int) -> None:
        """Send the rest of a request when there is room; off the fast path until then."""
        connection = self.connections[fd]
        kind = self._kind[fd]
        connection.rest = memoryview(self._payload[kind])[sent:]
        self._kind[fd], connection.kind = 0, kind

    def _send_rest(self, fd: int, connection: Connection) -> None:
        try:
            while connection.rest:
                connection.rest = connection.rest[self._send[fd](connection.rest):]
            connection.rest = None
        except OSError as error:
            self._trouble(fd, error)

    def _unsent(self, fd: int, error: OSError) -> None:
        if isinstance(error, _NOT_NOW):
            self._remember_rest(fd, 0)
        else:
            self._trouble(fd, error)

    def _unreceived(self, fd: int, error: OSError) -> None:
        if self._receive[fd] is _too_early:
            self._attend(fd, _DATA)
        else:
            self._trouble(fd, error)

    def _trouble(self, fd: int, error: OSError) -> None:
        """A call on a connection failed, or only has nothing to do now."""
        if not isinstance(error, _NOT_NOW):
            self._lose(fd, classify(error), str(error))

    def _lose(self, fd: int, error: str, detail: str, status: int = 0) -> None:
        """Close a connection that failed, count its request or (on a stale connection) send it again."""
        connection = self.connections[fd]
        kind, begun = self._kind[fd] or connection.kind, self._begun[fd]
        failed = connection.state != READY
        stale = not failed and connection.answer is None and connection.first != begun
        self._close(fd)
        if kind and error == "reset" and stale and self.requests[kind].idempotent:
            self.retried += 1
            self.open(kind, begun)
            return
        if kind:
            self._count(kind, now_ns(), begun, Outcome(self._place(kind), status, error, None), detail)
        self.executor.lost(fd, now_ns(), failed)

    def _refuse(self, kind: int, begun: int, now: int, error: OSError) -> None:
        """Count a request for which no connection could even be begun."""
        if kind:
            self.fail(kind, begun, classify(error), str(error))
        self.executor.lost(-1, now, True)

    def _drop(self, fd: int) -> None:
        """Close a connection that has no request."""
        self._close(fd)
        self.executor.lost(fd, now_ns(), False)

    def _close(self, fd: int) -> None:
        connection = self.connections.pop(fd)
        self._kind[fd] = 0
        self._receive[fd] = self._send[fd] = _too_early
        connection.sock.close()


def classify(error: OSError) -> str:
    """Return the class of an error of a socket."""
    if isinstance(error, ssl.SSLError):
        return "tls"
    if error.errno in _OWN_LIMITS:
        return "generator"
    if error.errno in _UNREACHABLE:
        return "unreachable"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return "timeout"
    return "reset"
