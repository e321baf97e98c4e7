# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open a blocking socket over TCP, TLS or a Unix path, and say plainly why it did not open."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from .._core.clock import Deadline
from .._core.errors import FleetError

#: The classes of failure, each with what a user can do about it.
REMEDIES = {
    "name": "Check the host name, or the resolver of this host.",
    "resolver": "Check the resolver of this host, in /etc/resolv.conf.",
    "refused": "Check that the server is started and listens there, and that no firewall rejects it.",
    "timeout": "Check routes and firewalls, or allow more time.",
    "unreachable": "Check routes and firewalls between the two hosts.",
    "tls": "Check the certificate, its name and its authority, or give the right authority file.",
    "missing": "Check the path of the socket, and that the server is started.",
    "denied": "Run the check as a user who may open it.",
    "closed": "Check the server's log: it ended the connection.",
}


class DialError(FleetError):
    """A connection did not open, or broke. ``kind`` is a key of :data:`REMEDIES`."""

    def __init__(self, kind: str, msg: str) -> None:
        super().__init__(msg, REMEDIES[kind])
        self.kind = kind


@dataclass(frozen=True)
class TlsOptions:
    """How to speak TLS: verified unless ``verify`` is False.

    ``ca_file`` replaces the system's authorities. ``cert_file`` with ``key_file`` is the client's
    certificate. ``server_name`` replaces the host in SNI and in the name check.
    """

    verify: bool = True
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    server_name: str | None = None

    def context(self) -> ssl.SSLContext:
        """Return the context.

        :raises DialError: ``tls`` when a file cannot be read or is no certificate.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(name for name in (self.ca_file, self.cert_file, self.key_file) if name)
            raise DialError("tls", f"cannot load the certificates {files}: {error}.") from error
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def classify(error: OSError | DialError, where: str, timeout_s: float) -> DialError:
    """Turn what the socket raised into the error class and a sentence that names ``where``."""
    if isinstance(error, DialError):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return DialError("tls", f"the certificate of {where} is not accepted: {error.verify_message}.")
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return DialError("closed", f"{where} closed the connection during TLS.")
    if isinstance(error, ssl.SSLError):
        return DialError("tls", f"no TLS with {where}: {error.reason or error}.")
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        return DialError("resolver", f"the resolver does not answer for the name in {where}: {error.strerror}.")
    if isinstance(error, socket.gaierror):
        return DialError("name", f"the name in {where} does not resolve: {error.strerror}.")
    if isinstance(error, socket.timeout):
        return DialError("timeout", f"no answer from {where} within {timeout_s:g} s.")
    if isinstance(error, ConnectionRefusedError):
        return DialError("refused", f"{where} refused the connection.")
    if isinstance(error, FileNotFoundError):
        return DialError("missing", f"there is no socket {where}.")
    if isinstance(error, PermissionError):
        return DialError("denied", f"this user may not open {where}.")
    if isinstance(error, ConnectionError):
        return DialError("closed", f"{where} closed the connection: {error.strerror or error}.")
    return DialError("unreachable", f"{where} cannot be reached: {error.strerror or error}.")


def dial(
    host: str | None = None,
    port: int | None = None,
    unix_socket: str | None = None,
    timeout_s: float = 5.0,
    tls: TlsOptions | None = None,
) -> socket.socket:
    """Return a connected blocking socket whose time-out is ``timeout_s`` seconds.

    :arg host: name or address (IPv4 or IPv6) to connect to, with ``port``.
    :arg unix_socket: path of a Unix socket, instead of host and port.
    :arg timeout_s: limit for the connect to all addresses of the name, and for each later read and write.
    :arg tls: speak TLS from the first byte; None for plain text.
    :raises DialError: with the class of the failure in ``kind``.
    """
    where = unix_socket or f"{host}:{port}"
    sock: socket.socket | None = None
    try:
        if unix_socket:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(timeout_s)
            sock.connect(unix_socket)
        else:
            sock = _connect(host or "", port or 0, timeout_s)
        return start_tls(sock, host or "", tls) if tls else sock
    except (OSError, DialError) as error:
        if sock:
            sock.close()
        raise classify(error, where, timeout_s) from error


def _connect(host: str, port: int, timeout_s: float) -> socket.socket:
    """Try the addresses of a name one after the other, within one limit for all."""
    deadline = Deadline(timeout_s)
    failure: OSError = socket.timeout()
    for family, kind, protocol, dummy, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if deadline.expired:
            break
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(deadline.remaining_s)
            sock.connect(address)
            sock.settimeout(timeout_s)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def start_tls(sock: socket.socket, host: str, tls: TlsOptions) -> ssl.SSLSocket:
    """Return the socket with TLS on it; verified against ``tls.server_name`` or ``host``.

    :raises OSError: (mostly ``ssl.SSLError``), for :func:`classify`.
    :raises DialError: ``tls`` when a certificate file cannot be loaded.
    """
    return tls.context().wrap_socket(sock, server_hostname=tls.server_name or host or None)
