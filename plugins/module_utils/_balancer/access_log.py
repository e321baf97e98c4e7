# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What HAProxy logs of each answer, in the format of ``option httplog``. Nothing here opens a socket.

Source: HAProxy 2.6 configuration manual, 8.2.3 "HTTP log format" and 8.4 "Timing events"; management guide, 9.3,
``show events``.
"""

from __future__ import annotations

import re
from typing import Iterable, Iterator

#: The ring that the role load_balancer declares.
RING = "evenkeel"

#: backend/server TR/Tw/Tc/Tr/Ta status bytes cookies state connections/retries: times in ms, -1 where it did not come
#: to that, + before one that goes on. Without retries, whose time counts for the server that answered in the end.
_ANSWER = re.compile(r" (\S+)/(\S+) -?\d+/-?\d+/(-?\d+)/(-?\d+)/\+?\d+ \d{3} \+?\d+ \S+ \S+ \S{4} (?:\d+/){4}0 ")


def follow(ring: str = RING) -> str:
    """Return the command after which HAProxy sends each line that comes into a ring from then on."""
    return f"show events {ring} -w -n"


def parse_answers(lines: Iterable[str], backend: str) -> Iterator[tuple[str, int]]:
    """Yield server and microseconds of each answer of a backend: from asking it until its header was there.

    HAProxy counts whole milliseconds, so half of one is added. What it answered itself, or never, is left out.
    """
    for line in lines:
        match = _ANSWER.search(line)
        if match and match.group(1) == backend and int(match.group(4)) >= 0:
            yield match.group(2), 1000 * (max(0, int(match.group(3))) + int(match.group(4))) + 500
