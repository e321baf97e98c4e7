# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON pointers (RFC 6901), and whether the value they point at is the one that was wanted."""

from __future__ import annotations

import json
import re
from typing import Any

#: Longer than any list: ``int`` refuses thousands of digits with an error of its own.
_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")


def resolve(document: Any, pointer: str) -> Any:
    """Return what a pointer such as ``/checks/0/status`` points at; ``""`` is the whole document.

    :raises LookupError: when it points at nothing.
    """
    if pointer and not pointer.startswith("/"):
        raise LookupError(pointer)
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list):
            if not _INDEX.fullmatch(key):
                raise LookupError(pointer)
            document = document[int(key)]
        elif isinstance(document, dict):
            document = document[key]
        else:
            raise LookupError(pointer)
    return document


def same(value: Any, wanted: Any) -> bool:
    """Whether a JSON value is the wanted one, or what Ansible made text of it, such as ``true`` and ``"True"``."""
    if isinstance(value, bool) == isinstance(wanted, bool) and value == wanted:
        return True
    return isinstance(wanted, str) and not isinstance(value, str) and wanted in (json.dumps(value), str(value))
