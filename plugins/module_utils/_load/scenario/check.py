# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks: what makes an answer right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Mapping

from ..._core.errors import InputError
from ..._core.pointer import resolve, same
from ..._core.text import utf8
from ..protocol.base import HEAD, NEVER, WHOLE
from . import fields
from .content import Content, Unreadable, excerpt

if TYPE_CHECKING:
    from ..protocol.base import Answer

EXAMPLE = "{status: [200], contains: '\"items\"', pointers: {/user/id: 7}, max_latency_ms: 200}"

KEYS = ("status", "contains", "pointers", "headers", "min_bytes", "max_bytes", "max_latency_ms")

_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")

#: Class and detail of what is right.
RIGHT = ("", "")


@dataclass(frozen=True)
class Checks:
    """What makes an answer right.

    ``statuses`` are the right ones; when empty, everything from 200 to 399 is. ``contains`` has to be in the content.
    ``pointers`` are JSON pointers with the value there. ``headers`` are names in lower case with what has to match the
    whole value. ``min_bytes`` and ``max_bytes`` are for the content as it was sent, compressed or not.
    """

    statuses: frozenset[int] = frozenset()
    contains: bytes = b""
    pointers: tuple[tuple[str, Any], ...] = ()
    headers: tuple[tuple[str, re.Pattern[str]], ...] = ()
    min_bytes: int | None = None
    max_bytes: int | None = None
    max_latency_ms: float | None = None

    @classmethod
    def parse(cls, checks: Any, where: str) -> Checks:
        """Return the checks of a description.

        :arg where: the field, such as ``scenarios[0].steps[2].checks``.
        :raises InputError: when one is malformed, or two contradict.
        """
        checks = {} if checks is None else checks
        fields.known(checks, KEYS, where, EXAMPLE)
        sizes = [None if checks.get(name) is None else fields.whole(checks[name], f"{where}.{name}", 0, 2**53, "1024")
                 for name in ("min_bytes", "max_bytes")]
        if None not in sizes and sizes[0] > sizes[1]:  # type: ignore[operator]
            raise InputError(f"{where}.min_bytes", sizes[0], f"no more than max_bytes, which is {sizes[1]}", "100")
        latency = checks.get("max_latency_ms")
        latency = None if latency is None else fields.number(latency, f"{where}.max_latency_ms", 0.001, "200")
        return cls(_statuses(checks.get("status"), f"{where}.status"),
                   utf8(str(checks.get("contains") or ""), f"{where}.contains"),
                   _pointers(checks.get("pointers"), f"{where}.pointers"),
                   _headers(checks.get("headers"), f"{where}.headers"), sizes[0], sizes[1], latency)

    @property
    def keep_body(self) -> bool:
        """Whether the content is needed."""
        return bool(self.contains or self.pointers)

    @property
    def compare(self) -> str:
        """What has to be the same in two answers, so that what is right in one is right in the other."""
        if self.max_latency_ms is not None:
            return NEVER
        return WHOLE if self.keep_body else HEAD

    def judge(self, answer: Answer, latency_ns: int) -> tuple[str, str]:
        """Return class and detail of what is wrong with an answer, or blanks."""
        return self.judge_content(Content(answer), latency_ns)

    def judge_content(self, content: Content, latency_ns: int) -> tuple[str, str]:
        """Return class and detail of the first thing that is wrong, or blanks."""
        answer = content.answer
        if answer.error:
            return "status", answer.error
        status = answer.status
        if not (status in self.statuses if self.statuses else not status or 200 <= status < 400):
            return "status", f"status {status}"
        try:
            problem = self._problem(content, latency_ns)
        except Unreadable as error:
            problem = error.msg
        return ("check", problem) if problem else RIGHT

    def _problem(self, content: Content, latency_ns: int) -> str:
        for name, pattern in self.headers:
            value = content.answer.header(name)
            if value is None or not pattern.fullmatch(value):
                return f"the header {name} is {value!r}" if value is not None else f"there is no header {name}"
        size = content.answer.body_bytes
        if (self.min_bytes is not None and size < self.min_bytes) or (
                self.max_bytes is not None and size > self.max_bytes):
            return f"the content has {size} bytes"
        if self.contains and self.contains not in content.body:
            return f"the content lacks {self.contains.decode(errors='replace')!r}"
        for pointer, wanted in self.pointers:
            try:
                found = resolve(content.document, pointer)
            except LookupError:
                return f"the content has nothing at {pointer}: {excerpt(content.body)}"
            if not same(found, wanted):
                return f"{pointer} is {found!r}, not {wanted!r}"
        if self.max_latency_ms is not None and latency_ns > self.max_latency_ms * 1e6:
            return f"it took {latency_ns / 1e6:.1f} ms, more than {self.max_latency_ms:g} ms"
        return ""


def pointer_of(value: Any, where: str) -> str:
    """Return a JSON pointer.

    :raises InputError: when it is none.
    """
    if not isinstance(value, str) or not _POINTER.fullmatch(value):
        raise InputError(where, value, "a JSON pointer (RFC 6901), which begins with a slash", "/user/id")
    return value


def _pointers(pointers: Any, where: str) -> tuple[tuple[str, Any], ...]:
    pointers = _mapping(pointers, where, "{/user/id: 7}")
    return tuple((pointer_of(pointer, where), wanted) for pointer, wanted in pointers.items())


def _headers(headers: Any, where: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    example = "{Content-Type: 'application/json.*'}"
    headers = _mapping(headers, where, example)
    return tuple((str(name).lower(), fields.pattern(value, f"{where}.{name}", example))
                 for name, value in headers.items())


def _mapping(value: Any, where: str, example: str) -> Mapping[Any, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise InputError(where, value, "a mapping", example)
    return value or {}


def _statuses(status: Any, where: str) -> frozenset[int]:
    """Return the right statuses of one number or a list of them."""
    if status is None:
        return frozenset()
    found = status if isinstance(status, (list, tuple)) else [status]
    example = "[200, 304]"
    return frozenset(fields.whole(one, where, 100, 599, example)
                     for one in fields.listed(found, where, "number from 100 to 599", example))
