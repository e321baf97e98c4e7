# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A k6 script's options as variables of load_test; json5 reads those that are still in a script."""

from __future__ import annotations

import json
import re
from typing import Any, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.evenkeel.fleet.plugins.plugin_utils.lazy_filter import lazy_filter

_OPTIONS = re.compile(r"^[ \t]*export\s+(?:const|let|var)\s+options\s*=\s*", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_translate = lazy_filter("_load.k6.options", "translate")
_EXACT = "Give what `k6 inspect script.js` prints: k6 has evaluated it."


def options_of(text: str) -> Any:
    """Return the options of a script, or of the JSON that ``k6 inspect`` prints for it.

    :raises AnsibleFilterError: when there are none, or when they are not plain data.
    """
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError as error:
            raise AnsibleFilterError(f"k6 options: expected JSON, found {error}. {_EXACT}") from error
    try:
        import json5
    except ImportError as error:
        raise AnsibleFilterError("k6 options: reading them out of a script needs the Python package json5 on the "
                                 f"controller (pip install json5). {_EXACT}") from error
    blanked = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    match = _OPTIONS.search(blanked)
    if not match:
        raise AnsibleFilterError(f"k6 options: expected `export const options = {{…}}`, found none. {_EXACT}")
    value, problem, _position = json5.parse(text, start=match.end(), consume_trailing=False)
    if problem:
        raise AnsibleFilterError(f"k6 options: expected plain data, found {problem.replace('<string>:', 'in line ')}; "
                                 f"expressions and calls are not evaluated here. {_EXACT}")
    return value


def k6_variables(options: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return variables of load_test and what could not be translated; see the filter's documentation."""
    return _translate(options_of(options) if isinstance(options, str) else options)


class FilterModule:
    """The filters of this file, each documented in a file of its name."""

    def filters(self) -> dict[str, Any]:
        return {"k6_variables": k6_variables}
