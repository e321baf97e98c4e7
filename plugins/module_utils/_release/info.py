# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module evenkeel.fleet.release_info reads: ledger, lock, and what the runtime runs."""

from __future__ import annotations

from typing import Any

from .._core.errors import FleetError
from .._runtime.engine import SOCKET
from .._runtime.runtime import runtime_of
from .control.lock import Lock
from .control.stop import StopFlag
from .declared.bundle import stored as stored_bundles
from .guard.order import KINDS, Guard
from .ledger.history import status
from .ledger.records import DIRECTORY, Ledger, LedgerCorrupt, Reading


def read(service: str, directory: str = DIRECTORY, run: str = "", runtime: str = "none", image: str = "",
         bundles: str = "", docker_socket: str = SOCKET, home: str | None = None) -> dict[str, Any]:
    """Return ``status, records, torn_bytes, token, lock, stop, guards, instances, image, stored, bundles, problems``.

    What cannot be read does not stop the rest: it is a sentence in ``problems``.

    :arg run: return the records of this run only; all of them when empty.
    :arg runtime: ``compose`` and ``systemd`` also read the service's slots; ``none`` reads no runtime.
    :arg image: resolve this image to its digest; needs a runtime.
    :arg bundles: directory of the bundles whose digests to read; empty reads none.
    :arg home: directory of the service on this host; only ``systemd`` needs it.
    """
    problems = []
    reading, instances, resolved, stored = Reading(), {}, None, []
    ledger, corrupt = Ledger(service, directory), False
    try:
        reading = ledger.read()
    except LedgerCorrupt as error:
        problems.append(f"FROZEN: {error}")
        corrupt = True
    if runtime != "none":
        slots = runtime_of(runtime, service, home or "", docker_socket)
        try:
            instances = slots.instances()
            stored = slots.stored(image) if image else []
            resolved = slots.resolve(image) if image else None
        except FleetError as error:
            problems.append(str(error))
    return {
        "changed": False,
        "status": {**status(reading.records), "frozen": True} if corrupt else status(reading.records),
        "records": [one for one in reading.records if run in ("", one["run"])],
        "torn_bytes": reading.torn_bytes,
        "token": reading.token,
        "lock": Lock(service, directory).read(),
        "stop": StopFlag(service, directory).read(),
        "guards": {kind: Guard(kind, service, directory).read() for kind in KINDS},
        "instances": instances,
        "image": resolved,
        "stored": stored,
        "bundles": stored_bundles(bundles),
        "problems": problems,
    }
