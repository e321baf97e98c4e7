# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios: what is asked, in which mix, and which answer is right."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Mapping, Sequence

from .._core.errors import InputError
from .protocol.base import HEAD, WHOLE, Answer, Dialect

EXAMPLE = "[{name: browse, requests: [{path: /api/browse, weight: 3}, {path: '/api/browse?genre=drama'}]}]"

#: The longest pattern of a mix; larger mixes are rounded to it.
MAX_PATTERN = 20000

_SCENARIO_KEYS = frozenset({"name", "weight", "requests"})
_REQUEST_KEYS = frozenset({"weight", "checks", "tags"})
_CHECK_KEYS = frozenset({"status", "contains"})


@dataclass(frozen=True)
class Request:
    """One kind of request, ready to be sent.

    ``statuses`` are the right ones; when empty, everything from 200 to 399 is. ``contains`` must be in
    the content when it is set. ``share`` is the part of all requests that are of this kind.
    """

    scenario: str
    method: str
    path: str
    payload: bytes
    share: Fraction
    statuses: frozenset[int]
    contains: bytes
    tags: tuple[str, ...]
    idempotent: bool = False
    step: str = ""

    @property
    def keep_body(self) -> bool:
        """Whether a check needs the content."""
        return bool(self.contains)

    @property
    def compare(self) -> str:
        """How the fast path may tell that an answer is like the last one: see ``protocol/base.py``."""
        return WHOLE if self.contains else HEAD

    def judge(self, answer: Answer, latency_ns: int) -> tuple[str, str]:
        """Return class and detail of what is wrong with an answer, or blanks."""
        status = answer.status
        if answer.error:
            return "status", answer.error
        if status and not (status in self.statuses if self.statuses else 200 <= status < 400):
            return "status", f"status {status}"
        if self.contains and self.contains not in answer.body:
            return "check", f"the content lacks {self.contains.decode(errors='replace')!r}"
        return "", ""


def parse_scenarios(scenarios: Sequence[Mapping[str, Any]] | None, dialect: Dialect) -> list[Request]:
    """Return all kinds of requests of all scenarios.

    :arg scenarios: as in the module's option; without any, one scenario ``default`` asks for the target's path.
    :arg dialect: what turns descriptions of requests into bytes.
    :raises InputError: names the field, such as ``scenarios[0].requests[2].path``.
    """
    if not scenarios:
        return _parse_scenario({"name": "default", "requests": [{}]}, "scenarios[0]", dialect, 1)
    names: set[str] = set()
    total = 0
    for number, scenario in enumerate(scenarios):
        where = f"scenarios[{number}]"
        _known(scenario, _SCENARIO_KEYS, where)
        name = scenario.get("name")
        if not isinstance(name, str) or not name or ":" in name or name != name.strip():
            raise InputError(f"{where}.name", name, "a name without colons", "browse")
        if name in names:
            raise InputError(f"{where}.name", name, "a name that no other scenario has", "browse-2")
        names.add(name)
        total += _weight(scenario, where)
    return [request for number, scenario in enumerate(scenarios)
            for request in _parse_scenario(scenario, f"scenarios[{number}]", dialect, total)]


def mix(requests: Sequence[Request], seed: int) -> list[int]:
    """Return indices of ``requests`` in a shuffled pattern that holds each in the proportion of its share."""
    unit = 1
    for request in requests:
        unit = unit * request.share.denominator // math.gcd(unit, request.share.denominator)
    unit = min(unit, MAX_PATTERN)
    pattern = [index for index, request in enumerate(requests) for _turn in range(max(1, round(request.share * unit)))]
    random.Random(seed).shuffle(pattern)
    return pattern


def _parse_scenario(scenario: Mapping[str, Any], where: str, dialect: Dialect, total: int) -> list[Request]:
    requests = scenario.get("requests")
    if not isinstance(requests, (list, tuple)) or not requests:
        raise InputError(f"{where}.requests", requests, "a list with at least one request", EXAMPLE)
    places = [f"{where}.requests[{number}]" for number in range(len(requests))]
    for place, request in zip(places, requests):
        _known(request, _REQUEST_KEYS | dialect.keys, place)
    weights = [_weight(request, place) for place, request in zip(places, requests)]
    part = Fraction(_weight(scenario, where), total * sum(weights))
    return [_parse_request(request, place, dialect, scenario["name"], weight * part)
            for request, place, weight in zip(requests, places, weights)]


def _parse_request(request: Mapping[str, Any], where: str, dialect: Dialect, scenario: str,
                   share: Fraction) -> Request:
    encoded = dialect.encode(request, where)
    checks = request.get("checks") or {}
    _known(checks, _CHECK_KEYS, f"{where}.checks")
    tags = request.get("tags") or {}
    if not isinstance(tags, Mapping):
        raise InputError(f"{where}.tags", tags, "a mapping", "{endpoint: browse}")
    return Request(scenario, encoded.method, encoded.path, encoded.payload, share,
                   _statuses(checks.get("status"), where), str(checks.get("contains") or "").encode(),
                   tuple(f"{key}={value}" for key, value in sorted(tags.items())), encoded.idempotent)


def _statuses(status: Any, where: str) -> frozenset[int]:
    """Return the right statuses of one number or a list of them."""
    if status is None:
        return frozenset()
    try:
        found = frozenset(int(one) for one in (status if isinstance(status, (list, tuple)) else [status]))
    except (TypeError, ValueError):
        found = frozenset()
    if not found or not all(100 <= one <= 599 for one in found):
        raise InputError(f"{where}.checks.status", status, "one or more numbers from 100 to 599", "[200, 304]")
    return found


def _weight(item: Mapping[str, Any], where: str) -> int:
    weight = item.get("weight", 1)
    weight = 1 if weight is None else weight
    if isinstance(weight, bool) or not str(weight).isdigit() or not 1 <= int(weight) <= 10000:
        raise InputError(f"{where}.weight", weight, "a whole number from 1 to 10000", "3")
    return int(weight)


def _known(item: Any, keys: frozenset[str], where: str) -> None:
    if not isinstance(item, Mapping):
        raise InputError(where, item, f"a mapping with {', '.join(sorted(keys))}", EXAMPLE)
    unknown = sorted(str(key) for key, value in item.items() if value is not None and key not in keys)
    if unknown:
        raise InputError(where, unknown[0], f"only the keys {', '.join(sorted(keys))}", EXAMPLE)
