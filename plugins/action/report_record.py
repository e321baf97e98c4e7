# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deposit one part of the report: on the controller, without a connection to the host that it is about."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.parts import make_part, write_part


class ActionModule(ActionBase):
    """The action behind the module of the same name."""

    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _result, arguments = self.validate_argument_spec({
            "directory": {"type": "path", "required": True},
            "run": {"type": "str", "required": True},
            "record": {"type": "dict", "required": True},
        })
        if self._task.check_mode:
            return {"changed": False, "skipped": True, "msg": "check mode: a report keeps what was done"}
        try:
            part = make_part(arguments["record"], task_vars["inventory_hostname"])
            path = write_part(arguments["directory"], arguments["run"], part)
        except FleetError as error:
            raise AnsibleActionFail(str(error)) from error
        return {"changed": False, "path": str(path)}
