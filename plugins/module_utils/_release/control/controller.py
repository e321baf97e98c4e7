# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which process drives a run, and whether it is gone: what the operator's own machine knows about a dead controller."""

from __future__ import annotations

import multiprocessing
import os
import uuid
from typing import Any, Mapping

from ..._core import files


def identify(dummy: Any = None) -> dict[str, str]:
    """Return what tells this ansible-playbook from any other process, here and elsewhere.

    Where there is no ``/proc`` it is a name that only this call has, and nobody can tell that it is gone.
    """
    parent = multiprocessing.parent_process()  # a filter runs in a child of ansible-playbook, or in itself
    pid = str(parent.pid if parent else os.getpid())
    try:
        return {**_machine(), "pid": pid, "started": _started(pid)}
    except OSError:
        return {"name": str(uuid.uuid4())}


def abandoned(lock: Mapping[str, Any], holder: str) -> bool:
    """Whether a lock is this holder's own, from a controller that ran on this machine and is gone.

    :arg lock: as M(evenkeel.fleet.release) returned it.
    """
    controller = lock.get("controller") or {}
    if lock.get("holder") != holder or not controller.get("pid"):
        return False
    try:
        return {key: controller[key] for key in _machine()} == _machine() and \
            _started(controller["pid"]) != controller["started"]
    except OSError:
        return False


def _machine() -> dict[str, str]:
    """Return the boot and the namespace in which a process number means something."""
    return {"boot": files.read("/proc/sys/kernel/random/boot_id").decode().strip(),
            "namespace": os.readlink("/proc/self/ns/pid")}


def _started(pid: str) -> str:
    """Return when a process started, in ticks since the boot (proc(5), field 22 of stat); empty when there is none."""
    fields = files.read(f"/proc/{pid}/stat").decode(errors="replace").rpartition(")")[2].split()
    return fields[19] if fields and fields[0] != "Z" else ""
