# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fields of a description: what each may be, and errors that name it."""

from __future__ import annotations

import math
import re
from typing import Any, Collection, Mapping

from ..._core.errors import InputError


def known(item: Any, keys: Collection[str], where: str, example: str) -> None:
    """Let only mappings with these keys through; a key without a value is as good as none.

    :raises InputError: names ``where`` and the first key that is not one of them.
    """
    if not isinstance(item, Mapping):
        raise InputError(where, item, f"a mapping with {', '.join(sorted(keys))}", example)
    unknown = sorted(str(key) for key, value in item.items() if value is not None and key not in keys)
    if unknown:
        raise InputError(where, unknown[0], f"only the keys {', '.join(sorted(keys))}", example)


def listed(value: Any, where: str, what: str, example: str) -> list[Any]:
    """Return a list with at least one item.

    :raises InputError: when it is something else.
    """
    if not isinstance(value, (list, tuple)) or not value:
        raise InputError(where, value, f"a list with at least one {what}", example)
    return list(value)


def only_one_of(item: Mapping[str, Any], keys: Collection[str], where: str, example: str) -> str:
    """Return the one of these keys that is set.

    :raises InputError: when there is none, or more than one.
    """
    found = [key for key in keys if item.get(key) is not None]
    if len(found) != 1:
        raise InputError(where, " and ".join(found) or None, f"exactly one of {', '.join(keys)}", example)
    return found[0]


def whole(value: Any, where: str, least: int, most: int, example: str) -> int:
    """Return a whole number between two others; text of one will do.

    :raises InputError: when it is something else.
    """
    if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,18}", str(value)) or not least <= int(value) <= most:
        raise InputError(where, value, f"a whole number from {least} to {most}", example)
    return int(value)


def number(value: Any, where: str, least: float, example: str) -> float:
    """Return a finite number that is not below ``least``; text of one will do.

    :raises InputError: when it is something else.
    """
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not (math.isfinite(found) and found >= least):
        raise InputError(where, value, f"a number, {least:g} or more", example)
    return found


def weight(item: Mapping[str, Any], where: str) -> int:
    """Return an item's weight, 1 without any."""
    value = item.get("weight")
    return 1 if value is None else whole(value, f"{where}.weight", 1, 10000, "3")


def pattern(value: Any, where: str, example: str) -> re.Pattern[str]:
    """Return a compiled regular expression.

    :raises InputError: when it is none.
    """
    try:
        return re.compile(str(value))
    except re.error as error:
        raise InputError(where, value, f"a regular expression ({error})", example) from error


def think_time(value: Any, where: str) -> tuple[float, float]:
    """Return the shortest and the longest think time in seconds: of one number, or of two of them.

    :raises InputError: when it is something else.
    """
    example = "1.5, or [0.5, 2] for a random time between them"
    if value is None:
        return 0.0, 0.0
    if not isinstance(value, (list, tuple)):
        value = [value, value]
    if len(value) != 2:
        raise InputError(where, value, "seconds, or a shortest and a longest time", example)
    shortest, longest = (number(one, where, 0.0, example) for one in value)
    if longest < shortest:
        raise InputError(where, value, "a shortest time that is not above the longest one", example)
    return shortest, longest


def tags(value: Any, where: str) -> tuple[str, ...]:
    """Return labels as ``key=value``.

    :raises InputError: when they are no mapping.
    """
    if value is not None and not isinstance(value, Mapping):
        raise InputError(where, value, "a mapping", "{endpoint: browse}")
    return tuple(f"{key}={label}" for key, label in sorted((value or {}).items()))
