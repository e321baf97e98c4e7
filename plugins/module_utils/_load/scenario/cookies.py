# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cookies of one virtual user: what RFC 6265 asks of a client that talks to a single host."""

from __future__ import annotations

import ipaddress
import re
import time
from email.utils import mktime_tz, parsedate_tz
from typing import Callable, Iterable, NamedTuple

#: With more than these the oldest one goes (RFC 6265, section 6.1, asks for room for as many).
MAX_COOKIES = 50

_AGE = re.compile(r"-?[0-9]+")


class Cookie(NamedTuple):
    """One cookie; ``expires`` is in epoch seconds, infinite for one of the session."""

    name: str
    value: str
    path: str
    expires: float
    secure: bool


class Jar:
    """The cookies of one user for one host.

    :arg host: in lower case, without port.
    :arg secure: whether requests go over TLS.
    """

    __slots__ = ("_clock", "_cookies", "_host", "_secure")

    def __init__(self, host: str, secure: bool, clock: Callable[[], float] = time.time) -> None:
        self._host = host
        self._secure = secure
        self._clock = clock
        self._cookies: dict[tuple[str, str], Cookie] = {}

    def clear(self) -> None:
        """Forget all."""
        self._cookies.clear()

    def take(self, fields: Iterable[tuple[str, str]], path: str) -> None:
        """Take the cookies of an answer's header fields to a request for this path."""
        for name, value in fields:
            if name == "set-cookie":
                self._set(value, path)

    def header(self, path: str) -> str:
        """Return the value of ``Cookie`` for a request for this path; empty when there is nothing to send."""
        if not self._cookies:
            return ""
        path, now = path.partition("?")[0], self._clock()
        fitting = [cookie for cookie in self._cookies.values()
                   if cookie.expires > now and _path_matches(path, cookie.path) and (self._secure or not cookie.secure)]
        fitting.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in fitting)

    def _set(self, line: str, path: str) -> None:
        """Take one ``Set-Cookie``: RFC 6265, sections 5.2 and 5.3."""
        pair, *rest = line.split(";")
        name, sign, value = (part.strip() for part in pair.partition("="))
        attributes = {key.strip().lower(): text.strip() for key, dummy, text in (one.partition("=") for one in rest)}
        secure = "secure" in attributes
        domain = attributes.get("domain", "").lstrip(".").lower()
        if not sign or not name or (domain and not domain_matches(self._host, domain)) or (secure and not self._secure):
            return
        at = attributes.get("path", "")
        key = name, at if at.startswith("/") else _default_path(path)
        expires = self._expiry(attributes)
        self._cookies.pop(key, None)
        if expires > self._clock():
            self._cookies[key] = Cookie(name, value, key[1], expires, secure)
            if len(self._cookies) > MAX_COOKIES:
                del self._cookies[next(iter(self._cookies))]

    def _expiry(self, attributes: dict[str, str]) -> float:
        """Return when a cookie ends: by Max-Age, else by Expires, else never."""
        age = attributes.get("max-age", "")
        if _AGE.fullmatch(age):
            return 0.0 if age.startswith("-") else self._clock() + float(age)
        date = parsedate_tz(attributes.get("expires", ""))
        if date is None:
            return float("inf")
        try:
            return float(mktime_tz(date))
        except (ValueError, OverflowError):
            return float("inf")


def domain_matches(host: str, domain: str) -> bool:
    """Whether a host is that domain, or is in it (RFC 6265, section 5.1.3)."""
    if host == domain:
        return True
    return host.endswith(f".{domain}") and not _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _default_path(path: str) -> str:
    """Return the directory of a request's path (RFC 6265, section 5.1.4)."""
    directory = path.partition("?")[0].rpartition("/")[0]
    return directory if directory.startswith("/") else "/"


def _path_matches(path: str, prefix: str) -> bool:
    """Whether a cookie with this path goes with a request for that one (RFC 6265, section 5.1.4)."""
    return path == prefix or (path.startswith(prefix) and (prefix.endswith("/") or path[len(prefix)] == "/"))
