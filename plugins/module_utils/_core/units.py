# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers with units: parse what people write, print what people read."""

from __future__ import annotations

import math
import re

from .errors import InputError

_NUMBER = re.compile(r"^\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z%µ/]*)\s*$")

#: Duration units in seconds.
SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}

#: Size units in bytes. ``k`` and ``kb`` differ as they do in redis.conf: 1k is 1000, 1kb is 1024.
BYTES = {
    "": 1, "b": 1,
    "k": 10**3, "m": 10**6, "g": 10**9,
    "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}


def split_number(text: str | int | float, field: str, example: str) -> tuple[float, str]:
    """Split ``"50ms"`` into ``(50.0, "ms")``; a bare number has the unit ``""``.

    :raises InputError: when the text is not a number with an optional unit.
    """
    match = _NUMBER.match(str(text))
    number = float(match.group(1)) if match else math.inf
    if not match or math.isinf(number):
        raise InputError(field, text, "a number with an optional unit", example)
    return number, match.group(2)


def parse_seconds(text: str | int | float, field: str = "duration") -> float:
    """Return seconds; a bare number is in seconds. ``"250ms"`` is 0.25."""
    number, unit = split_number(text, field, "30s")
    if unit and unit not in SECONDS:
        raise InputError(field, text, f"a duration in one of {', '.join(SECONDS)}", "30s")
    return number * (SECONDS[unit] if unit else 1.0)


def parse_bytes(text: str | int | float, field: str = "size") -> int:
    """Return bytes; a bare number is in bytes. ``"64mb"`` is 67108864."""
    number, unit = split_number(text, field, "64mb")
    factor = BYTES.get(unit.lower())
    if factor is None:
        raise InputError(field, text, "a size in b, k, kb, kib, m, mb, mib, g, gb, gib, tb or tib", "64mb")
    return int(number * factor)


def parse_share(text: str | int | float, field: str = "share") -> float:
    """Return a share between 0 and 1; ``"0.1%"`` is 0.001."""
    number, unit = split_number(text, field, "0.1%")
    if unit not in ("", "%"):
        raise InputError(field, text, "a share such as 0.01 or a percentage", "0.1%")
    share = number / 100 if unit == "%" else number
    if not 0 <= share <= 1:
        raise InputError(field, text, "a share between 0 and 1 (0% and 100%)", "0.1%")
    return share


def format_bytes(size: int) -> str:
    """Return a size for people: ``67108864`` is ``"64.0 MiB"``."""
    number = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(number) < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"
