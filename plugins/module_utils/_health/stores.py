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
from .._core.errors import FleetError
from .network import HOPELESS, milliseconds_since, tls_options
from .observation import FAIL, PASS, Observation, failure, judge_version

#: SQLSTATEs of a server that is only starting, stopping or full: waiting helps.
PASSING_STATES = ("57P01", "57P02", "57P03", "53300")

#: Replies of Redis that waiting does not cure.
HOPELESS_REPLIES = ("WRONGPASS", "NOAUTH", "NOPERM", "ERR")
FULL = "max number of clients reached"


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
    """Log in, judge the version, run a query in a read-only transaction and compare its first value."""
    host, port = check["host"] or "127.0.0.1", check["port"] or 5432
    where = check["unix_socket"] or f"{host}:{port}"
    expected = f"postgresql at {where} lets {check['user']} into {check['database']}"
    started = time.monotonic()
    try:
        with PostgresClient(
            host=host,
            port=port,
            unix_socket=check["unix_socket"],
            user=check["user"],
            password=check["password"],
            database=check["database"],
            tls=tls_options(check) if check["tls"] else None,
            timeout_s=timeout_s,
        ) as client:
            outdated = judge_version("PostgreSQL", client.parameters.get("server_version", ""), check["min_version"])
            rows = client.read(check["query"])
    except FleetError as error:
        return failure(expected, error, hopeless(error))
    latency_ms = milliseconds_since(started)
    if outdated:
        return outdated
    value = next(iter(rows[0].values())) if rows and rows[0] else None
    if check["expect"] is not None and value != check["expect"]:
        return Observation(
            FAIL, f"{check['query']} returns {check['expect']!r}", f"it returned {value!r}.",
            "Correct the data, or the expectation.", latency_ms, "ms",
        )  # fmt: skip
    return Observation(PASS, expected, value=latency_ms, unit="ms")


def check_redis(check: Mapping[str, Any], timeout_s: float) -> Observation:
    """Log in, ping, and judge version and role."""
    host, port = check["host"] or "127.0.0.1", check["port"] or 6379
    where = check["unix_socket"] or f"{host}:{port}"
    expected = f"redis at {where} answers PING"
    started = time.monotonic()
    try:
        with RedisClient(
            host=host,
            port=port,
            unix_socket=check["unix_socket"],
            username=check["user"],
            password=check["password"],
            tls=tls_options(check) if check["tls"] else None,
            timeout_s=timeout_s,
        ) as client:
            pong = client.call("PING")
            latency_ms = milliseconds_since(started)
            needs_info = check["role"] or check["min_version"]
            info = _info(client.call("INFO")) if needs_info else {}
    except FleetError as error:
        return failure(expected, error, hopeless(error))
    if pong != "PONG":
        return Observation(FAIL, expected, f"answered {pong!r}.", "Check what listens there.", hopeless=True)
    outdated = judge_version("Redis", info.get("redis_version", ""), check["min_version"])
    if outdated:
        return outdated
    role = {"slave": "replica"}.get(info.get("role", ""), info.get("role", ""))
    if check["role"] and role != check["role"]:
        return Observation(
            FAIL, f"redis at {where} is {check['role']}", f"it is {role}.",
            "Fail over, or correct the address.", latency_ms, "ms",
        )  # fmt: skip
    return Observation(PASS, expected, value=latency_ms, unit="ms")


def _info(text: str) -> dict[str, str]:
    """Return the fields of INFO."""
    pairs = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
    return {name: value.strip() for name, _colon, value in pairs if name}
