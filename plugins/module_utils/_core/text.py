# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text on its way to bytes."""

from __future__ import annotations

from .errors import InputError


def utf8(text: str, field: str) -> bytes:
    """Return text as UTF-8.

    :raises InputError: when it holds half of a surrogate pair, as JSON (``"\\ud800"``) and file names can.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InputError(field, text[:80], f"text that UTF-8 can carry ({error.reason})", "café") from None
