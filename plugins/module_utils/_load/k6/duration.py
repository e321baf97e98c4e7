# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations as k6 writes them."""

from __future__ import annotations

import re
from typing import Any

from ..._core.errors import InputError

_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def parse_duration(duration: Any, field: str = "duration") -> float:
    """Return seconds of ``"1h30m"``, ``"90s"`` or a number of milliseconds.

    :raises InputError: when it is something else.
    """
    text = str(duration)
    if not isinstance(duration, bool):
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return float(text) / 1000
        parts = _PARTS.findall(text)
        if parts and "".join(number + unit for number, unit in parts) == text:
            return round(sum(float(number) * _SECONDS[unit] for number, unit in parts), 9)
    raise InputError(field, duration, "a duration as k6 writes it", "1m30s")
