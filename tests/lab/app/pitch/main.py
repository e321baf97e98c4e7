"""The reference app: a pitch marketplace as an ASGI service."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from typing import Any, AsyncIterator

import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from . import faults, queries, settings, store

FILTERS = ("status", "genre", "format", "stage")


def answer(body: Any, status: int = 200, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else store.encode(body)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(content, status, headers, "application/json")


def bad_request(expected: str) -> Response:
    return answer({"error": f"expected {expected}"}, 400)


async def health(request: Request) -> Response:
    """Without the database the app cannot serve; without the cache it is only slower."""
    failures = await store.failures()
    status = "fail" if "database" in failures else "warn" if failures else "pass"
    body: dict[str, Any] = {"status": status, "release": settings.RELEASE}
    if failures:
        body["failures"] = failures
    return answer(body, 503 if status == "fail" else 200)


async def auth(request: Request) -> Response:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    user = await queries.session(token) if scheme == "Bearer" else None
    if user is None:
        return answer({"error": "no such session"}, 401, WWW_Authenticate="Bearer")
    return answer({"user": user})


async def log_in(request: Request) -> Response:
    try:
        email = (await request.json())["email"]
    except (ValueError, KeyError, TypeError):
        return bad_request('a JSON body {"email": …}')
    token = secrets.token_hex(16)
    user = await queries.log_in(str(email), token, request.headers.get("user-agent", ""))
    return answer({"user": user, "token": token}) if user else answer({"error": "no such user"}, 401)


async def browse(request: Request) -> Response:
    filters = {name: request.query_params[name] for name in FILTERS if request.query_params.get(name)}
    filters.setdefault("status", "published")

    async def page() -> dict[str, Any]:
        pitches = await queries.browse(filters)
        if settings.EDITION >= 2:
            for pitch in pitches:
                pitch["likes_per_view"] = round(pitch["like_count"] / max(1, pitch["view_count"]), 3)
        return {"pitches": pitches}

    key = ":".join(["browse", str(settings.EDITION), *(filters.get(name, "") for name in FILTERS)])
    body, hit = await store.cached(key, page)
    return answer(body, X_Cache="hit" if hit else "miss")


async def search(request: Request) -> Response:
    text = request.query_params.get("q", "").strip()
    if len(text) < 3:
        return bad_request("a query ?q= of at least 3 characters")
    return answer(await queries.search(text))


async def dashboard(request: Request) -> Response:
    user = request.query_params.get("user", "")
    if not user.isascii() or not user.isdecimal() or len(user) > 18:
        return bad_request("a user id ?user=")
    body, hit = await store.cached(f"dashboard:{user}", lambda: queries.dashboard(int(user)))
    return answer(body, X_Cache="hit" if hit else "miss")


async def work(request: Request) -> Response:
    """Wait as if for something slow, without the database."""
    slow = random.random() < settings.WORK_SLOW_SHARE
    await asyncio.sleep((settings.WORK_SLOW_MS if slow else settings.WORK_MS) / 1000)
    return answer({"slow": slow})


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.send_text(await socket.receive_text())


async def unavailable(request: Request, error: Exception) -> Response:
    """The database is away, or no connection to it was free in time."""
    return answer({"error": str(error)}, 503, Retry_After="1")


def signed(app: ASGIApp) -> ASGIApp:
    """Every answer says which release gave it."""
    header = (b"x-release", settings.RELEASE.encode())

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_signed(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                message = {**message, "headers": [*message.get("headers", []), header]}
            await send(message)

        await app(scope, receive, send_signed)

    return handle


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    faults.at_start(settings.FAULT)
    await asyncio.sleep(settings.BOOT_S)
    await store.open_pools()
    yield
    await store.close_pools()


service = Starlette(
    routes=[
        Route("/health", health),
        Route("/api/auth", auth, methods=["GET"]),
        Route("/api/auth", log_in, methods=["POST"]),
        Route("/api/browse", browse),
        Route("/api/search", search),
        Route("/api/dashboard", dashboard),
        Route("/api/work", work),
        WebSocketRoute("/ws", echo),
    ],
    exception_handlers={psycopg.OperationalError: unavailable},
    lifespan=lifespan,
)
app = signed(faults.inject(settings.FAULT, service))
