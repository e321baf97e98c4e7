# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep secrets out of a record: by the name of a key, and by the look of a text."""

from __future__ import annotations

import math
import re
from typing import Any, Mapping

HIDDEN = "(hidden)"

_KEY_NAME = r"(?:api|private|access|ssh|signing|encryption)[_-]?key"
_SECRET_NAME = re.compile(
    r"passw|passphrase|requirepass|masterauth|secret|token|credential|authorization|cookie"
    rf"|{_KEY_NAME}|(database|redis|amqp|mongo\w*|broker)[_-]?ur[il]|\bdsn\b",
    re.IGNORECASE,
)
_NAMING_KEYS = ("name", "setting", "key", "variable")
_VALUE_KEYS = ("value", "before", "after", "running", "wanted", "default")
#: Fields that hold a table: its keys are names that somebody chose, such as a scenario ``password_reset``.
_TABLES = frozenset((
    "scenarios", "steps", "tags", "histograms", "step_histograms", "tag_histograms", "journeys", "skipped",
    "header_counts", "hosts", "instances", "way_back", "backends", "components",
))
#: What comes before the password in ``scheme://user:password@host``. A path with an ``@`` is none: before it there is
#: no colon (``https://host/@user/x``), or a port (up to five digits and a slash) of the web or of a registry of images.
#: With other schemes an ``@`` belongs to a password.
_WEB = r"(?:https?|wss?|docker|oci)://"
_URL_USER = rf"\b(?:{_WEB}[^\s:/@]*(?!:\d{{1,5}}[/?#])|(?!{_WEB})[a-z][a-z0-9+.-]{{0,30}}://[^\s:/@]*):"
_URL_PASSWORD = re.compile(rf"({_URL_USER})[^\s/]+@", re.IGNORECASE)
#: A password may have a raw slash, too: it ends with the last ``@`` before white space or the end of a quoted text.
#: Rather is a host hidden than the rest of a password shown.
_URL_BEGIN = re.compile(_URL_USER, re.IGNORECASE)
_WORD = re.compile(r"""(?:(?!\\*["'][,:;)\]}])\S)+""")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}")
#: ``password=…`` and ``"password": "…"``. A quote may be escaped, as in JSON inside JSON, and its end cut off.
#: ``password_reset: error_rate < 1%`` is the rule of a scenario.
_ASSIGNMENT = re.compile(
    rf"""(\b\w*(?:passw\w*|passphrase|masterauth|secrets?|tokens?|credentials?|{_KEY_NAME})(?:\\*["'])?\s*[=:]\s*)"""
    r"""(?!\(hidden\)|(?<=: )[a-z][a-z0-9_.]* *[<>=]=? *\d)"""
    r"""(?:(?P<quote>\\*["']).*?(?:(?<!\\)(?P=quote)|\Z)|[^\s,;'"]+)""",
    re.IGNORECASE | re.DOTALL,
)


def clean(value: Any, names: bool = False) -> Any:
    """Return a copy without secrets, made of what JSON knows.

    Keys that name a secret are dropped. Where a row names a secret (``{"setting": "requirepass", "before": …}``), its
    values are hidden. In texts, passwords in URLs, authorization headers and ``password=…`` are hidden.

    :arg names: the keys of ``value`` are names that somebody chose, not fields: all stay.
    """
    if isinstance(value, Mapping):
        if names:
            return {str(key): _named(str(key), item) for key, item in value.items()}
        named = any(isinstance(value.get(key), str) and _SECRET_NAME.search(value[key]) for key in _NAMING_KEYS)
        return {
            str(key): HIDDEN if named and key in _VALUE_KEYS else clean(item, key in _TABLES)
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


def _named(name: str, item: Any) -> Any:
    """Return what a table has under a name; a text or a list, which could be a secret after all, is hidden."""
    harmless = isinstance(item, (Mapping, int, float, type(None))) or not _SECRET_NAME.search(name)
    return clean(item) if harmless else HIDDEN


def _clean_text(text: str) -> str:
    if "://" in text:
        text = _WORD.sub(_clean_word, _URL_PASSWORD.sub(rf"\1{HIDDEN}@", text))
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    return _ASSIGNMENT.sub(rf"\1{HIDDEN}", text)


def _clean_word(match: re.Match[str]) -> str:
    word = match.group()
    begin, end = _URL_BEGIN.search(word), word.rfind("@")
    return f"{word[:begin.end()]}{HIDDEN}{word[end:]}" if begin and begin.end() < end else word
