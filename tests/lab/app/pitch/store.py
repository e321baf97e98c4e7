"""The database and the cache: one pool for requests, one connection kept free for the health check."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, Awaitable, Callable

import psycopg
import redis.asyncio
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from . import settings

HEALTH_TIMEOUT_S = 1.0

# A pool tries at growing distances and then gives up until somebody asks: after an outage the next request does.
RECONNECT_S = 2.0

pool = AsyncConnectionPool(
    settings.DATABASE_URL,
    min_size=2,
    max_size=settings.POOL_SIZE,
    timeout=10,
    reconnect_timeout=RECONNECT_S,
    kwargs={"autocommit": True, "row_factory": dict_row, "application_name": f"pitch {settings.RELEASE}"},
    open=False,
)
health_pool = AsyncConnectionPool(
    settings.DATABASE_URL,
    min_size=1,
    max_size=1,
    reconnect_timeout=RECONNECT_S,
    kwargs={"autocommit": True, "application_name": "pitch health"},
    open=False,
)
cache = redis.asyncio.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)


async def open_pools() -> None:
    await health_pool.open()
    await pool.open()


async def close_pools() -> None:
    await pool.close()
    await health_pool.close()
    await cache.close()


async def fetch(query: str, **values: Any) -> list[dict[str, Any]]:
    async with pool.connection() as connection:
        return await (await connection.execute(query, values)).fetchall()


async def cached(key: str, compute: Callable[[], Awaitable[Any]]) -> tuple[bytes, bool]:
    """The JSON of `compute()`, kept in Redis for `CACHE_TTL_S`, and whether it was found there.

    Without Redis the answer is computed each time: a lost cache makes the app slower, not unavailable.
    """
    with contextlib.suppress(redis.RedisError):
        body = await cache.get(key)
        if body is not None:
            return body, True
    body = encode(await compute())
    with contextlib.suppress(redis.RedisError):
        await cache.set(key, body, ex=settings.CACHE_TTL_S)
    return body, False


def encode(value: Any) -> bytes:
    return json.dumps(value, default=str, separators=(",", ":")).encode()


async def check_database() -> None:
    async with health_pool.connection(timeout=HEALTH_TIMEOUT_S) as connection:
        await connection.execute("SELECT 1")


async def check_cache() -> None:
    await cache.ping()


async def failures() -> dict[str, str]:
    """What does not answer within `HEALTH_TIMEOUT_S`, by component."""
    checks = {"database": check_database, "cache": check_cache}

    async def run(check: Callable[[], Awaitable[None]]) -> str:
        try:
            # Not cancelled: a pool may lose a connection that is given back in the middle, and this one has one.
            await asyncio.wait_for(asyncio.shield(check()), HEALTH_TIMEOUT_S)
        except (psycopg.Error, redis.RedisError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        return ""

    outcomes = await asyncio.gather(*(run(check) for check in checks.values()))
    return {name: outcome for name, outcome in zip(checks, outcomes) if outcome}
