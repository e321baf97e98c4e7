# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw the report of a run, on the controller, from the parts that its steps have left there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.charts import charts
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.collect import collect
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.console import summary
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.page import render
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.parts import latest_run, read_parts

ROLE = Path(__file__).resolve().parents[2] / "roles" / "report"


class ActionModule(ActionBase):
    """The action behind the module of the same name."""

    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec({
            "directory": {"type": "path", "required": True},
            "run": {"type": "str", "default": ""},
            "title": {"type": "str", "default": "Fleet report"},
            "groups": {"type": "list", "elements": "str", "default": []},
        })
        if self._task.check_mode:
            return {"changed": False, "skipped": True, "msg": "check mode: a report shows what was done"}
        fleet = {group: [str(host) for host in task_vars["groups"].get(group, [])] for group in options["groups"]}
        try:
            run = options["run"] or latest_run(options["directory"])
            report = collect(run, options["title"], fleet, read_parts(options["directory"], run))
        except FleetError as error:
            raise AnsibleActionFail(str(error)) from error
        directory = Path(options["directory"]) / run
        data, page = directory / "report.json", directory / "report.html"
        data.write_text(json.dumps(report, ensure_ascii=False, allow_nan=False, indent=1) + "\n", encoding="utf-8")
        page.write_text(render("report.html.j2", ROLE, charts(report), report=report), encoding="utf-8")
        return {
            "changed": False, "run": run, "verdict": report["verdict"], "data": str(data), "page": str(page),
            "summary": summary(report),
        }
