# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard as a program of its own: put on the host, started by systemd, and what it does while it stands."""

from __future__ import annotations

import os
import socket
import sys
import time
from types import ModuleType
from typing import Any, Callable, Sequence

from ..._core import files
from ..._core.errors import FleetError
from ..._core.program import archive
from ..._core.systemctl import systemctl
from .order import ARMED, Guard

PROGRAMS, UNITS = "/usr/local/lib/evenkeel", "/etc/systemd/system"
POLL_S = 0.5
_UNIT = """\
# Written by evenkeel.fleet; the next rollout overwrites it.
[Unit]
Description=Guard of {service}: sends a rollout back that nobody hears of any more
After=haproxy.service docker.service
# What cannot be done now is tried again until it can.
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={python} -I -B {program} {service} {directory}
Restart=on-failure
RestartSec=2
NoNewPrivileges=true
ProtectHome=true
PrivateTmp=true

[Install]
WantedBy=multi-user.target
"""


def start(guard: Guard, entry: ModuleType, rooms: Sequence[str]) -> None:
    """See that the program stands, now and after a reboot; returns when it looks after its order.

    :arg entry: the file with the program's ``main``. :arg rooms: what it consists of.
    :raises FleetError: when it cannot be started.
    """
    if not os.path.isdir("/run/systemd/system"):
        raise FleetError("guard: expected systemd on this host, found another init.",
                         "Set rollout_guard_ttl_s to 0 to go without a guard.")
    name = f"evenkeel-guard-{guard.kind}-{guard.service}.service"
    program, unit = f"{PROGRAMS}/guard-{guard.kind}.pyz", f"{UNITS}/{name}"
    text = _UNIT.format(service=guard.service, python=sys.executable, program=program, directory=guard.directory)
    renewed = _bring(program, archive(rooms, entry))
    if _bring(unit, text.encode()) or _link(unit):
        systemctl("daemon-reload")
    systemctl("restart" if renewed else "start", "--", name)


def _bring(path: str, content: bytes) -> bool:
    if files.read(path) == content:
        return False
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    files.replace(path, content, 0o644)
    return True


def _link(unit: str) -> bool:
    """Do what ``systemctl enable`` does; that command would reload systemd each time."""
    wanted = f"{UNITS}/multi-user.target.wants/{os.path.basename(unit)}"
    if os.path.islink(wanted):
        return False
    os.makedirs(os.path.dirname(wanted), mode=0o755, exist_ok=True)
    os.symlink(unit, wanted)
    return True


def stand(guard: Guard, due: Callable[[Guard, dict[str, Any]], bool]) -> None:
    """Wait until the order is taken away, or its time is over and ``due`` has done everything.

    :arg due: gets the guard and its order; returns False when it has to be asked again.
    """
    _tell_systemd("READY=1")
    pause_s = POLL_S
    while True:
        found = guard.read()
        if found["state"] != ARMED:
            return
        if found["remaining_s"] > 0:
            pause_s = POLL_S
            time.sleep(min(POLL_S, found["remaining_s"]))
        elif due(guard, found):
            return
        else:
            time.sleep(pause_s)
            pause_s = min(60.0, pause_s * 2)


def run(kind: str, due: Callable[[Guard, dict[str, Any]], bool]) -> None:
    """Be the program: ``guard-<kind>.pyz <service> <directory>``. An error ends it, and systemd starts it again."""
    service, directory = sys.argv[1:]
    try:
        stand(Guard(kind, service, directory), due)
    except FleetError as error:
        raise SystemExit(str(error)) from error


def _tell_systemd(what: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.sendto(what.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
