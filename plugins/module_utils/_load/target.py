# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the load goes: the target's URL, whether it is allowed, its address, its TLS."""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Sequence
from urllib.parse import urlsplit

from .._core.errors import FleetError, InputError

EXAMPLE = "http://edge1/health"


@dataclass(frozen=True)
class Target:
    """A URL taken apart. ``path`` is empty for a bare origin, else it begins with a slash and has the query."""

    url: str
    secure: bool
    host: str
    port: int
    path: str
    authority: str

    @classmethod
    def parse(cls, url: str) -> Target:
        """Parse ``http://host[:port][/path][?query]`` or https.

        :raises InputError: when it is something else.
        """
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname
        except ValueError as error:
            raise InputError("target", url, f"a URL ({error})", EXAMPLE) from error
        if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f]", url):
            raise InputError("target", url, "a URL that begins with http:// or https:// and a host", EXAMPLE)
        if parts.username or parts.password or parts.fragment:
            raise InputError("target", f"{parts.scheme}://{host}/…", "a URL without user, password, fragment", EXAMPLE)
        secure = parts.scheme == "https"
        path = "" if parts.path in ("", "/") and not parts.query else (parts.path or "/")
        if parts.query:
            path += f"?{parts.query}"
        return cls(url, secure, host, port or (443 if secure else 80), path, parts.netloc)

    def require_allowed(self, patterns: Sequence[str]) -> None:
        """Refuse the target unless one of the patterns (regular expressions) matches the whole ``host:port``.

        :raises InputError: when there are patterns and none matches.
        """
        for pattern in patterns:
            try:
                if re.fullmatch(pattern, f"{self.host}:{self.port}"):
                    return
            except re.error as error:
                raise InputError("allowed_targets", pattern, f"a regular expression ({error})",
                                 r"edge[0-9]+\.example\.org:443") from error
        if patterns:
            raise InputError("target", self.url, f"a host:port that matches one of allowed_targets {list(patterns)}",
                             r"allowed_targets: ['edge1:80']")

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

    def tls(self, verify: bool, ca_path: str | None) -> ssl.SSLContext | None:
        """Return what wraps the sockets; None for plain http.

        :raises InputError: when ``ca_path`` cannot be read.
        """
        if not self.secure:
            return None
        try:
            context = ssl.create_default_context(cafile=ca_path or None)
        except OSError as error:
            raise InputError("ca_path", ca_path, f"a readable file of PEM certificates ({error})",
                             "/etc/ssl/certs/ca-certificates.crt") from error
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
