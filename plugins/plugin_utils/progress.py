# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a module is going, read from its status file on the host while it runs there, and shown line by line."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import shlex
import threading
from typing import Any, Callable, Iterator, Mapping

from ansible.utils.display import Display

#: The environment variable with the seconds between two lines; the callback progress sets it.
INTERVAL = "_EVENKEEL_PROGRESS_S"

#: Makes a line of a status; raises KeyError while there is nothing to say.
Line = Callable[[Mapping[str, Any]], str]


def interval_s(action: Any) -> float:
    """Return the seconds between two lines of an action plugin's task; 0 when it shows none."""
    return 0.0 if action._task.check_mode or _in_background(action) else float(os.environ.get(INTERVAL, 0))


def run_shown(action: Any, arguments: dict[str, Any], task_vars: dict[str, Any], path: str,
              line: Line) -> dict[str, Any]:
    """Run the task's module on its host, also in the background, and show its status file until it ends.

    :arg action: the action plugin, whose connection is copied: privilege escalation keeps state in it.
    :arg path: the status file; empty when there is none.
    """
    with _shown(action, task_vars.get("inventory_hostname", ""), path, line):
        result: dict[str, Any] = action._execute_module(module_args=arguments, task_vars=task_vars,
                                                        wrap_async=_in_background(action))
    return result


def _in_background(action: Any) -> bool:
    return bool(action._task.async_val) and not action._connection.has_native_async


@contextlib.contextmanager
def _shown(action: Any, host: str, path: str, line: Line) -> Iterator[None]:
    pause_s = interval_s(action)
    if not pause_s or not path:
        yield
        return
    reader = copy.copy(action)
    reader._connection = copy.copy(action._connection)
    reader._connection.become = copy.copy(action._connection.become)
    over = threading.Event()

    def show() -> None:
        while not over.wait(pause_s):
            answer = reader._low_level_execute_command(f"cat {shlex.quote(path)}")
            with contextlib.suppress(ValueError, KeyError):
                status = json.loads(answer["stdout"])
                if status["state"] == "running":
                    Display().display(f"[{host}] {line(status)}")

    thread = threading.Thread(target=show, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
