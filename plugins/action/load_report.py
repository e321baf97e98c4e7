# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write results of load probes on the controller, in the formats of other tools and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.evenkeel.fleet.plugins.module_utils._core import files
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.formats import (
    ENDINGS,
    check_names,
    check_results,
    write_formats,
)

ROLE = Path(__file__).resolve().parents[2] / "roles" / "report"


class ActionModule(ActionBase):
    """The action behind the module of the same name."""

    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec({
            "results": {"type": "dict", "required": True},
            "directory": {"type": "path", "required": True},
            "name": {"type": "str", "default": "load"},
            "formats": {"type": "list", "elements": "str", "choices": list(ENDINGS), "default": ["json", "html"]},
            "title": {"type": "str", "default": "Load probes"},
            "labels": {"type": "dict", "default": {}},
        })
        results = options["results"]
        if self._task.check_mode and not any(result.get("metrics") for result in results.values()):
            return {"changed": False, "skipped": True, "msg": "check mode: nothing was measured"}
        try:
            check_results(results)
            check_names(options["name"], options["labels"])
            contents = write_formats(results, options["formats"], options["title"], options["labels"], ROLE)
            paths = [Path(options["directory"]) / f"{options['name']}{ending}" for ending in contents]
            changed = [self._write(path, content) for path, content in zip(paths, contents.values())]
        except FleetError as error:
            raise AnsibleActionFail(str(error)) from error
        return {"changed": any(changed), "files": [str(path) for path in paths]}

    def _write(self, path: Path, content: str) -> bool:
        """Write a file unless it is the same already; return whether it was not."""
        data = content.encode()
        try:
            if files.read(str(path)) == data:
                return False
            if not self._task.check_mode:
                path.parent.mkdir(parents=True, exist_ok=True)
                files.replace(str(path), data, mode=0o644)
        except OSError as error:
            raise InputError("directory", str(path.parent), f"a directory that this user may write ({error.strerror})",
                             "reports") from error
        return True
