# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server tells: its configuration, its state, and whether it takes a set of values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping

from .._client.redis import RedisClient, RedisError
from .._core.errors import FleetError
from .._wire.resp import RespError
from .catalogue import shown

_REFUSED = re.compile(r"possibly related to argument '([^']+)'\) - (.*)", re.DOTALL)
#: How servers say that only a restart changes a parameter: Redis 7, Redis 7 for protected ones, Redis 5 and 6.
_NEEDS_RESTART = ("can't set immutable config", "can't set protected config", "Unsupported CONFIG parameter")


class Refused(FleetError):
    """The server does not take a value; what it took before in the same call is taken back.

    ``setting`` is the parameter, ``needs_restart`` whether the server says that only a restart changes it.
    """

    def __init__(self, setting: str, value: str, answer: str) -> None:
        super().__init__(
            f"settings.{setting}: expected a value that the server takes, found {value!r}: {answer}; "
            "nothing was changed.",
            f"Correct settings.{setting}, or leave it out.",
        )
        self.setting = setting
        self.needs_restart = any(text in answer for text in _NEEDS_RESTART)


@dataclass(frozen=True)
class Server:
    """A snapshot of one server: ``config`` as from ``CONFIG GET *``, ``info`` as from ``INFO``."""

    config: Mapping[str, str]
    info: Mapping[str, str]

    @property
    def is_atomic(self) -> bool:
        """Whether ``CONFIG SET`` takes many parameters, all or none (Redis 7 and later)."""
        return int(self.info["redis_version"].split(".")[0]) >= 7

    def number(self, field: str) -> int:
        """Return a whole number out of ``INFO``; 0 when this version does not report it."""
        return int(self.info.get(field, "0"))

    def evidence(self) -> dict[str, Any]:
        """Return the measurements that a proposal is judged by; ``hit_rate`` is None before the first lookup."""
        hits, misses = self.number("keyspace_hits"), self.number("keyspace_misses")
        return {
            "version": self.info["redis_version"],
            "uptime_s": self.number("uptime_in_seconds"),
            "connected_clients": self.number("connected_clients"),
            "used_memory_bytes": self.number("used_memory"),
            "used_memory_peak_bytes": self.number("used_memory_peak"),
            "maxmemory_bytes": self.number("maxmemory"),
            "maxmemory_policy": self.info.get("maxmemory_policy"),
            "evicted_keys": self.number("evicted_keys"),
            "expired_keys": self.number("expired_keys"),
            "keyspace_hits": hits,
            "keyspace_misses": misses,
            "hit_rate": round(hits / (hits + misses), 4) if hits + misses else None,
        }


def read(client: RedisClient) -> Server:
    """Read configuration and state in one round trip.

    :raises RedisError: when the user may not read them.
    """
    replies = client.pipeline([["CONFIG", "GET", "*"], ["INFO"]])
    for command, reply in zip(("CONFIG GET", "INFO"), replies):
        if isinstance(reply, RespError):
            raise RedisError(client.where, command, reply)
    flat, info = replies
    return Server(
        config=dict(zip(flat[::2], flat[1::2])),
        info=dict(line.split(":", 1) for line in info.splitlines() if ":" in line),
    )


def set_values(client: RedisClient, values: Mapping[str, str], running: Mapping[str, str], atomic: bool) -> None:
    """Set all values or none: in one command where the server can, else one by one, taking back on a refusal.

    :arg running: the values to go back to, by parameter.
    :raises Refused: for the first value that the server does not take.
    """
    if not values:
        return
    if atomic:
        pairs = [word for pair in values.items() for word in pair]
        reply = client.pipeline([["CONFIG", "SET", *pairs]])[0]
        if isinstance(reply, RespError):
            raise _refusal(client, values, reply)
        return
    replies = client.pipeline([["CONFIG", "SET", name, value] for name, value in values.items()])
    failures = {name: reply for name, reply in zip(values, replies) if isinstance(reply, RespError)}
    if failures:
        taken = [name for name in values if name not in failures]
        undone = client.pipeline([["CONFIG", "SET", name, running[name]] for name in reversed(taken)])
        for name, reply in zip(reversed(taken), undone):
            if isinstance(reply, RespError):
                raise FleetError(
                    f"settings.{name}: the value before could not be set again: {reply.text}.",
                    f"Set {name} to {shown(name, running[name])!r} by hand.",
                )
        name, reply = next(iter(failures.items()))
        raise _refusal(client, {name: values[name]}, reply)


def _refusal(client: RedisClient, values: Mapping[str, str], error: RespError) -> FleetError:
    """Return what the server's answer to ``CONFIG SET`` means."""
    match = _REFUSED.search(error.text)
    if match and match.group(1) in values:
        name, answer = match.groups()
    elif error.code == "ERR" and len(values) == 1:
        name, answer = next(iter(values)), error.text[4:]
    else:
        return RedisError(client.where, "CONFIG SET", error)
    return Refused(name, shown(name, values[name]), answer)
