# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values as people read them, for the page and for the console."""

from __future__ import annotations

import json
from typing import Any, Mapping

from .._core.units import format_bytes

NOTHING = "–"


def number(value: Any) -> str:
    """Three significant digits below 100, whole numbers with thousands separated above; a dash for None."""
    if value is None:
        return NOTHING
    if isinstance(value, int) or abs(value) >= 100:
        return f"{round(value):,}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def share(value: Any) -> str:
    """A share between 0 and 1 as a percentage; a dash for None."""
    if value is None:
        return NOTHING
    return "0 %" if value == 0 else f"{value * 100:.2g} %" if value < 0.1 else f"{value * 100:.1f} %"


def metric(name: str, value: Any) -> str:
    """A metric by the unit in its name."""
    return share(value) if name.endswith("_rate") else number(value)


def seconds(value: Any) -> str:
    """Seconds with their unit: ``0.42 s``, ``12.3 s``, ``4 min 05 s``."""
    if value is None:
        return NOTHING
    if value >= 60:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes} min {rest:02d} s"
    return f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"


def size(value: Any) -> str:
    """Bytes with a binary unit; a dash for None."""
    return NOTHING if value is None else format_bytes(value)


def change(pair: Mapping[str, Any]) -> str:
    """What a metric came to: ``3.9× less``, ``1.2× more``, ``same``; a dash where that cannot be said."""
    ratio = pair.get("ratio")
    if not ratio:
        return NOTHING
    if 0.98 <= ratio <= 1.02:
        return "same"
    return f"{ratio:.3g}× more" if ratio > 1 else f"{1 / ratio:.3g}× less"


def better(name: str, pair: Mapping[str, Any]) -> str:
    """``better``, ``worse`` or nothing: more is better for rps and worse for everything else."""
    ratio = pair.get("ratio")
    if not ratio or 0.98 <= ratio <= 1.02:
        return ""
    return "better" if (ratio > 1) == (name == "rps") else "worse"


def clock(time: str) -> str:
    """The time of day of a UTC time in ISO 8601: ``08:15:04``."""
    return time[11:19]


def brief(data: Any, longest: int = 240) -> str:
    """Rows of a ledger or of evidence in one line, cut where it gets long."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False) if data else ""
    return text if len(text) <= longest else f"{text[:longest - 1]}…"


FILTERS = {
    "number": number, "share": share, "metric": metric, "seconds": seconds, "size": size, "clock": clock,
    "brief": brief, "change": change, "better": better,
}
