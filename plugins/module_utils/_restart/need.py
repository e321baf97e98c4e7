# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does an instance need a restart, and by which method: what has changed since it started, and what takes that in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Iterable, Iterator, Sequence

from .._core.errors import InputError
from .._runtime.instance import State

AUTO, RELOAD, SOCKET, RESTART = "auto", "reload", "socket", "restart"
METHODS = (AUTO, RELOAD, SOCKET, RESTART)
#: What has to be new after a reload for it to count: nothing, a process beside the main one, the main process.
NONE, WORKERS, MAIN = "none", "workers", "main"
RENEWS = (NONE, WORKERS, MAIN)


@dataclass(frozen=True)
class Need:
    """One reason for a restart.

    ``new_process`` is whether a reload that keeps the process would not do, ``handover`` whether one that the old
    process starts would.
    """

    text: str
    new_process: bool = True
    handover: bool = True


def find_needs(state: State, loaded_s: float, sick: Sequence[str], programs: Iterable[str],
               files: Iterable[str]) -> list[Need]:
    """Return every reason, worst first.

    :arg loaded_s: when the configuration was last read, in seconds since 1970: by the start or by a reload.
    :arg sick: why it is not healthy; empty when it is.
    :arg programs: files and directories that only a new process takes in.
    :arg files: those that a reload takes in.
    :raises InputError: when one of them is not there.
    """
    needs = [Need(f"not healthy: {reason}") for reason in sick]
    if state.definition_changed:
        needs.append(Need("its unit has changed on disk", handover=False))
    if state.pid and _replaced(state.pid):
        needs.append(Need("its program was replaced"))
    if state.alive:
        needs += [Need(f"{path} is newer than the process") for path in programs
                  if changed_s(path, "programs") > state.started_s]
        needs += [Need(f"{path} is newer than what it has read", new_process=False) for path in files
                  if changed_s(path, "files") > loaded_s]
    return needs


def choose(wanted: str, state: State, needs: Sequence[Need], reload_signal: str | None, renews: str) -> tuple[str, str]:
    """Return the method and why.

    :raises InputError: when the instance does not have the wanted method.
    """
    can_reload = state.can_reload or bool(reload_signal)
    how = f"its main process takes {reload_signal}" if reload_signal else "its unit declares ExecReload"
    if wanted == RELOAD and not can_reload:
        raise InputError("method", wanted, "a unit with ExecReload, or a reload_signal", "reload_signal: SIGHUP")
    if not state.alive:
        return RESTART, f"it does not run: {state.status}"
    if wanted == SOCKET and not state.sockets:
        raise InputError("method", wanted, "an active socket unit that triggers it", "systemctl start shop.socket")
    if wanted != AUTO:
        return wanted, "declared"
    stuck = [need.text for need in needs if need.new_process]
    if can_reload and (not stuck or (renews == MAIN and all(need.handover for need in needs))):
        return RELOAD, how
    why = f"a reload is not enough: {'; '.join(stuck)}; " if can_reload else ""
    if state.sockets:
        return SOCKET, f"{why}{', '.join(state.sockets)} keeps its connections waiting"
    return RESTART, why.rstrip("; ") or "it can neither reload nor be activated by a socket"


def changed_s(path: str, field: str) -> float:
    """Return when a file, or the newest one below a directory, was last changed, in seconds since 1970.

    The inode's own time counts: packages bring files that are older than themselves.

    :raises InputError: when there is no such file.
    """
    try:
        return max(os.stat(one).st_ctime for one in _below(path))
    except OSError as error:
        raise InputError(field, path, f"files that can be read ({error.strerror})", "/etc/shop.conf") from error


def _below(path: str) -> Iterator[str]:
    yield path
    for directory, _directories, names in os.walk(path):
        if os.path.basename(directory) != "__pycache__":
            yield from (os.path.join(directory, name) for name in names)


def _replaced(pid: int) -> bool:
    """Whether another file has taken the place of the program that a process runs."""
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith(" (deleted)")
    except OSError:
        return False
