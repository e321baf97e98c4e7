# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module evenkeel.fleet.release_info reads: ledger, lock, and what the runtime runs."""

from __future__ import annotations

import glob
import os
from typing import Any, Sequence

from .._core.errors import FleetError
from .._runtime.engine import SOCKET
from .._runtime.runtime import runtime_of
from .control.lock import Lock
from .control.stop import StopFlag
from .declared.bundle import stored as stored_bundles
from .guard.order import KINDS, Guard
from .ledger.history import committed, status
from .ledger.records import DIRECTORY, Ledger, LedgerCorrupt, Reading


def read(service: str, directory: str = DIRECTORY, run: str = "", runtime: str = "none", image: str = "",
         bundles: str = "", docker_socket: str = SOCKET, home: str | None = None) -> dict[str, Any]:
    """Return ``status``, ``records``, ``image``, ``stored`` and what else M(evenkeel.fleet.release_info) documents.

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
        "neighbours": _neighbours(service, directory, stored) if stored else {},
        "bundles": stored_bundles(bundles),
        "problems": problems,
    }


def _neighbours(service: str, directory: str, stored: Sequence[str]) -> dict[str, list[str] | None]:
    """Return which of the stored images other services of this host committed, the newest first.

    None for a service whose ledger does not tell.
    """
    by_digest = {reference.partition("@")[2]: reference for reference in stored if "@" in reference}
    found: dict[str, list[str] | None] = {}
    ledgers = glob.glob(Ledger("*", glob.escape(directory)).path)
    for name in sorted({os.path.basename(os.path.dirname(path)) for path in ledgers} - {service}):
        try:
            newest_first = [one.get("digest") for one in reversed(committed(Ledger(name, directory).read().records))]
        except LedgerCorrupt:
            found[name] = None
            continue
        shared = [by_digest[digest] for digest in dict.fromkeys(newest_first) if digest in by_digest]
        if shared:
            found[name] = shared
    return found
