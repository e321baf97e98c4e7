# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""systemctl: commands to this host's systemd, and what it prints of units."""

from __future__ import annotations

import os
import subprocess

from .errors import FleetError

_LONGEST_S = 90.0  # systemd's own DefaultTimeoutStartSec


def systemctl(*arguments: str, strict: bool = True, longest_s: float = _LONGEST_S) -> str:
    """Return what systemctl printed; times are in UTC.

    :arg arguments: units come last, after ``--``.
    :arg strict: whether it has to succeed.
    :raises FleetError: when it does not, or takes longer than ``longest_s``.
    """
    command = ["systemctl", *arguments]
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
            env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}, timeout=longest_s, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FleetError(f"Expected systemd to answer, found: {error}.",
                         "See whether systemd runs here and whether the unit's start ends.", cmd=command) from error
    if strict and done.returncode:
        units = arguments[arguments.index("--") + 1:] if "--" in arguments else ()
        log = " ".join(f"-u {unit}" for unit in units) or "_PID=1"
        raise FleetError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}",
                         f"Read journalctl {log}.", cmd=command, rc=done.returncode, stdout=done.stdout,
                         stderr=done.stderr)
    return done.stdout


def parse_properties(text: str) -> dict[str, str]:
    """Return the properties that ``systemctl show`` printed of one unit, or the variables of an environment file."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def parse_units(text: str) -> dict[str, dict[str, str]]:
    """Return the properties that ``systemctl show`` printed of many units, each by its ``Id``."""
    found = [parse_properties(block) for block in text.split("\n\n")]
    return {one["Id"]: one for one in found if "Id" in one}
