# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results that stay on the host of the probe, and what a probe is doing while it runs.

A probe with a name has three files: ``<name>.lock`` is locked as long as it runs (the kernel lets go of it however
the probe ends), ``<name>.status.json`` is written anew every second, ``<name>.json`` is the last result. Each is
written whole or not at all, and only its owner may read it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from typing import Any, Iterator, Mapping, Sequence

from ..._core import files
from ..._core.clock import utc_now
from ..._core.errors import FleetError, InputError

RUNNING, FINISHED, FAILED, LOST = "running", "finished", "failed", "lost"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class Store:
    """The results in a directory."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def path(self, name: str, kind: str) -> str:
        """Return the file of a probe: ``kind`` is ``lock``, ``status.json`` or ``json``.

        :raises InputError: when the name cannot be one.
        """
        if not _NAME.fullmatch(name) or name.endswith((".lock", ".json")):
            raise InputError("result_name", name, "letters, digits, '.', '_' and '-'", "nightly")
        return os.path.join(self.directory, f"{name}.{kind}")

    @contextlib.contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Be the one probe of this name.

        :raises FleetError: when another one is running, or the directory cannot be written.
        """
        try:
            os.makedirs(self.directory, mode=0o700, exist_ok=True)
            descriptor = os.open(self.path(name, "lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise InputError("result_directory", self.directory,
                             f"a directory that this user may write ({error.strerror})", "/var/tmp/probes") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise FleetError(f"result_name: the probe {name} is still running.",
                             "Wait for it (load_probe_info shows it), or choose another name.") from error
        try:
            yield
        finally:
            os.close(descriptor)

    def is_running(self, name: str) -> bool:
        """Whether a probe of this name runs."""
        try:
            descriptor = os.open(self.path(name, "lock"), os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def write_status(self, name: str, status: Mapping[str, Any]) -> None:
        """Write what a probe is doing; not forced to disk, since it is out of date in a second."""
        content = json.dumps({**status, "updated_at": utc_now()}).encode()
        files.replace(self.path(name, "status.json"), content, mode=0o600, durable=False)

    def write_result(self, name: str, result: Mapping[str, Any]) -> None:
        """Keep a result; it is on disk when this returns."""
        files.replace(self.path(name, "json"), json.dumps(result, separators=(",", ":")).encode(), mode=0o600)

    def read_status(self, name: str) -> dict[str, Any]:
        """Return what a probe is, or was, doing: ``state`` is running, finished, failed, or lost (killed, power cut).

        :raises FleetError: when there is no such probe.
        """
        running = self.is_running(name)
        status = self._read(name, "status.json")
        if status is None and not running:
            known = self.names()
            raise FleetError(f"name: expected a probe in {self.directory}, found none with the name {name}.",
                             f"There are: {', '.join(known)}." if known else "Call load_probe with result_name first.")
        status = status or {"state": RUNNING}
        if status["state"] == RUNNING and not running:
            status["state"] = LOST
        return {"name": name, **status}

    def read_result(self, name: str, field: str = "name") -> dict[str, Any]:
        """Return the last result of a probe.

        :raises FleetError: when there is none.
        """
        result = self._read(name, "json")
        if result is None:
            raise FleetError(f"{field}: expected a result in {self.path(name, 'json')}, found none.",
                             "Run load_probe with this result_name first, and let it end.")
        return result

    def names(self) -> list[str]:
        """Return the names of all probes that ever ran."""
        try:
            found = os.listdir(self.directory)
        except FileNotFoundError:
            return []
        return sorted(name[:-len(".lock")] for name in found if name.endswith(".lock"))

    def _read(self, name: str, kind: str) -> dict[str, Any] | None:
        path = self.path(name, kind)
        try:
            content = files.read(path)
            return dict(json.loads(content)) if content else None
        except (OSError, ValueError) as error:
            raise FleetError(f"{path}: expected JSON that this user may read, found: {error}.",
                             "Ask as the user who ran the probe, or remove the file.") from error


def describe(*, directory: str, name: str = "", result: bool = False) -> dict[str, Any]:
    """Return what the store knows: the module load_probe_info.

    :arg name: only this probe; empty for all.
    :arg result: also the whole last result of ``name``.
    :raises FleetError: when there is no such probe, or no result.
    """
    store = Store(directory)
    names: Sequence[str] = [name] if name else store.names()
    found: dict[str, Any] = {"changed": False, "probes": [store.read_status(one) for one in names]}
    if result:
        found["result"] = store.read_result(name)
    return found
