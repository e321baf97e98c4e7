# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one look at one component found."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._core.errors import FleetError

PASS, WARN, FAIL = "pass", "warn", "fail"


@dataclass(frozen=True)
class Observation:
    """The outcome of one look.

    ``status`` is pass, warn or fail. ``expected`` and ``output`` say what was expected and found, ``output`` is
    empty on a pass. ``value`` with ``unit`` is the number or word that was observed. ``hopeless`` means that looking
    again cannot help, such as after a wrong password.
    """

    status: str
    expected: str = ""
    output: str = ""
    remedy: str = ""
    value: float | str | None = None
    unit: str = ""
    hopeless: bool = False


def failure(expected: str, error: FleetError, hopeless: bool) -> Observation:
    """Return what an error means for a component."""
    return Observation(FAIL, expected, error.msg, error.remedy, hopeless=hopeless)


def version_of(text: str) -> tuple[int, ...]:
    """Return the first version in a text as numbers: ``HAProxy version 2.6.12-1`` is ``(2, 6, 12)``; none is ()."""
    match = re.search(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def judge_version(name: str, found: str, minimum: str | None) -> Observation | None:
    """Return a failure when a version is too old or cannot be read, else None."""
    if minimum is None or version_of(found) >= version_of(minimum):
        return None
    shown = found.strip().splitlines()[0][:80] if found.strip() else "no version"
    return Observation(FAIL, f"{name} {minimum} or later", shown, f"Upgrade {name}.", hopeless=True)
