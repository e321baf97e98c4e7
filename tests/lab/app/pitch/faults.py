"""What is wrong with a bad release. A fault never touches /health: a good health check must not be enough to pass."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Awaitable, Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

ERROR_EVERY, FEW_EVERY = 5, 20  # one request in five fails: 20 %; one in twenty: 5 %
LATE_AFTER = 250  # requests that bad-late answers well
SLOW_S = 3.0
LEAK_BYTES = 256 * 1024  # kept per request

Fault = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]


async def fail(scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse({"error": "fault"}, 500)(scope, receive, send)


def errors(first: int = 0, every: int = ERROR_EVERY) -> Fault:
    """From request number `first` on, one in `every` answers 500."""
    count = 0

    async def handle(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal count
        count += 1
        await (fail if count > first and count % every == 0 else app)(scope, receive, send)

    return handle


async def slow(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(SLOW_S)
    await app(scope, receive, send)


def leak() -> Fault:
    kept: list[bytes] = []

    async def handle(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        kept.append(os.urandom(LEAK_BYTES))
        await app(scope, receive, send)

    return handle


async def browse(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await (fail if scope["path"] == "/api/browse" else app)(scope, receive, send)


FAULTS: dict[str, Fault] = {
    "errors": errors(),
    "few": errors(every=FEW_EVERY),
    "late": errors(first=LATE_AFTER),
    "slow": slow,
    "leak": leak(),
    "browse": browse,
}


def inject(name: str, app: ASGIApp) -> ASGIApp:
    """The app, with the named fault in every request below /api/."""
    fault = FAULTS.get(name)
    if fault is None:
        return app

    async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            await fault(app, scope, receive, send)
        else:
            await app(scope, receive, send)

    return faulty


def at_start(name: str) -> None:
    """Faults of the process itself: `crash` ends it now, `abrupt` as soon as it is asked to stop."""
    if name == "crash":
        sys.stderr.write("fault: this release crashes on start\n")
        os._exit(1)
    if name == "abrupt":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, os._exit, 128 + signal.SIGTERM)
