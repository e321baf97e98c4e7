# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one exception root of the collection."""

from __future__ import annotations

from typing import Any


class FleetError(Exception):
    """An error that a user can act on.

    :arg msg: what was expected and what was found, in one sentence.
    :arg remedy: what the user can do about it, in one sentence; may be empty.
    :arg details: further fields of the failure payload, such as ``cmd``, ``stdout``, ``stderr``, ``rc``.
    """

    def __init__(self, msg: str, remedy: str = "", **details: Any) -> None:
        super().__init__(msg)
        self.msg = msg
        self.remedy = remedy
        self.details = details

    def __str__(self) -> str:
        return f"{self.msg} {self.remedy}".strip()

    def to_failure(self) -> dict[str, Any]:
        """Return the keyword arguments for ``AnsibleModule.fail_json``."""
        return {**self.details, "msg": str(self)}


class InputError(FleetError):
    """A parameter is wrong; nothing was changed.

    The message always names the field, shows the value and a right example.
    """

    def __init__(self, field: str, value: Any, expected: str, example: str = "") -> None:
        remedy = f"Example: {example}" if example else ""
        super().__init__(f"{field}: expected {expected}, found {value!r}.", remedy)
        self.field = field
        self.value = value
        self.expected = expected
        self.example = example
