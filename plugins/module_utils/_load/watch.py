# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done once a second while a probe runs: tell how it is going, and end it on a breach."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

from .result.parts import take_apart
from .result.rules import Rule, breach
from .result.truth import BREACH
from .run import Progress
from .scenario.request import Request

#: Gets how a probe is going.
Tell = Callable[[Mapping[str, Any]], None]


class Watch:
    """Called with the progress of each second; returns the reason to stop, or nothing.

    :arg tell: gets ``phase``, ``elapsed_s`` (of the phase), ``requests``, ``errors`` and ``p95_ms`` (until now) and
        ``rps`` (of the last second).
    """

    def __init__(self, requests: Sequence[Request], rules: Sequence[Rule], tell: Tell | None) -> None:
        self._requests = requests
        self._rules = [rule for rule in rules if rule.threshold.abort_after_s is not None]
        self._tell = tell
        self._last = ("", 0.0, 0)

    @property
    def needed(self) -> bool:
        """Whether there is anything to tell or to end."""
        return bool(self._rules or self._tell)

    def __call__(self, progress: Progress) -> str:
        parts = take_apart(progress.tally, self._requests, progress.elapsed_s, running=True)
        whole, (phase, elapsed_s, requests) = parts.overall, self._last
        if phase != progress.phase:
            elapsed_s, requests = 0.0, 0
        self._last = (progress.phase, progress.elapsed_s, whole.requests)
        if self._tell:
            seconds = progress.elapsed_s - elapsed_s
            self._tell({"phase": progress.phase, "elapsed_s": round(progress.elapsed_s, 1),
                        "requests": whole.requests, "errors": whole.errors,
                        "rps": round((whole.requests - requests) / seconds, 1) if seconds > 0 else None,
                        "p95_ms": whole.latency.percentile_ms(95)})
        reason = breach(self._rules, parts, progress.elapsed_s)
        return f"{BREACH}{reason}" if reason else ""
