# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HAProxy's runtime API: commands out, typed answers in. Nothing here opens a socket.

Source: HAProxy 2.6 management guide, 9.1 "CSV format" and 9.3 "Unix Socket commands"; the bits of
``srv_admin_state`` and ``srv_check_state`` are those of HAProxy's ``server-t.h`` and ``check-t.h``.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from typing import Any, Mapping, Protocol, TypeVar

from .._core.errors import FleetError, InputError
from .server import DRAIN, MAINT, READY, Server

T = TypeVar("T")

SHOW_STAT = "show stat"
SHOW_STATES = "show servers state"
SHOW_INFO = "show info"
SHOW_SESSIONS = "show sess all"

_NAME = re.compile(r"[A-Za-z0-9_.:-]+")
_TEXT_COLUMNS = frozenset(("pxname", "svname", "status", "check_status", "last_chk", "check_desc", "addr", "mode"))
_OPERATIONAL = ("stopped", "starting", "running", "stopping")
_ADMIN_MAINT = 0x01 | 0x02 | 0x20 | 0x40  # forced, inherited, not resolved (2 bits); 0x04 only says "by configuration"
_ADMIN_DRAIN = 0x08 | 0x10
_CHECK_CONFIGURED = 0x02
#: A session as it is told: the first line of each has no indentation.
_SESSION = re.compile(r"^(?=0x)", re.MULTILINE)
_TUNNEL = "req.st=MSG_TUNNEL rsp.st=MSG_TUNNEL"
_COUNTERS = (
    "stot", "bin", "bout", "econ", "eresp", "wretr", "wredis", "chkfail", "chkdown", "lastchg", "downtime", "lbtot",
    "rate", "rate_max", "req_tot", "cli_abrt", "srv_abrt", "scur", "smax", "qcur", "qmax", "hrsp_1xx", "hrsp_2xx",
    "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other", "qtime", "ctime", "rtime", "ttime",
)


class Executor(Protocol):
    """Sends one line to the runtime API and returns the answer."""

    def ask(self, command: str) -> str:
        """Return the answer without the blank lines around it."""


def parse_stat(text: str) -> list[dict[str, Any]]:
    """Parse the answer to ``show stat``: one dict per line, numbers as int, empty columns left out."""
    rows = csv.DictReader(text.strip().lstrip("# ").splitlines())
    return [
        {
            key: int(value) if key not in _TEXT_COLUMNS and re.fullmatch(r"-?\d+", value) else value
            for key, value in row.items()
            if key and value
        }
        for row in rows
    ]


def parse_states(text: str) -> list[dict[str, str]]:
    """Parse the answer to ``show servers state``: format version 1, a header, one line per server."""
    lines = text.strip().splitlines()
    if len(lines) < 2 or lines[0] != "1":
        raise FleetError(
            f"HAProxy's answer to '{SHOW_STATES}' was expected in format version 1, found {text[:60]!r}.",
            "Use HAProxy 2.6 or newer.",
        )
    header = lines[1].lstrip("# ").split()
    return [dict(zip(header, line.split())) for line in lines[2:]]


def parse_servers(stat: str, states: str) -> dict[str, list[Server]]:
    """Join both answers to servers by backend, in the order of the configuration."""
    numbers = {(row["pxname"], row["svname"]): row for row in parse_stat(stat)}
    backends: dict[str, list[Server]] = {}
    for row in parse_states(states):
        key = (row["be_name"], row["srv_name"])
        if key in numbers:
            backends.setdefault(key[0], []).append(_server(row, numbers[key]))
    return backends


def parse_totals(stat: str) -> dict[str, dict[str, Any]]:
    """Return the counters of each backend as a whole."""
    return {row["pxname"]: _counters(row) for row in parse_stat(stat) if row.get("svname") == "BACKEND"}


def parse_tunnels(sessions: str, backend: str) -> Counter[str]:
    """Count the tunnels of a backend by server, from the answer to ``show sess all``.

    A tunnel is what HAProxy only passes on since the server answered an upgrade with 101, or a CONNECT: a WebSocket,
    from clients that speak HTTP/1.1 or HTTP/2. Sessions of ``mode tcp`` have no such answer and do not count.
    """
    tunnels: Counter[str] = Counter()
    for session in _SESSION.split(sessions):
        if _TUNNEL in session and f"backend={backend} " in session:
            tunnels.update(re.findall(r"^ *server=(\S+)", session, re.MULTILINE))
    return tunnels


def parse_process(info: str) -> dict[str, Any]:
    """Return version, process id and age in seconds of the process that answers; a reload starts another one."""
    values = dict(line.split(": ", 1) for line in info.strip().splitlines() if ": " in line)
    return {"version": values["Version"], "pid": int(values["Pid"]), "uptime_s": int(values["Uptime_sec"])}


def _server(state: Mapping[str, str], numbers: Mapping[str, Any]) -> Server:
    admin = int(state["srv_admin_state"])
    return Server(
        name=state["srv_name"],
        state=MAINT if admin & _ADMIN_MAINT else DRAIN if admin & _ADMIN_DRAIN else READY,
        operational=_OPERATIONAL[int(state["srv_op_state"])],
        weight=int(state["srv_uweight"]),
        sessions=numbers.get("scur", 0),
        address=state["srv_addr"],
        port=int(state["srv_port"]),
        checked=bool(int(state["srv_check_state"]) & _CHECK_CONFIGURED),
        check_status=numbers.get("check_status", "").lstrip("* "),
        check_code=numbers.get("check_code"),
        check_text=numbers.get("last_chk", ""),
        check_health=numbers.get("check_health", 0),
        check_rise=numbers.get("check_rise", 0),
        check_fall=numbers.get("check_fall", 0),
        counters=_counters(numbers),
    )


def _counters(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _COUNTERS if name in row}


def pick(backends: Mapping[str, T], backend: str) -> T:
    """Return what is known of one backend, such as its servers.

    :raises InputError: when there is no such backend; the message names those there are.
    """
    if backend not in backends:
        raise InputError("backend", backend, f"one of HAProxy's ({', '.join(sorted(backends)) or 'it has none'})")
    return backends[backend]


def server_command(backend: str, server: str, rest: str) -> str:
    """Build one ``set server`` command.

    :raises InputError: when a name holds anything that the runtime API would read as something else.
    """
    for field, name in (("backend", backend), ("servers[].name", server)):
        if not _NAME.fullmatch(name):
            raise InputError(field, name, "a name of letters, digits, '_', '.', ':' and '-'", "be_pitch")
    return f"set server {backend}/{server} {rest}"


class HAProxy:
    """The balancer behind one runtime API."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def backends(self) -> dict[str, list[Server]]:
        """Return all servers by backend."""
        return parse_servers(self._executor.ask(SHOW_STAT), self._executor.ask(SHOW_STATES))

    def totals(self) -> dict[str, dict[str, Any]]:
        """Return the counters of each backend."""
        return parse_totals(self._executor.ask(SHOW_STAT))

    def tunnels(self, backend: str) -> Counter[str]:
        """Return how many tunnels each server of a backend has; HAProxy tells all of its sessions for that."""
        return parse_tunnels(self._executor.ask(SHOW_SESSIONS), backend)

    def process(self) -> dict[str, Any]:
        """Return which process answers."""
        return parse_process(self._executor.ask(SHOW_INFO))

    def servers(self, backend: str) -> dict[str, Server]:
        """Return the servers of one backend by name.

        :raises InputError: when HAProxy has no such backend.
        """
        return {server.name: server for server in pick(self.backends(), backend)}

    def states(self) -> str:
        """Return the text that HAProxy reads back from its ``server-state-file``."""
        return self._executor.ask(SHOW_STATES).strip() + "\n"

    def set_state(self, backend: str, server: str, state: str) -> None:
        """Set ready, drain or maint."""
        self._set(backend, server, f"state {state}")

    def stage(self, backend: str, server: str) -> None:
        """Take a server out of maint into drain, so that it has to earn its health.

        HAProxy holds a server that leaves maint for up before any check has passed. With its health at 0 it
        needs ``rise`` passes in a row, and then has full health.
        """
        self.set_state(backend, server, DRAIN)
        self._set(backend, server, "health down")

    def set_weight(self, backend: str, server: str, weight: int) -> None:
        """Set the weight, 0 to 256."""
        self._set(backend, server, f"weight {weight}")

    def set_port(self, backend: str, server: Server, port: int) -> None:
        """Set the port that HAProxy connects to and checks."""
        self._set(backend, server.name, f"addr {server.address} port {port}")

    def _set(self, backend: str, server: str, rest: str) -> None:
        command = server_command(backend, server, rest)
        answer = self._executor.ask(command)
        if answer and not answer.endswith("by 'stats socket command'"):
            raise FleetError(f"HAProxy refused '{command}': {answer}", cmd=command, stdout=answer)
