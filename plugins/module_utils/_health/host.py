# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at this host, without changing it: what a playbook would trip over, as findings."""

from __future__ import annotations

import os
import re
import resource
import sys
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

from .._core.units import format_bytes, parse_bytes
from .local import run_command
from .observation import FAIL, PASS, WARN, version_of

PROC = Path("/proc")
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")

#: TCP_LISTEN in the column ``st`` of /proc/net/tcp.
_LISTEN = "0A"


def finding(good: bool, what: str, expected: str, found: str, remedy: str, bad: str = FAIL) -> dict[str, str]:
    """Return a finding; its level is pass if ``good``, else ``bad``."""
    return {
        "level": PASS if good else bad,
        "what": what,
        "expected": expected,
        "found": found,
        "remedy": "" if good else remedy,
    }


def operating_system(supported: Sequence[str], path: str = "/etc/os-release") -> dict[str, str]:
    """Judge distribution and version; ``supported`` holds texts such as ``debian 12``."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    fields = {name: value.strip("\"'") for name, _sign, value in (line.partition("=") for line in lines)}
    found = f"{fields.get('ID', 'unknown')} {fields.get('VERSION_ID', '')}".strip()
    good = any(found == wanted or found.startswith(f"{wanted}.") for wanted in supported)
    return finding(good, "operating system", " or ".join(supported), found, "Use a supported distribution.")


def python(minimum: str) -> dict[str, str]:
    """Judge the interpreter that runs this."""
    found = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:3] >= version_of(minimum)
    return finding(good, "python", f"{minimum} or later", found, "Set ansible_python_interpreter to a newer Python.")


def memory_bytes() -> int:
    """Return the memory of this host, or of its control group if that is less."""
    text = (PROC / "meminfo").read_text(encoding="ascii")
    match = re.search(r"^MemTotal:\s+(\d+) kB", text, re.MULTILINE)
    total = int(match.group(1)) * 1024 if match else 0
    limit = CGROUP_LIMIT.read_text(encoding="ascii").strip() if CGROUP_LIMIT.exists() else "max"
    return min(total, int(limit)) if limit.isdigit() else total


def memory(minimum: str) -> dict[str, str]:
    """Judge the memory; ``minimum`` is a size such as ``512mb``."""
    needed, found = parse_bytes(minimum, "memory"), memory_bytes()
    expected = f"at least {format_bytes(needed)}"
    return finding(found >= needed, "memory", expected, format_bytes(found), "Give the host more memory.")


def disk(path: str, minimum: str) -> dict[str, str]:
    """Judge the free space at a path, or at its nearest parent that exists."""
    needed = parse_bytes(minimum, f"disk: {path}")
    existing = Path(path)
    while not existing.exists():
        existing = existing.parent
    state = os.statvfs(existing)
    free = state.f_bavail * state.f_frsize
    expected = f"at least {format_bytes(needed)} free"
    return finding(free >= needed, f"disk {path}", expected, f"{format_bytes(free)} free", f"Free space at {existing}.")


def file_descriptors(subject: str, minimum: int) -> dict[str, str]:
    """Judge how many files a unit, or the present user (subject ``user``), may open (hard limit)."""
    what, expected = f"file descriptors of {subject}", f"at least {minimum}"
    if subject == "user":
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        found = "infinity" if limit == resource.RLIM_INFINITY else str(limit)
        remedy = "Raise nofile in /etc/security/limits.d."
    else:
        shown = _unit_properties(subject)
        if shown.get("LoadState") != "loaded":
            return finding(False, what, expected, "the unit is not installed yet", "None, if a role installs it.", WARN)
        found = shown.get("LimitNOFILE", "unknown")
        remedy = f"Set LimitNOFILE={minimum} with systemctl edit {subject}."
    enough = found == "infinity" or (found.isdigit() and int(found) >= minimum)
    return finding(enough, what, expected, found, remedy)


def _unit_properties(unit: str) -> dict[str, str]:
    shown = run_command(["systemctl", "show", "--property=LoadState,LimitNOFILE", "--", unit], timeout_s=10)[1]
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)


def listeners() -> dict[int, str]:
    """Return the inode of a socket that listens, by TCP port."""
    found: dict[int, str] = {}
    for name in ("tcp", "tcp6"):
        path = PROC / "net" / name
        lines = path.read_text(encoding="ascii").splitlines()[1:] if path.exists() else []
        for columns in map(str.split, lines):
            if columns[3] == _LISTEN:
                found[int(columns[1].rpartition(":")[2], 16)] = columns[9]
    return found


def owner_of(inode: str) -> str:
    """Return the name of a process that holds a socket; empty when it cannot be seen."""
    for process in PROC.iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(os.readlink(entry) == f"socket:[{inode}]" for entry in (process / "fd").iterdir()):
                return (process / "comm").read_text(encoding="utf-8").strip()
        except OSError:
            continue
    return ""


def ports(wanted: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    """Judge that each port is free or held by the process that may have it."""
    taken = listeners()
    for entry in wanted:
        port, process = entry["port"], entry["process"]
        expected = f"free or held by {process}" if process else "free"
        owner = owner_of(taken[port]) if port in taken else ""
        good = port not in taken or (bool(process) and owner == process)
        found = "free" if port not in taken else f"held by {owner or 'a process that this user cannot see'}"
        yield finding(good, f"port {port}", expected, found, "Stop what holds the port, or choose another one.")


def clock(before: float, target: float, after: float, limit_s: float) -> dict[str, str]:
    """Judge the target's clock, which was read between two readings of the controller's.

    The difference is known to half of the time between the two (Cristian's algorithm, 1989); it is judged bad when
    even the smallest difference that fits is above the limit. All in seconds.
    """
    skew_s, uncertainty_s = target - (before + after) / 2, (after - before) / 2
    expected = f"at most {limit_s:g} s from the controller's clock"
    found = f"{skew_s:+.1f} s (± {uncertainty_s:.1f} s)"
    good = abs(skew_s) - uncertainty_s <= limit_s
    return finding(good, "clock", expected, found, "Synchronise both with NTP, for example chrony.")
