# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP/1.1: requests from their description, answers by the parser of ``_wire``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Mapping
from urllib.parse import quote

from ..._core.errors import InputError
from ..._core.text import utf8
from ..._wire.http import Answer, encode_request
from .base import Encoded

if TYPE_CHECKING:
    from ..engine.target import Target
    from ..scenario.request import Request

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


class Http:
    """HTTP to one target.

    :arg headers: sent with every request; a request's own headers win.
    :arg reuse: whether connections are kept alive.
    :raises InputError: when ``headers`` is no mapping.
    """

    keys = frozenset({"method", "path", "headers", "body"})
    preface = b""
    pushes = False

    def __init__(self, target: Target, headers: Mapping[str, Any] | None = None, reuse: bool = True) -> None:
        common = {"Host": target.authority, "User-Agent": "evenkeel-probe", "Accept": "*/*"}
        if not reuse:
            common["Connection"] = "close"
        self._target = target
        self._common = merge(common, parse_headers(headers, "headers"))

    def encode(self, spec: Mapping[str, Any], where: str) -> Encoded:
        """Return the bytes of ``{path, method, headers, body}``; without a path, that of the target."""
        method = str(spec.get("method") or "GET").upper()
        path = join_path(self._target, spec.get("path"), where)
        headers = merge(self._common, parse_headers(spec.get("headers"), f"{where}.headers"))
        body = spec.get("body")
        if body is None:
            content = b""
        elif isinstance(body, (dict, list)):
            content = json.dumps(body).encode()
            headers = merge({"Content-Type": "application/json"}, headers)
        elif isinstance(body, str):
            content = utf8(body, f"{where}.body")
        else:
            raise InputError(f"{where}.body", body, "text, or a mapping or a list that is sent as JSON",
                             '{email: a@b.c}')
        payload = encode_request(method, path, headers, content, where)
        return Encoded(payload, method, path, method in _IDEMPOTENT)

    def greeting(self) -> None:
        """A connection is ready at once."""

    def answer(self, request: Request, keep_body: bool) -> Answer:
        """Return what reads one response."""
        return Answer(request.method, keep_body)

    def same(self, answer: Answer, data: bytes, whole: bool) -> bytes:
        """Return the head, or everything where the content decides or has no announced length."""
        return data if whole or answer.parser.content_length is None else data[:len(data) - answer.body_bytes]


def join_path(target: Target, path: Any, where: str) -> str:
    """Return the path to send; a target's own path goes before it."""
    if not path:
        return quoted(target.path or "/", "target")
    if not str(path).startswith("/"):
        raise InputError(f"{where}.path", path, "a path that begins with a slash", "/api/browse?genre=drama")
    if "?" in target.path:
        raise InputError("target", target.url, "no query when the scenarios have paths", "http://edge1")
    return quoted(target.path.rstrip("/") + str(path), f"{where}.path")


def quoted(path: str, field: str) -> str:
    """Return a path with blanks and what is not ASCII quoted."""
    return quote(utf8(path, field), safe="/?&=%:@!$'()*+,;~-._[]")


def parse_headers(headers: Any, where: str) -> dict[str, str]:
    """Return a mapping of headers as text.

    :raises InputError: when it is something else.
    """
    if not isinstance(headers, Mapping) and headers is not None:
        raise InputError(where, headers, "a mapping of names to values", "{Authorization: Bearer abc}")
    return {str(name): str(value) for name, value in (headers or {}).items()}


def merge(base: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of both; those of ``own`` win, whatever their case."""
    names = {name.lower() for name in own}
    return {**{name: value for name, value in base.items() if name.lower() not in names}, **own}
