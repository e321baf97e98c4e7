# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS for the engine. Only runs that speak it import this: ``ssl`` alone takes 5 MB and a tenth of the start-up."""

from __future__ import annotations

import functools
import ssl
from socket import SocketType
from typing import Any, Callable


class Secure:
    """What turns connected sockets into ones that speak TLS.

    ``not_now`` are the errors of calls that have nothing to do now, ``ended`` that of a peer who went without a word.
    """

    not_now = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
    ended = (ssl.SSLEOFError,)

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context

    def wrap(self, sock: SocketType, server_name: str) -> SocketType:
        """Return the socket with TLS on it, before the handshake.

        :arg server_name: for SNI and the check of the certificate's name.
        """
        return self.context.wrap_socket(
            sock, do_handshake_on_connect=False, server_hostname=server_name or None)  # type: ignore[arg-type]

    def calls(self, sock: Any, size: int) -> tuple[Callable[[Any], int], Callable[[Any], int]]:
        """Return what receives up to ``size`` bytes into a buffer, and what sends.

        They are those of OpenSSL's object itself: the methods of the socket around it cost two more calls each.
        """
        return functools.partial(sock._sslobj.read, size), sock._sslobj.write

    def is_error(self, error: OSError) -> bool:
        """Whether an error is one of TLS."""
        return isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError)
