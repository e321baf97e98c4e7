# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of an answer for checks and captures: decoded and parsed once, and only when one of them asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..._core.errors import FleetError

if TYPE_CHECKING:
    from ..protocol.base import Answer

#: More than this is not decoded.
MAX_DECODED_BYTES = 64 * 1024 * 1024

#: What zlib reads by itself: gzip (RFC 1952) and zlib (RFC 1950).
_ZLIB_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})
_ANY_ZLIB_HEADER = 47

_UNREAD = object()


class Unreadable(FleetError):
    """The content is not what its headers, or a check, take it for."""


class Content:
    """What an answer holds. ``header()`` is that of the answer."""

    __slots__ = ("_body", "_document", "answer")

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self._body: bytes | None = None
        self._document: Any = _UNREAD

    @property
    def body(self) -> bytes:
        """The content, its coding undone.

        :raises Unreadable: when it cannot be decoded.
        """
        if self._body is None:
            coding = self.answer.header("content-encoding")
            self._body = _decoded(self.answer.body, coding) if coding else self.answer.body
        return self._body

    @property
    def document(self) -> Any:
        """The content as JSON.

        :raises Unreadable: when it is none.
        """
        if self._document is _UNREAD:
            try:
                self._document = json.loads(self.body)
            except (ValueError, RecursionError) as error:
                raise Unreadable(f"the content is not JSON: {excerpt(self.body)}") from error
        return self._document


def excerpt(body: bytes) -> str:
    """Return the beginning of a content for a message."""
    return " ".join(body[:120].decode("utf-8", "replace").split()) or "(empty)"


def _decoded(body: bytes, codings: str) -> bytes:
    """Undo content codings, the last one first (RFC 9110, section 8.4)."""
    for coding in reversed([one.strip().lower() for one in codings.split(",")]):
        if coding in _ZLIB_CODINGS:
            body = _inflated(body, coding)
        elif coding not in ("", "identity"):
            raise Unreadable(f"the content has the coding {coding}, which cannot be decoded here: "
                             "send the header Accept-Encoding: gzip")
    return body


def _inflated(body: bytes, coding: str) -> bytes:
    import zlib

    try:
        reader = zlib.decompressobj(_ANY_ZLIB_HEADER)
        data = reader.decompress(body, MAX_DECODED_BYTES)
    except zlib.error as error:
        raise Unreadable(f"the content is not {coding}, which its header says ({error})") from error
    if reader.unconsumed_tail:
        raise Unreadable(f"the content is longer than {MAX_DECODED_BYTES} bytes when it is decoded")
    if not reader.eof:
        raise Unreadable(f"the content ends in the middle of its {coding}")
    return data
