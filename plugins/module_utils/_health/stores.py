# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of data stores: postgres and redis."""

from __future__ import annotations

import time
from typing import Any, Mapping

from .._client.dial import DialError
from .._client.postgres import PostgresClient, PostgresError
from .._client.redis import RedisClient, RedisError
from .._core.clock import Deadline
from .._core.errors import FleetError
from .network import HOPELESS, milliseconds_since, tls_options
from .observation import FAIL, PASS, Observation, failure, judge_version

#: SQLSTATEs of a server that is only starting, stopping or full: waiting helps.
PASSING_STATES = ("57P01", "57P02", "57P03", "53300")

#: Replies of Redis that waiting does not cure.
HOPELESS_REPLIES = ("WRONGPASS", "NOAUTH", "NOPERM", "ERR")
FULL = "max number of clients reached"

#: Role, link and lag of a PostgreSQL server, for any user. A standby that has replayed all that it received is not
#: behind, however long ago the last transaction was; the WAL receiver exists only as long as there is a link.
REPLICATION = """
SELECT CASE WHEN pg_is_in_recovery() THEN 'replica' ELSE 'master' END AS role,
       EXISTS (SELECT 1 FROM pg_stat_wal_receiver) AS linked,
       CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END AS lag_s
"""


def hopeless(error: FleetError) -> bool:
    """Whether looking again cannot help."""
    if isinstance(error, DialError):
        return error.kind in HOPELESS
    if isinstance(error, PostgresError):
        return error.code not in PASSING_STATES
    if isinstance(error, RedisError):
        return error.code in HOPELESS_REPLIES and FULL not in error.msg
    return True


def check_postgres(check: Mapping[str, Any], timeout_s: float) -> Observation:
    """Log in, judge version, role and replication, run a query read-only and compare its first value."""
    client = PostgresClient(user=check["user"], database=check["database"], **_login(check, 5432, timeout_s))
    expected = f"postgresql at {client.where} lets {check['user']} into {check['database']}"
    started = time.monotonic()
    try:
        with client:
            outdated = judge_version("PostgreSQL", client.parameters.get("server_version", ""), check["min_version"])
            rows = client.read(check["query"])
            latency_ms = milliseconds_since(started)
            needs_replication = check["role"] or check["max_lag_s"] is not None
            replication = client.read(REPLICATION)[0] if needs_replication else {}
    except FleetError as error:
        return failure(expected, error, hopeless(error))
    if outdated:
        return outdated
    value = next(iter(rows[0].values())) if rows and rows[0] else None
    if check["expect"] is not None and value != check["expect"]:
        return Observation(
            FAIL, f"{check['query']} returns {check['expect']!r}", f"it returned {value!r}.",
            "Correct the data, or the expectation.", latency_ms, "ms",
        )  # fmt: skip
    if replication:
        role, linked = replication["role"] or "", replication["linked"] == "t"
        bad = _judge_replication(check, f"postgresql at {client.where}", role, linked, float(replication["lag_s"] or 0))
        if bad:
            return bad
    return Observation(PASS, expected, value=latency_ms, unit="ms")


def check_redis(check: Mapping[str, Any], timeout_s: float) -> Observation:
    """Log in, ping, and judge version, role and the link to the master."""
    client = RedisClient(username=check["user"], deadline=Deadline(timeout_s), **_login(check, 6379, timeout_s))
    expected = f"redis at {client.where} answers PING"
    started = time.monotonic()
    try:
        with client:
            pong = client.call("PING")
            latency_ms = milliseconds_since(started)
            needs_info = check["role"] or check["min_version"] or check["max_lag_s"] is not None
            info = _info(client.call("INFO")) if needs_info else {}
    except FleetError as error:
        return failure(expected, error, hopeless(error))
    if pong != "PONG":
        return Observation(FAIL, expected, f"answered {pong!r}.", "Check what listens there.", hopeless=True)
    outdated = judge_version("Redis", info.get("redis_version", ""), check["min_version"])
    if outdated:
        return outdated
    role, linked = info.get("role", ""), info.get("master_link_status") == "up"
    lag_s = float(info.get("master_last_io_seconds_ago", "-1"))
    bad = _judge_replication(check, f"redis at {client.where}", {"slave": "replica"}.get(role, role), linked, lag_s)
    return bad or Observation(PASS, expected, value=latency_ms, unit="ms")


def _login(check: Mapping[str, Any], default_port: int, timeout_s: float) -> dict[str, Any]:
    """Return what both clients take."""
    return {
        "host": check["host"] or "127.0.0.1",
        "port": check["port"] or default_port,
        "unix_socket": check["unix_socket"],
        "password": check["password"],
        "tls": tls_options(check) if check["tls"] else None,
        "timeout_s": timeout_s,
    }


def _judge_replication(
    check: Mapping[str, Any], where: str, role: str, linked: bool, lag_s: float
) -> Observation | None:
    """Return what is wrong with the role, or with the link and the lag of a replica; a master has no lag."""
    if check["role"] and role != check["role"]:
        remedy = "Fail over, or correct the address."
        return Observation(FAIL, f"{where} is {check['role']}", f"it is {role}.", remedy, role)
    limit_s = check["max_lag_s"]
    if limit_s is None or role == "master":
        return None
    expected = f"{where} is at most {limit_s:g} s behind its master"
    if not linked:
        remedy = "Check that the master runs and lets this replica in."
        return Observation(FAIL, expected, "it has no link to its master.", remedy, "no link")
    if lag_s > limit_s:
        return Observation(FAIL, expected, f"it is {lag_s:.1f} s behind.", "Find what holds it up.", lag_s, "s")
    return None


def _info(text: str) -> dict[str, str]:
    """Return the fields of INFO."""
    pairs = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
    return {name: value.strip() for name, _colon, value in pairs if name}
