# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the engine needs of a protocol: the first exchange of a connection, requests as bytes, answers from bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, NamedTuple, Protocol

from ..._core.errors import FleetError

if TYPE_CHECKING:
    from ..scenario.request import Request

#: How the fast path may tell that an answer is like the last one of its kind: not at all, by its size and its
#: beginning (what comes before the content), or by every byte.
NEVER, HEAD, WHOLE = "never", "head", "whole"


class Refused(FleetError):
    """The server did not accept the session: a wrong password, too many clients, no upgrade."""


class Encoded(NamedTuple):
    """A request as bytes. ``method`` and ``path`` name it in examples of errors.

    ``idempotent`` requests may be sent again after a stale connection (RFC 9110, section 9.2.2). What is sent ``once``
    per connection is answered again and again: each answer counts from the last one.
    """

    payload: bytes
    method: str
    path: str
    idempotent: bool = False
    once: bool = False


class Answer(Protocol):
    """One answer, collected while its bytes arrive."""

    #: Status of HTTP; 0 where the protocol has none.
    status: int
    #: What the server says was wrong, where the protocol has no status; else empty.
    error: str
    #: Header fields, names in lower case.
    fields: tuple[tuple[str, str], ...]
    #: Whether the connection can carry another request.
    keep_alive: bool
    #: The size of the content, kept or not.
    body_bytes: int
    #: What has to be sent to the server now, such as a pong; it is taken by the engine.
    reply: bytes

    @property
    def body(self) -> bytes:
        """The content, when it was to be kept."""

    @property
    def surplus(self) -> bytes:
        """What came after the answer."""

    def header(self, name: str) -> str | None:
        """Return a header field's value; ``name`` in lower case."""

    def feed(self, data: bytes) -> bool:
        """Take bytes, ``b""`` for the end of the connection; return whether the answer is complete.

        :raises FleetError: when the bytes are not an answer of this protocol.
        """


class Greeting(Protocol):
    """The exchange that makes a new connection ready. ``opening`` is sent first, ``rest`` is left over at the end."""

    opening: bytes
    done: bool
    rest: bytes

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the server, return what to send.

        :raises Refused: when the server refuses the session.
        :raises FleetError: when it breaks the protocol.
        """


class Dialect(Protocol):
    """A protocol, with what is common to all requests of a run."""

    #: The keys of a request's description that :meth:`encode` takes.
    keys: frozenset[str]
    #: Sent before TLS; the server agrees with one byte ``S``. Empty where TLS comes first.
    preface: bytes
    #: Whether messages may come unasked: more than one answer is then no error, and no reason to close.
    pushes: bool

    def encode(self, spec: Mapping[str, Any], where: str) -> Encoded:
        """Return a request's bytes from its description.

        :arg where: what the field of an error begins with, such as ``scenarios[0].requests[2]``.
        :raises InputError: when it is malformed.
        """

    def greeting(self) -> Greeting | None:
        """Return a new connection's first exchange; None when it is ready at once."""

    def answer(self, request: Request, keep_body: bool) -> Answer:
        """Return what reads one answer."""

    def same(self, answer: Any, data: bytes, whole: bool) -> bytes:
        """Return what the next answer of the same size has to begin with, to be like this one of these bytes."""
