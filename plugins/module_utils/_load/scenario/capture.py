# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Captures: values that an answer gives to the later steps of a journey."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..._core.errors import InputError
from ..._core.pointer import resolve
from . import fields
from .check import pointer_of
from .content import Unreadable, excerpt
from .template import NAME

if TYPE_CHECKING:
    from .content import Content

EXAMPLE = "{token: {json: /token}, id: {regex: 'id=([0-9]+)'}, next: {header: Location}}"

_KEYS = ("json", "regex", "header", "default")
_NONE = object()


@dataclass(frozen=True)
class Capture:
    """One value of an answer.

    ``pointer`` is where it is in JSON content, ``header`` which header field it is, ``pattern`` what finds it in that
    field or in the content: its first group, or the whole match without one.
    ``default`` is the value when there is none.
    """

    name: str
    pointer: str | None = None
    header: str = ""
    pattern: re.Pattern[str] | None = None
    default: Any = _NONE

    @property
    def keep_body(self) -> bool:
        """Whether the content is needed."""
        return not self.header

    def take(self, content: Content) -> Any:
        """Return the value.

        :raises Unreadable: when there is none, and no default.
        """
        try:
            return self._found(content)
        except Unreadable as error:
            if self.default is not _NONE:
                return self.default
            raise Unreadable(f"capture.{self.name}: {error.msg}") from None

    def _found(self, content: Content) -> Any:
        if self.pointer is not None:
            try:
                return resolve(content.document, self.pointer)
            except LookupError:
                raise Unreadable(f"the content has nothing at {self.pointer}: {excerpt(content.body)}") from None
        if self.header:
            text = content.answer.header(self.header)
            if text is None:
                raise Unreadable(f"there is no header {self.header}")
        else:
            text = content.body.decode("utf-8", "replace")
        if self.pattern is None:
            return text
        match = self.pattern.search(text)
        value = match and match.group(self.pattern.groups)
        if value is None:
            raise Unreadable(f"nothing matches {self.pattern.pattern}: {excerpt(text.encode())}")
        return value


def parse_captures(captures: Any, where: str) -> tuple[Capture, ...]:
    """Return the captures of a step.

    :arg captures: name of the variable → where its value is.
    :arg where: the field, such as ``scenarios[0].steps[2].capture``.
    :raises InputError: when one is malformed.
    """
    if captures is None:
        return ()
    if not isinstance(captures, dict):
        raise InputError(where, captures, "a mapping of variables to where their values are", EXAMPLE)
    return tuple(_parse(str(name), source, f"{where}.{name}") for name, source in captures.items())


def _parse(name: str, source: Any, where: str) -> Capture:
    if not re.fullmatch(NAME, name):
        raise InputError(where, name, "a name of letters, digits and _", EXAMPLE)
    fields.known(source, _KEYS, where, EXAMPLE)
    pointer, header, regex = source.get("json"), source.get("header"), source.get("regex")
    if (pointer is not None and (header or regex)) or not (pointer is not None or header or regex):
        raise InputError(where, dict(source), "json, header, regex, or header and regex together", EXAMPLE)
    pattern = None
    if regex:
        pattern = fields.pattern(regex, f"{where}.regex", "id=([0-9]+)")
        if pattern.groups > 1:
            raise InputError(f"{where}.regex", regex, "at most one group, which holds the value; (?:…) is no group",
                             "id=([0-9]+)")
    return Capture(name, None if pointer is None else pointer_of(pointer, f"{where}.json"), str(header or "").lower(),
                   pattern, source["default"] if source.get("default") is not None else _NONE)
