# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that would stop a playbook on this host, all findings at once."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from .._core import verdict as core
from .._core.clock import Deadline, utc_now
from . import host
from .observation import FAIL
from .runner import observe


def look(
    supported: Sequence[str],
    python: str,
    memory: str,
    disk: Mapping[str, str],
    file_descriptors: Mapping[str, int],
    ports: Sequence[Mapping[str, Any]],
    controller_time: float | None,
    clock_skew_s: float,
    checks: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the findings of a host and the verdict on them; see the module preflight_info for the arguments.

    :raises InputError: when a parameter is wrong.
    """
    clock, started_at = Deadline(0), utc_now()
    findings = []
    if controller_time is not None:
        findings.append(host.clock(controller_time, clock_skew_s))
    if supported:
        findings.append(host.operating_system(supported))
    findings += [host.python(python), host.memory(memory)]
    findings += [host.disk(path, size) for path, size in disk.items()]
    findings += [host.file_descriptors(subject, int(limit)) for subject, limit in file_descriptors.items()]
    findings += host.ports(ports)
    for name, seen in observe(checks).items():
        findings.append(
            {
                "level": seen["status"],
                "what": name,
                "expected": seen["expected"],
                "found": seen["output"] or "as expected",
                "remedy": seen["remedy"],
            }
        )
    failing = [item for item in findings if item["level"] == FAIL]
    levels = [item["level"] for item in findings]
    return {
        "changed": False,
        **core.Verdict(
            core.FAIL if failing else core.PASS,
            [f"{item['what']}: expected {item['expected']}, found {item['found']}" for item in failing],
            metrics={level: levels.count(level) for level in ("pass", "warn", "fail")},
            started_at=started_at,
            duration_s=round(clock.elapsed_s, 3),
        ).to_result(),
        "findings": findings,
    }
