# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of a report: what each step leaves behind, one file per step and host."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any, Mapping

from .._core.clock import seconds_between, utc_now
from .._core.errors import FleetError, InputError
from .._core.verdict import FAIL, INCONCLUSIVE, PASS
from .redaction import clean

KINDS = ("preflight", "probe", "indexes", "settings", "rollout", "rollback", "balancer", "restart")

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FORBIDDEN = re.compile(r"[^A-Za-z0-9.-]+")


def make_part(record: Mapping[str, Any], host: str) -> dict[str, Any]:
    """Return a complete part, free of secrets.

    :arg record: ``step``, ``kind`` and ``title``; ``started_at``, a time in UTC, for results that do not say it;
        ``verdict`` is pass, fail or inconclusive, or a whole result in the shape of a verdict, whose reasons, start and
        duration are then taken too; ``data`` is what the step found.
    :raises InputError: when a field is missing or unknown.
    """
    known = {"step", "kind", "title", "verdict", "data", "started_at"}
    unknown = sorted(set(record) - known)
    if unknown:
        raise InputError("record", unknown[0], f"the fields {', '.join(sorted(known))}")
    for field in ("step", "title"):
        if not record.get(field) or not isinstance(record[field], str):
            raise InputError(f"record.{field}", record.get(field), "a text", "probe-before")
    if record.get("kind") not in KINDS:
        raise InputError("record.kind", record.get("kind"), f"one of {', '.join(KINDS)}", "probe")
    verdict, data = record.get("verdict"), record.get("data") or {}
    source = verdict if isinstance(verdict, Mapping) else data
    if isinstance(verdict, Mapping):
        verdict = verdict.get("verdict")
    if verdict not in (PASS, FAIL, INCONCLUSIVE):
        raise InputError("record.verdict", verdict, f"one of {PASS}, {FAIL}, {INCONCLUSIVE}", PASS)
    recorded_at = utc_now()
    started_at = source.get("started_at") or record.get("started_at") or recorded_at
    part: dict[str, Any] = clean({
        "step": record["step"],
        "kind": record["kind"],
        "title": record["title"],
        "host": host,
        "verdict": verdict,
        "reasons": source.get("reasons") or [],
        "started_at": started_at,
        "duration_s": source.get("duration_s") or seconds_between(started_at, recorded_at),
        "recorded_at": recorded_at,
        "data": data,
    })
    return part


def write_part(directory: str, run: str, part: Mapping[str, Any]) -> Path:
    """Write a part to ``<directory>/<run>/parts`` in one step and return its path; names sort by time.

    :raises FleetError: when the directory cannot be written.
    """
    if not _RUN.fullmatch(run):
        raise InputError("report_run", run, "letters, digits, '.', '_' and '-'", "20261121T081500Z")
    parts = Path(directory) / run / "parts"
    name = "-".join(_FORBIDDEN.sub("_", part[key]) for key in ("recorded_at", "step", "host"))
    try:
        parts.mkdir(parents=True, exist_ok=True)
        handle, new = tempfile.mkstemp(dir=parts, prefix=".", suffix=".new")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(part, file, ensure_ascii=False, allow_nan=False, indent=1)
        path = parts / f"{name}.json"
        os.replace(new, path)
    except OSError as error:
        raise FleetError(
            f"report_directory: expected to write below {directory}, found: {error}.",
            "Set report_directory to a directory on the controller that this user may write.",
        ) from error
    return path


def read_parts(directory: str, run: str) -> list[dict[str, Any]]:
    """Return all parts of a run, oldest first.

    :raises FleetError: when there is none, or one cannot be read.
    """
    paths = sorted((Path(directory) / run / "parts").glob("*.json"))
    if not paths:
        raise FleetError(
            f"report_run: expected parts of a report in {Path(directory) / run / 'parts'}, found none.",
            "Run a playbook that measures or changes something first, or name the run with -e report_run=…",
        )
    parts = []
    for path in paths:
        try:
            parts.append(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise FleetError(f"{path}: expected JSON, found: {error}.", "Remove the file and draw again.") from error
    return parts


def latest_run(directory: str) -> str:
    """Return the run whose parts are the youngest.

    :raises FleetError: when there is none.
    """
    runs = [path.parent for path in Path(directory).glob("*/parts") if any(path.glob("*.json"))]
    if not runs:
        raise FleetError(
            f"report_directory: expected a run with parts below {directory}, found none.",
            "Run a playbook that measures or changes something first, from this directory, or set report_directory.",
        )
    return max(runs, key=lambda run: max(part.name for part in (run / "parts").glob("*.json"))).name
