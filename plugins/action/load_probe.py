# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module; a common start is given on the controller's clock and handed over on that of the host."""

from __future__ import annotations

import time
from typing import Any, Mapping

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.offset import Reading, clock_offset_s
from ansible_collections.evenkeel.fleet.plugins.plugin_utils.progress import run_shown

#: How often the host's clock is read.
READINGS = 3


class ActionModule(ActionBase):
    """The controller's part of the module load_probe."""

    _supports_async = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        clock = None
        if arguments.get("start_at") is not None and not self._task.check_mode:
            offset_s, uncertainty_s = self._clock()
            clock = {"offset_ms": round(offset_s * 1000, 3), "uncertainty_ms": round(uncertainty_s * 1000, 3)}
            arguments["start_at"] = float(arguments["start_at"]) + offset_s
        result = run_shown(self, arguments, task_vars or {}, _status_path(arguments), line)
        if clock and "samples" in result:
            result["samples"]["clock"] = clock
        return result

    def _clock(self) -> tuple[float, float]:
        """Return by how many seconds the host's clock is ahead, and how far that may be wrong."""
        command = f"{self._compute_environment_string()} date +%s.%N".strip()
        try:
            return clock_offset_s([self._read_clock(command) for _reading in range(READINGS)])
        except FleetError as error:
            raise AnsibleActionFail(f"start_at: {error}") from error

    def _read_clock(self, command: str) -> Reading:
        before_s = time.time()
        answer = self._low_level_execute_command(command, sudoable=False)
        after_s = time.time()
        try:
            return Reading(before_s, float(answer["stdout"]), after_s)
        except ValueError as error:
            found = (answer["stdout"] or answer["stderr"]).strip()
            raise AnsibleActionFail(f"start_at: expected seconds from `date +%s.%N` on the load host, found {found!r}. "
                                    "A common start needs GNU date there.") from error


def _status_path(arguments: Mapping[str, Any]) -> str:
    """Return where the probe keeps how it is going, empty when it does not."""
    directory = arguments.get("result_directory") or "/var/lib/evenkeel/probes"
    return f"{directory}/{arguments['result_name']}.status.json" if arguments.get("result_name") else ""


def line(status: Mapping[str, Any]) -> str:
    """Return a status for people.

    :raises KeyError: when nothing is measured yet.
    """
    rate, p95 = status["rps"], status["p95_ms"]
    return (f"{status['phase']} {status['elapsed_s']:.0f} s: {status['requests']:,} requests, "
            f"{'–' if rate is None else f'{rate:,.0f}'} rps, {status['errors']:,} errors, "
            f"p95 {'–' if p95 is None else f'{p95:.4g}'} ms")
