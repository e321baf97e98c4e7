# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One kind of request, ready to be sent."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from ..protocol.base import Answer, Encoded
from .check import Checks

if TYPE_CHECKING:
    from .journey import Journey


@dataclass(frozen=True)
class Request:
    """One kind of request.

    ``share`` is the part of all beginnings that are of this kind; 0 for a step that others go before. ``journey`` is
    set on the first step of one: its bytes are made at run time. What is sent ``once`` per connection is answered
    again and again.
    """

    scenario: str
    method: str
    path: str
    payload: bytes
    idempotent: bool
    share: Fraction
    checks: Checks
    tags: tuple[str, ...]
    step: str = ""
    journey: Journey | None = None
    once: bool = False

    @classmethod
    def of(cls, encoded: Encoded, scenario: str, share: Fraction, checks: Checks, tags: tuple[str, ...]) -> Request:
        """Return a request that is always the same."""
        return cls(scenario, encoded.method, encoded.path, encoded.payload, encoded.idempotent, share, checks, tags,
                   once=encoded.once)

    @property
    def keep_body(self) -> bool:
        """Whether a check needs the content."""
        return self.checks.keep_body

    @property
    def compare(self) -> str:
        """How the fast path may tell that an answer is like the last one: see ``protocol/base.py``."""
        return self.checks.compare

    def judge(self, answer: Answer, latency_ns: int) -> tuple[str, str]:
        """Return class and detail of what is wrong with an answer, or blanks."""
        return self.checks.judge(answer, latency_ns)
