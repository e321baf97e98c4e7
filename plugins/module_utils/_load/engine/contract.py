# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the engine and those who work with it agree on: the plan, executors, users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Protocol, Sequence

if TYPE_CHECKING:
    from ..protocol.base import Answer, Dialect
    from ..scenario.request import Request
    from .secure import Secure


@dataclass(frozen=True)
class Plan:
    """What the engine needs to know about target and requests; times in seconds.

    :arg server_name: for SNI and the check of the certificate's name.
    :arg reuse: whether a connection carries more than one request.
    :arg seed: decides what virtual users draw at random.
    """

    requests: Sequence[Request]
    dialect: Dialect
    family: int
    address: Any
    server_name: str = ""
    tls: Secure | None = None
    timeout_s: float = 10.0
    count_header: str = ""
    stop_path: str = ""
    reuse: bool = True
    seed: int = 0


class Executor(Protocol):
    """Who decides what is sent and when. Times are in ns on the monotonic clock."""

    @property
    def paces(self) -> bool:
        """Whether users think after a journey's last step too, before their connection is idle."""

    @property
    def following(self) -> Callable[[], int]:
        """What returns the kind to send on a connection that has just been answered; 0 for `ask idle()`."""

    def idle(self, fd: int, now: int) -> None:
        """A connection has nothing to do."""

    def lost(self, fd: int, now: int, failed: bool) -> None:
        """A connection is gone; ``failed`` when it never came to be."""

    def wait(self, now: int) -> float:
        """Send what is due; return for how many seconds nothing else will be."""

    def expire(self, limit: int) -> None:
        """Give up what has been waiting for a connection since before ``limit``."""

    def finished(self) -> bool:
        """Whether there is nothing more to wait for."""


class User(Protocol):
    """A virtual user whose requests are made at run time; it is told of its connection instead of the executor."""

    payload: bytes

    def judge(self, kind: int, answer: Answer, latency_ns: int) -> tuple[str, str]:
        """Return class and detail of what is wrong with a complete answer that is about to be counted, or blanks."""

    def answered(self, fd: int, now: int) -> None:
        """The answer was counted and the connection is free."""

    def lost(self, now: int, failed: bool) -> None:
        """The connection is gone, after an answer or instead of one; ``failed`` when it never came to be."""
