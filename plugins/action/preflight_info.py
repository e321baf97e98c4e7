# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module between two readings of the controller's clock, which tells how far the host's clock is off."""

from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.host import clock
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.preflight import conclude


class ActionModule(ActionBase):
    """The controller's part of the module preflight_info."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        before = time.time()
        result = self._execute_module(task_vars=task_vars)
        after = time.time()
        if "epoch_s" in result:
            limit_s = float(self._task.args.get("clock_skew_s", 5))
            result |= conclude([clock(before, result["epoch_s"], after, limit_s), *result["findings"]])
        return result
