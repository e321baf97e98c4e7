# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks over the network: http and tcp."""

from __future__ import annotations

import json
import socket
import ssl
import time
from typing import Any, Mapping
from urllib.parse import urlsplit

from .._client.dial import DialError, TlsOptions, classify, dial
from .._core.clock import Deadline
from .._core.errors import InputError
from .._core.pointer import resolve, same
from .._core.text import utf8
from .._wire.http import Answer, ProtocolError, encode_request
from .observation import FAIL, PASS, WARN, Observation, failure

#: Most bytes of a body that are read and searched.
MAX_BODY_BYTES = 1024 * 1024

#: Failures of a connection that waiting does not cure.
HOPELESS = ("tls", "denied", "name")


def tls_options(check: Mapping[str, Any]) -> TlsOptions:
    """Return how a check speaks TLS."""
    return TlsOptions(
        verify=check["validate_certs"],
        ca_file=check["ca_file"],
        cert_file=check["client_cert"],
        key_file=check["client_key"],
    )


def milliseconds_since(started: float) -> float:
    """Return the time since ``started`` (monotonic seconds) in ms."""
    return round((time.monotonic() - started) * 1000, 3)


def check_tcp(check: Mapping[str, Any], timeout_s: float) -> Observation:
    """Open a connection (with TLS if ``tls``) and close it."""
    host = check["host"] or "127.0.0.1"
    where = check["unix_socket"] or f"{host}:{check['port']}"
    expected = f"{where} accepts connections"
    started = time.monotonic()
    try:
        tls = tls_options(check) if check["tls"] else None
        dial(host, check["port"], check["unix_socket"], timeout_s, tls).close()
    except DialError as error:
        return failure(expected, error, error.kind in HOPELESS)
    return Observation(PASS, expected, value=milliseconds_since(started), unit="ms")


def check_http(check: Mapping[str, Any], timeout_s: float) -> Observation:
    """Ask for a URL and judge status, body, latency and the days that the certificate is still valid."""
    expected = f"{check['method']} {check['url']} answers {' or '.join(map(str, check['status']))}"
    started = time.monotonic()
    try:
        status, body, days_left = exchange(check, timeout_s)
    except DialError as error:
        return failure(expected, error, error.kind in HOPELESS)
    latency_ms = milliseconds_since(started)

    def found(output: str, remedy: str = "", verdict: str = FAIL) -> Observation:
        return Observation(verdict, expected, output, remedy, latency_ms, "ms")

    if status not in check["status"]:
        return found(f"answered {status}: {excerpt(body)}", "Read the log of the service.")
    for problem in _body_problems(check, body):
        return found(problem, "Read the log of the service.")
    limit_ms = check["max_latency_ms"]
    if limit_ms is not None and latency_ms > limit_ms:
        return found(f"took {latency_ms:g} ms, more than {limit_ms:g} ms.", "Find what is slow, or allow more.")
    expires = expiry(check, days_left)
    if expires:
        return found(expires, "Renew the certificate.", WARN)
    return Observation(PASS, expected, value=latency_ms, unit="ms")


def http_request(check: Mapping[str, Any]) -> bytes:
    """Return the bytes of the request.

    :raises InputError: when a part of it cannot be sent.
    """
    url = urlsplit(check["url"])
    headers = {"Host": url.netloc, "Connection": "close", **(check["headers"] or {})}
    return encode_request(
        check["method"],
        (url.path or "/") + (f"?{url.query}" if url.query else ""),
        {name: str(value) for name, value in headers.items()},
        utf8(check["body"] or "", f"checks: {check['name']}.body"),
        f"checks: {check['name']}",
    )


def validate_url(field: str, text: str, example: str = "https://app.example.com/health") -> None:
    """Refuse what is no URL with http or https, or has a password, which is not shown.

    :raises InputError: with ``field``.
    """
    shown = "(hidden)" if "@" in text else text
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        reason = "" if "@" in text else f" ({error})"
        raise InputError(field, shown, f"a URL{reason}", example) from None
    if url.scheme not in ("http", "https") or not url.hostname or port == 0:
        raise InputError(field, shown, "a URL with http or https and a host", example)
    if "@" in url.netloc:
        raise InputError(field, shown, "a URL without a password; use headers", example)
    if not text.isascii() or any(char <= " " or char == "\x7f" for char in text):
        raise InputError(field, shown, "a URL of printable ASCII; a blank is written %20", example)


def validate_request(where: str, check: Mapping[str, Any]) -> None:
    """Refuse what cannot be sent, without showing a header or a body: they may be secrets.

    :arg where: what an error's field begins with, such as ``checks: app: ``.
    :raises InputError: names the part of the request.
    """
    try:
        http_request(check)
    except InputError as error:
        part = error.field[len(f"checks: {check['name']}."):]
        found = error.value if part == "method" else "(hidden)"
        raise InputError(where + part, found, error.expected, error.example) from None


def exchange(check: Mapping[str, Any], timeout_s: float) -> tuple[int, bytes, float | None]:
    """Send the request of a check with ``url``; return status, body and days until the certificate expires.

    All of it takes at most ``timeout_s`` seconds.

    :raises DialError: when there is no answer, or none that is HTTP.
    """
    url, deadline = urlsplit(check["url"]), Deadline(timeout_s)
    secure = url.scheme == "https"
    host = check["host"] or url.hostname or ""
    port = check["port"] or url.port or (443 if secure else 80)
    where = check["unix_socket"] or f"{host}:{port}"
    options = tls_options(check)
    tls = TlsOptions(options.verify, options.ca_file, options.cert_file, options.key_file, url.hostname)
    answer = Answer(check["method"])
    with dial(host, port, check["unix_socket"], timeout_s, tls if secure else None) as sock:
        try:
            sock.sendall(http_request(check))
            complete = False
            while not complete and answer.body_bytes < MAX_BODY_BYTES:
                if deadline.expired:
                    raise socket.timeout
                sock.settimeout(deadline.remaining_s)
                complete = answer.feed(sock.recv(65536))
            return answer.status, answer.body, _days_left(sock)
        except OSError as error:
            raise classify(error, where, timeout_s) from error
        except ProtocolError as error:
            raise DialError("closed", f"{where} did not answer in HTTP: {error.msg}.") from error


def _days_left(sock: socket.socket) -> float | None:
    """Return days until the certificate expires; None without TLS or verification."""
    certificate = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    if not certificate:
        return None
    return (ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) / 86400


def expiry(check: Mapping[str, Any], days_left: float | None) -> str:
    """Return a sentence when fewer than ``certificate_days`` are left, else nothing."""
    soon = days_left is not None and check["certificate_days"] is not None and days_left < check["certificate_days"]
    return f"the certificate expires in {days_left:.1f} days." if soon else ""


def _body_problems(check: Mapping[str, Any], body: bytes) -> list[str]:
    """Return what is wrong with the body, first thing first."""
    problems = []
    if check["contains"] is not None and check["contains"].encode() not in body:
        problems.append(f"the body does not contain {check['contains']!r}: {excerpt(body)}")
    if check["pointers"]:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return [*problems, f"the body is not JSON: {excerpt(body)}"]
        for pointer, wanted in check["pointers"].items():
            try:
                value = resolve(document, pointer)
            except LookupError:
                problems.append(f"the body has nothing at {pointer}: {excerpt(body)}")
                continue
            if not same(value, wanted):
                problems.append(f"{pointer} is {value!r}, not {wanted!r}.")
    return problems


def excerpt(body: bytes) -> str:
    """Return the beginning of a body as one line."""
    return " ".join(body[:200].decode("utf-8", "replace").split()) or "(empty body)"
