# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the load goes: the target's URL, whether it is allowed, its address."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Any, NamedTuple, Sequence
from urllib.parse import unquote, urlsplit

from ..._core.errors import FleetError, InputError

EXAMPLE = "http://edge1/health"

HTTP, WEBSOCKET, REDIS, POSTGRES = "http", "websocket", "redis", "postgres"


class _Scheme(NamedTuple):
    protocol: str
    secure: bool
    port: int


_SCHEMES = {
    "http": _Scheme(HTTP, False, 80), "https": _Scheme(HTTP, True, 443),
    "ws": _Scheme(WEBSOCKET, False, 80), "wss": _Scheme(WEBSOCKET, True, 443),
    "redis": _Scheme(REDIS, False, 6379), "rediss": _Scheme(REDIS, True, 6379),
    "pg": _Scheme(POSTGRES, False, 5432), "postgresql": _Scheme(POSTGRES, False, 5432),
}


@dataclass(frozen=True)
class Target:
    """A URL taken apart.

    ``path`` is empty for a bare origin, else it begins with a slash and has the query; ``user`` is None without one.
    """

    url: str
    protocol: str
    secure: bool
    host: str
    port: int
    path: str
    authority: str
    user: str | None = None

    @classmethod
    def parse(cls, url: str) -> Target:
        """Parse ``http://host[:port][/path][?query]``, the same with https, ws or wss, ``redis://[user@]host/0``,
        rediss, or ``pg://user@host/database``.

        :raises InputError: when it is something else.
        """
        shown = "(hidden)" if "@" in url else url  # a password may be anywhere in what is no URL
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname
        except ValueError as error:
            raise InputError("target", shown, "a URL" if "@" in url else f"a URL ({error})", EXAMPLE) from None
        scheme = _SCHEMES.get(parts.scheme)
        if scheme is None or not host or re.search(r"[\s\x00-\x1f]", url):
            raise InputError("target", shown, f"a URL that begins with {', '.join(f'{name}://' for name in _SCHEMES)} "
                             "and a host", EXAMPLE)
        may_have_user = scheme.protocol in (REDIS, POSTGRES)
        if parts.password or parts.fragment or (parts.username and not may_have_user):
            raise InputError("target", f"{parts.scheme}://{host}/…", "a URL without user, password, fragment", EXAMPLE)
        path = "" if parts.path in ("", "/") and not parts.query else (parts.path or "/")
        if parts.query:
            path += f"?{parts.query}"
        return cls(url, scheme.protocol, scheme.secure, host, port or scheme.port, path,
                   parts.netloc.rpartition("@")[2], unquote(parts.username) if parts.username else None)

    def require_allowed(self, patterns: Sequence[str], unix_socket: str | None = None) -> None:
        """Refuse the target unless one of the patterns (regular expressions) matches the whole ``host:port``, or the
        path of the Unix socket that is asked instead.

        :raises InputError: when there are patterns and none matches.
        """
        goal = unix_socket or f"{self.host}:{self.port}"
        for pattern in patterns:
            try:
                if re.fullmatch(pattern, goal):
                    return
            except re.error as error:
                raise InputError("allowed_targets", pattern, f"a regular expression ({error})",
                                 r"edge[0-9]+\.example\.org:443") from error
        if patterns:
            raise InputError("unix_socket" if unix_socket else "target", unix_socket or self.url,
                             f"what matches one of allowed_targets {list(patterns)}", r"allowed_targets: ['edge1:80']")

    def resolve(self, timeout_s: float) -> tuple[int, Any]:
        """Return address family and address: the first that accepts a connection, else the first there is.

        :raises FleetError: when the name has no address.
        """
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise FleetError(f"target: the host {self.host} has no address on this machine ({error}).",
                             "Check the name, the DNS and /etc/hosts where the probe runs.") from error
        for family, kind, protocol, _name, address in found if len(found) > 1 else []:
            with socket.socket(family, kind, protocol) as attempt:
                attempt.settimeout(min(timeout_s, 2.0))
                if attempt.connect_ex(address) == 0:
                    return family, address
        return found[0][0], found[0][4]
