# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the probe gets to a target: the options of a connection, and what the engine needs of them."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping

from ..._core.errors import InputError
from ..protocol.base import Dialect
from .target import HTTP, POSTGRES, REDIS, WEBSOCKET, Target

if TYPE_CHECKING:
    from .secure import Secure


@dataclass(frozen=True)
class Access:
    """The options of ``load_probe`` that say how to get to the target; ``tls`` None is what the URL says.

    :raises InputError: by all methods, when options are wrong or do not fit together.
    """

    unix_socket: str | None = None
    tls: bool | None = None
    validate_certs: bool = True
    ca_path: str | None = None
    client_cert_path: str | None = None
    client_key_path: str | None = None
    server_name: str | None = None
    username: str | None = None
    password: str | None = None
    reuse: bool = True

    def secure(self, target: Target) -> bool:
        """Whether TLS is spoken."""
        return target.secure if self.tls is None else self.tls

    def dialect(self, target: Target, headers: Mapping[str, Any] | None) -> Dialect:
        """Return the target's protocol."""
        if target.protocol in (HTTP, WEBSOCKET):
            for name, value in (("username", self.username), ("password", self.password)):
                if value is not None:
                    raise InputError(name, "a value", "nothing: HTTP takes it as a header of the request",
                                     "headers: {Authorization: Basic …}")
        elif headers:
            raise InputError("headers", sorted(headers), f"nothing with {target.url}", "http://edge1")
        if target.protocol == REDIS:
            return self._redis(target)
        if target.protocol == POSTGRES:
            return self._postgres(target)
        if target.protocol == WEBSOCKET:
            from ..protocol.websocket import WebSocket
            return WebSocket(target, headers)
        from ..protocol.http import Http
        return Http(target, headers, self.reuse)

    def _redis(self, target: Target) -> Dialect:
        from ..protocol.redis import Redis
        if not re.fullmatch(r"(/[0-9]{0,5})?", target.path):
            raise InputError("target", target.url, "at most the number of a database as the path",
                             "redis://cache1:6379/0")
        user = self.username or target.user
        if user and self.password is None:
            raise InputError("password", self.password, f"the password of the user {user}", "password: '{{ secret }}'")
        return Redis(user, self.password, int(target.path[1:] or 0))

    def _postgres(self, target: Target) -> Dialect:
        from ..protocol.postgres import Postgres
        user = self.username or target.user
        if not user or "?" in target.path or "/" in target.path[1:]:
            raise InputError("target", target.url, "a user and a database, and no query", "pg://app@db1:5432/shop")
        return Postgres(user, self.password, target.path[1:] or user, self.secure(target) or bool(self.unix_socket))

    def tls_of(self, target: Target) -> Secure | None:
        """Return what wraps the sockets; None for plain text."""
        if not self.secure(target):
            return None
        import ssl

        from .secure import Secure

        try:
            context = ssl.create_default_context(cafile=self.ca_path or None)
        except OSError as error:
            raise InputError("ca_path", self.ca_path, f"a readable file of PEM certificates ({error})",
                             "/etc/ssl/certs/ca-certificates.crt") from error
        if not self.validate_certs:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.client_key_path and not self.client_cert_path:
            raise InputError("client_cert_path", None, "the certificate of client_key_path", "/etc/ssl/probe.pem")
        if self.client_cert_path:
            try:
                context.load_cert_chain(self.client_cert_path, self.client_key_path)
            except OSError as error:
                raise InputError("client_cert_path", self.client_cert_path, f"a PEM certificate whose key is in it or "
                                 f"in client_key_path ({error})", "/etc/ssl/probe.pem") from error
        return Secure(context)

    def address(self, target: Target, timeout_s: float) -> tuple[int, Any]:
        """Return address family and address.

        :raises FleetError: when the target's name has no address.
        """
        if not self.unix_socket:
            return target.resolve(timeout_s)
        if not Path(self.unix_socket).is_socket():
            raise InputError("unix_socket", self.unix_socket, "the path of a socket on this host",
                             "/var/run/postgresql/.s.PGSQL.5432")
        return socket.AF_UNIX, self.unix_socket
