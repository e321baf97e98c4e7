# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters that import what they need when they are called.

Ansible looks for a filter in every file of the collection, anew in the process of each task and host. What the files
import is therefore paid for hundreds of times in a run, mostly by tasks that never use it.
"""

from __future__ import annotations

import importlib
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError

_ROOMS = "ansible_collections.evenkeel.fleet.plugins.module_utils"


def lazy_filter(room: str, function: str) -> Callable[..., Any]:
    """Return a filter that calls a function of a room, such as ``_release.plan.make`` and ``make_plan``.

    Its :class:`FleetError` becomes the error that Ansible shows.
    """

    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return getattr(importlib.import_module(f"{_ROOMS}.{room}"), function)(*arguments, **options)
        except FleetError as error:
            raise AnsibleFilterError(str(error)) from error

    return call
