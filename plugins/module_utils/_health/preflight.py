# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that would stop a playbook on this host, all findings at once."""

from __future__ import annotations

import time
from typing import Any, Mapping, Sequence

from .._core import verdict as core
from .._core.clock import Deadline, utc_now
from . import host
from .observation import FAIL, PASS, WARN
from .runner import observe


def look(
    supported: Sequence[str],
    python: str,
    memory: str,
    disk: Mapping[str, str],
    file_descriptors: Mapping[str, int],
    ports: Sequence[Mapping[str, Any]],
    checks: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the findings of a host, the verdict on them and the host's time in seconds since 1970.

    The arguments are those of the module preflight_info.

    :raises InputError: when a parameter is wrong.
    """
    epoch_s, clock, started_at = time.time(), Deadline(0), utc_now()
    findings = [host.operating_system(supported)] if supported else []
    findings += [host.python(python), host.memory(memory)]
    findings += [host.disk(path, size) for path, size in disk.items()]
    findings += [host.file_descriptors(subject, int(limit)) for subject, limit in file_descriptors.items()]
    findings += host.ports(ports)
    findings += [
        {
            "level": seen["status"],
            "what": name,
            "expected": seen["expected"],
            "found": seen["output"] or "as expected",
            "remedy": seen["remedy"],
        }
        for name, seen in observe(checks).items()
    ]
    return {
        "changed": False,
        "epoch_s": epoch_s,
        **core.Verdict(started_at=started_at, duration_s=round(clock.elapsed_s, 3)).to_result(),
        **conclude(findings),
    }


def conclude(findings: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return the part of the result that follows from the findings."""
    levels = [item["level"] for item in findings]
    return {
        "verdict": core.FAIL if FAIL in levels else core.PASS,
        "reasons": [
            f"{item['what']}: expected {item['expected']}, found {item['found']}"
            for item in findings
            if item["level"] == FAIL
        ],
        "metrics": {level: levels.count(level) for level in (PASS, WARN, FAIL)},
        "findings": list(findings),
    }
