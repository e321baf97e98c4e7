# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the runtime states over a restart: HAProxy reads this file where its configuration says
``server-state-file`` and ``load-server-state-from-file global``."""

from __future__ import annotations

import fcntl
import os
from typing import Callable

from .._core.errors import FleetError


def save(path: str, states: Callable[[], str]) -> None:
    """Replace the file in one step, on disk before this returns; mode 0644.

    A lock on the directory makes parallel callers save in turn, so that an older state never replaces a newer one.

    :arg states: asked under the lock for the text to save.
    :raises FleetError: when the file cannot be written.
    """
    target = os.path.abspath(path)
    try:
        directory = os.open(os.path.dirname(target), os.O_RDONLY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            _replace(target, states())
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise FleetError(
            f"state_file: expected to write {path}, found: {error}. The states are set, but a restart would lose them.",
            "Make its directory, or name another file that HAProxy's configuration names too.",
        ) from error


def _replace(target: str, text: str) -> None:
    new = f"{target}.new"
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fchmod(file.fileno(), 0o644)
        os.fsync(file.fileno())
    os.replace(new, target)
