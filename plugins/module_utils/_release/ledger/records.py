# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger: append-only JSON lines on the target, one before and one after each step, chained by hash.

A record is ``{seq, time, run, service, release, state, phase, host, operator, token, data, prev, hash}``:
``time`` is UTC in ISO 8601, ``prev`` is the hash of the record before (64 zeros at the start), ``hash`` is the
SHA-256 of the record without it, as JSON with sorted keys and no spaces.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping

from ..._core import files
from ..._core.clock import utc_now
from ..._core.errors import FleetError, InputError
from .states import PHASES, STATES, check_transition

DIRECTORY = "/var/lib/evenkeel"
GENESIS = "0" * 64
FIELDS = ("seq", "time", "run", "service", "release", "state", "phase", "host", "operator", "token", "data", "prev")


class LedgerCorrupt(FleetError):
    """A record that is complete does not belong to the chain: somebody or something changed the file."""


@dataclass(frozen=True)
class Reading:
    """What a ledger holds. ``torn_bytes`` is the length of a last line whose writer was interrupted."""

    records: list[dict[str, Any]] = field(default_factory=list)
    torn_bytes: int = 0

    @property
    def last(self) -> dict[str, Any] | None:
        """The newest record."""
        return self.records[-1] if self.records else None

    @property
    def token(self) -> int:
        """The highest fencing token that was ever used here, 0 without any."""
        return max((record["token"] for record in self.records), default=0)


def digest(record: Mapping[str, Any]) -> str:
    """Return the hash of a record, in which ``hash`` itself does not count."""
    content = {key: record[key] for key in FIELDS}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def encode(record: Mapping[str, Any]) -> bytes:
    """Return the record as one line."""
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def parse(content: bytes, name: str = "ledger") -> Reading:
    """Read and verify a whole ledger.

    Bytes after the last newline are a write that a crash cut off: they were never confirmed to anybody and do
    not count. Everything before it must be whole.

    :raises LedgerCorrupt: when a line is no record, is out of order, or breaks the chain of hashes.
    """
    *lines, torn = content.split(b"\n")
    records: list[dict[str, Any]] = []
    previous = GENESIS
    for number, line in enumerate(lines, 1):
        finding = ""
        try:
            record = json.loads(line)
            if set(record) != {*FIELDS, "hash"}:
                finding = "its fields are not those of a record"
            elif record["seq"] != number:
                finding = f"its seq is {record['seq']}, not {number}"
            elif record["prev"] != previous:
                finding = "it does not follow the record before it"
            elif record["hash"] != digest(record):
                finding = "its content does not match its hash"
        except (ValueError, TypeError):
            finding = "it is not JSON"
        if finding:
            raise LedgerCorrupt(
                f"{name}: expected an unbroken chain of records, found line {number} broken: {finding}.",
                "Compare with the other hosts' ledgers and what runs; then move the file away to begin a new one.",
                line=number)
        previous = record["hash"]
        records.append(record)
    return Reading(records, len(torn))


class Ledger:
    """One service's ledger on this host: ``<directory>/<service>/ledger.jsonl``."""

    def __init__(self, service: str, directory: str = DIRECTORY) -> None:
        self.service = service
        self.directory = os.path.join(directory, service)
        self.path = os.path.join(self.directory, "ledger.jsonl")

    def read(self) -> Reading:
        """Read and verify.

        :raises LedgerCorrupt: see :func:`parse`.
        """
        return parse(files.read(self.path), self.path)

    def append(self, records: Iterable[Mapping[str, Any]], token: int, **common: Any) -> list[dict[str, Any]]:
        """Append records and return them as written; all or none of them are legal.

        :arg records: each with ``state``, ``phase`` and optionally ``data``.
        :arg token: the fencing token of the lock under which this is done.
        :arg common: ``run``, ``release``, ``host`` and ``operator`` of all of them.
        :raises FleetError: for a token lower than one that was used here, or an illegal transition; both with the
            detail ``refused``.
        """
        files.make_directory(self.directory)
        with files.exclusive(f"{self.path}.lock"):
            reading = self.read()
            if token < reading.token:
                raise FleetError(
                    f"token: this host has already followed token {reading.token}, found the older {token}.",
                    "Another run took the lock over; this one must stop.", token=reading.token, refused=True)
            written: list[dict[str, Any]] = []
            last = reading.last
            for wanted in records:
                last = self._next(last, {**common, **wanted, "token": token})
                written.append(last)
            if reading.torn_bytes:
                files.truncate(self.path, os.path.getsize(self.path) - reading.torn_bytes)
            self._write(b"".join(encode(record) for record in written))
        return written

    def _write(self, lines: bytes) -> None:
        size = os.path.getsize(self.path) if os.path.exists(self.path) else 0
        try:
            files.append(self.path, lines)
        except OSError as error:
            if os.path.exists(self.path):
                files.truncate(self.path, size)  # whole records may have got through, of which nobody was told
            raise FleetError(f"ledger: expected to write {self.path}, found: {error.strerror}.",
                             "Nothing was recorded. Make room on this host, or see to its disk.") from error

    def _next(self, last: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
        for name, allowed in (("state", STATES), ("phase", PHASES)):
            if wanted[name] not in allowed:
                raise InputError(name, wanted[name], f"one of {', '.join(allowed)}", allowed[0])
        check_transition(last, wanted)
        record = {
            "seq": (last["seq"] if last else 0) + 1, "time": utc_now(), "service": self.service,
            "prev": last["hash"] if last else GENESIS, "data": wanted.get("data") or {},
            **{key: wanted[key] for key in ("run", "release", "state", "phase", "host", "operator", "token")},
        }
        return {**record, "hash": digest(record)}
