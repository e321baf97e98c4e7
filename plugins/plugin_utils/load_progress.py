# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a load probe is going, read from its host while the module runs there, and shown line by line."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import shlex
import threading
from typing import Any, Iterator, Mapping

from ansible.utils.display import Display

#: The environment variable with the seconds between two lines; the callback load_progress sets it.
INTERVAL = "_EVENKEEL_LOAD_PROGRESS_S"


@contextlib.contextmanager
def shown_progress(action: Any, host: str, path: str) -> Iterator[None]:
    """Show a status file of the task's host until the block ends, if the callback is enabled.

    :arg action: the action plugin, whose connection is copied: privilege escalation keeps state in it.
    """
    interval_s = float(os.environ.get(INTERVAL, 0))
    if not interval_s:
        yield
        return
    reader = copy.copy(action)
    reader._connection = copy.copy(action._connection)
    reader._connection.become = copy.copy(action._connection.become)
    over = threading.Event()

    def show() -> None:
        while not over.wait(interval_s):
            answer = reader._low_level_execute_command(f"cat {shlex.quote(path)}")
            with contextlib.suppress(ValueError, KeyError):
                status = json.loads(answer["stdout"])
                if status["state"] == "running":
                    Display().display(f"[{host}] {line(status)}")

    thread = threading.Thread(target=show, name="load_progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def line(status: Mapping[str, Any]) -> str:
    """Return a status for people.

    :raises KeyError: when nothing is measured yet.
    """
    rate, p95 = status["rps"], status["p95_ms"]
    return (f"{status['phase']} {status['elapsed_s']:.0f} s: {status['requests']:,} requests, "
            f"{'–' if rate is None else f'{rate:,.0f}'} rps, {status['errors']:,} errors, "
            f"p95 {'–' if p95 is None else f'{p95:.4g}'} ms")
