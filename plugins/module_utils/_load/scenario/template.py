# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Templates: ``${name}`` in text, in lists and in mappings stands for the value of a variable.

``$${`` is a plain ``${``. A text that is one reference and nothing else keeps the type of the value, so that
``{"id": "${id}"}`` sends a number as a number; within other text a value is written as JSON writes it, text as it is.
"""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Iterator, Mapping, Union

from ..._core.errors import InputError

EXAMPLE = "/api/items/${id}, or $${ for a plain ${"

#: What a variable may be called: ``token``, or ``user.email`` for a column of a feeder.
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
COLUMN = r"[A-Za-z_][A-Za-z0-9_-]*"

_as_json = json.JSONEncoder(ensure_ascii=False).encode
_TOKEN = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_REFERENCE = re.compile(rf"{NAME}(?:\.{COLUMN})?")

Values = Mapping[str, Any]
Render = Callable[[Values], Any]


class Reference(str):
    """The name of a variable where its value belongs."""

    __slots__ = ()


Part = Union[str, Reference]


def as_text(value: Any) -> str:
    """Return a value as it is written within other text."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _as_json(value)


def split(text: str, where: str) -> list[Part]:
    """Return plain text and references in turn.

    :raises InputError: when a reference is not closed, or is no name.
    """
    parts: list[Part] = []
    plain, position = "", 0
    for match in _TOKEN.finditer(text):
        plain += text[position:match.start()]
        position = match.end()
        if match.group(1) is None:
            plain += "${"
            continue
        if not match.group(2) or not _REFERENCE.fullmatch(match.group(1)):
            raise InputError(where, match.group(), "the name of a variable between ${ and }", EXAMPLE)
        if plain:
            parts.append(plain)
        parts.append(Reference(match.group(1)))
        plain = ""
    plain += text[position:]
    return [*parts, plain] if plain or not parts else parts


def references(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield where a variable is named, and its name, in text, lists and mappings (their keys too)."""
    if isinstance(value, str):
        for part in split(value, where) if "${" in value else ():
            if isinstance(part, Reference):
                yield where, str(part)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from references(key, where)
            yield from references(inner, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from references(inner, f"{where}[{number}]")


def compiled(value: Any, where: str, write: Callable[[Any], str] | None = None) -> Render:
    """Return what renders text, a list or a mapping with the values of variables.

    :arg write: makes text of every value; without it, a lone reference keeps its type.
    """
    if isinstance(value, str):
        return _text(split(value, where), write)
    if isinstance(value, Mapping):
        pairs = [(compiled(key, where, as_text), compiled(inner, where, write)) for key, inner in value.items()]
        return lambda values: {key(values): inner(values) for key, inner in pairs}
    if isinstance(value, (list, tuple)):
        items = [compiled(inner, where, write) for inner in value]
        return lambda values: [item(values) for item in items]
    return lambda _values: value


def _text(parts: list[Part], write: Callable[[Any], str] | None) -> Render:
    if len(parts) == 1:
        only = parts[0]
        if not isinstance(only, Reference):
            return lambda _values: only
        return (lambda values: values[only]) if write is None else lambda values: write(values[only])
    pairs = [(isinstance(part, Reference), part) for part in parts]
    text = write or as_text
    return lambda values: "".join([text(values[part]) if named else part for named, part in pairs])
