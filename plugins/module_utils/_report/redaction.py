# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep secrets out of a record: by the name of a key, and by the look of a text."""

from __future__ import annotations

import math
import re
from typing import Any, Mapping

HIDDEN = "(hidden)"

_SECRET_NAME = re.compile(
    r"passw|passphrase|requirepass|masterauth|secret|token|credential|authorization|cookie"
    r"|(api|private|access|ssh|signing|encryption)[_-]?key|(database|redis|amqp|mongo\w*|broker)[_-]?ur[il]|\bdsn\b",
    re.IGNORECASE,
)
_NAMING_KEYS = ("name", "setting", "key", "variable")
_VALUE_KEYS = ("value", "before", "after", "running", "wanted", "default")
_URL_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@", re.IGNORECASE)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_ASSIGNMENT = re.compile(r"\b(\w*(?:passw\w*|secret|token))(\s*[=:]\s*)(?!\(hidden\))[^\s,;'\"]+", re.IGNORECASE)


def clean(value: Any) -> Any:
    """Return a copy without secrets, made of what JSON knows.

    Keys that name a secret are dropped. Where a row names a secret (``{"setting": "requirepass", "before": …}``), its
    values are hidden. In texts, passwords in URLs, authorization headers and ``password=…`` are hidden.
    """
    if isinstance(value, Mapping):
        named = any(isinstance(value.get(key), str) and _SECRET_NAME.search(value[key]) for key in _NAMING_KEYS)
        return {
            str(key): HIDDEN if named and key in _VALUE_KEYS else clean(item)
            for key, item in value.items()
            if not _SECRET_NAME.search(str(key))
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _clean_text(str(value))


def _clean_text(text: str) -> str:
    text = _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", text)
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    return _ASSIGNMENT.sub(rf"\1\2{HIDDEN}", text)
