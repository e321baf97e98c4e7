# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections of an instance, from the kernel's socket table: ``/proc/<pid>/net/tcp`` and ``tcp6`` of its namespace.

Source: Documentation/networking/proc_net_tcp.rst and include/net/tcp_states.h of Linux.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Iterable, Iterator

_ESTABLISHED, _CLOSE_WAIT, _LISTEN = 0x01, 0x08, 0x0A
#: A peer that sent all it has (CLOSE_WAIT) may still wait for its answer.
_OPEN = (_ESTABLISHED, _CLOSE_WAIT)
_SOCKET = "socket:["


@dataclass(frozen=True)
class Row:
    """One line of the table: the local port, the state and the socket's inode."""

    port: int
    state: int
    inode: str


def parse_table(text: str) -> list[Row]:
    """Parse a table; its first line is a header."""
    rows = (line.split() for line in text.splitlines()[1:])
    return [Row(int(row[1].rpartition(":")[2], 16), int(row[3], 16), row[9]) for row in rows if len(row) > 9]


def listening_ports(rows: Iterable[Row], inodes: Iterable[str]) -> frozenset[int]:
    """Return the ports on which one of these sockets listens."""
    own = set(inodes)
    return frozenset(row.port for row in rows if row.state == _LISTEN and row.inode in own)


def count_open(rows: Iterable[Row], ports: Iterable[int]) -> int:
    """Return how many connections to these ports are open, accepted or still in the queue."""
    wanted = set(ports)
    return sum(row.state in _OPEN and row.port in wanted for row in rows)


class Connections:
    """The connections to the ports on which an instance's processes listen.

    :arg pid: its main process; 0 has none.
    """

    def __init__(self, pid: int, proc: str = "/proc") -> None:
        self._proc = proc
        self._pid = pid
        inodes = [inode for one in processes_of(pid, proc) for inode in _sockets_of(one, proc)] if pid else []
        self.ports = listening_ports((row for table in self._tables() for row in parse_table(table)), inodes)

    def count(self, gone: int = 0) -> int:
        """Return how many are open now; ``gone`` when the process is gone."""
        tables = list(self._tables())
        return sum(count_open(parse_table(table), self.ports) for table in tables) if any(tables) else gone

    def _tables(self) -> Iterator[str]:
        for name in ("tcp", "tcp6") if self._pid else ():
            yield _read(f"{self._proc}/{self._pid}/net/{name}")


def group_of(cgroup: str) -> str:
    """Return the control group by which a service manager knows a process, from its ``/proc/<pid>/cgroup``.

    That is the one of cgroup v2, or systemd's own hierarchy where the machine still has version 1.
    """
    groups = {line.split(":", 2)[1]: line.split(":", 2)[2] for line in cgroup.splitlines() if line.count(":") >= 2}
    return groups.get("name=systemd") or groups.get("", "/")


def processes_of(pid: int, proc: str = "/proc") -> list[int]:
    """Return the processes in the control group of a process and below it, in order; only itself in the root group."""
    own = group_of(_read(f"{proc}/{pid}/cgroup"))
    if own == "/":
        return [pid]
    others = sorted(int(name) for name in os.listdir(proc) if name.isdigit())
    return [one for one in others if f"{group_of(_read(f'{proc}/{one}/cgroup'))}/".startswith(f"{own}/")]


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _sockets_of(pid: int, proc: str) -> Iterator[str]:
    """Yield the inodes of a process's sockets."""
    directory = f"{proc}/{pid}/fd"
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            with contextlib.suppress(OSError):
                target = os.readlink(f"{directory}/{name}")
                if target.startswith(_SOCKET):
                    yield target[len(_SOCKET):-1]
