# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module, and show how the pull is going where the callback progress asks for it."""

from __future__ import annotations

import uuid
from typing import Any, Mapping

from ansible.plugins.action import ActionBase
from ansible_collections.evenkeel.fleet.plugins.plugin_utils.progress import interval_s, run_shown


class ActionModule(ActionBase):
    """The controller's part of the module image_pull."""

    _supports_async = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if interval_s(self):
            # A name that nobody else on the host can know before.
            arguments.setdefault("status_path", f"/tmp/evenkeel-{uuid.uuid4().hex}.json")
        return run_shown(self, arguments, task_vars or {}, arguments.get("status_path", ""), line)


def line(status: Mapping[str, Any]) -> str:
    """Return a status for people."""
    going = f"pull {status['elapsed_s']:.0f} s: "
    if not status["layers_all"]:
        return f"{going}waiting for the registry"
    return (f"{going}{status['layers_done']} of {status['layers_all']} layers, "
            f"{status['bytes_done'] / 1e6:,.1f} of {status['bytes_all'] / 1e6:,.1f} MB")
