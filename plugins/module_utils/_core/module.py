# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last line of every module: run one function, turn the one exception root into a failure."""

from __future__ import annotations

from typing import Any, Callable

from .errors import FleetError


def run(module: Any, function: Callable[..., dict[str, Any]], **arguments: Any) -> None:
    """Call ``function(**arguments)`` and leave the module with its result.

    :arg module: the AnsibleModule (anything with ``exit_json`` and ``fail_json``).
    :arg function: returns the module's result, with ``changed``.
    """
    try:
        result = function(**arguments)
    except FleetError as error:
        module.fail_json(**error.to_failure())
    else:
        module.exit_json(**result)
