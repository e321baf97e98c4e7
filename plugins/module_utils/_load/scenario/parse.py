# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios: what is asked, and in which mix."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from ..._core.errors import InputError
from ..protocol.base import Dialect
from . import fields
from .check import Checks
from .request import Request

if TYPE_CHECKING:
    from .feeder import Feeder
    from .journey import Journeys

EXAMPLE = "[{name: browse, requests: [{path: /api/browse, weight: 3}, {path: '/api/browse?genre=drama'}]}]"

#: The longest pattern of a mix; larger mixes are rounded to it.
MAX_PATTERN = 20000

_JOURNEY_KEYS = ("think_s", "feeders", "keep_cookies")
_SCENARIO_KEYS = frozenset({"name", "weight", "requests", "steps", *_JOURNEY_KEYS})
_REQUEST_KEYS = frozenset({"weight", "checks", "tags"})


def parse_scenarios(scenarios: Sequence[Mapping[str, Any]] | None, dialect: Dialect,
                    feeders: Sequence[Mapping[str, Any]] | None = None) -> list[Request]:
    """Return all kinds of requests of all scenarios; the steps of a journey follow each other.

    :arg scenarios: as in the module's option; without any, one scenario ``default`` asks for the target's path.
    :arg dialect: what turns descriptions of requests into bytes.
    :arg feeders: as in the module's option: data for all scenarios.
    :raises InputError: names the field, such as ``scenarios[0].requests[2].path``.
    """
    common = _feeders(feeders, "feeders", ())
    if not scenarios:
        scenarios = [{"name": "default", "requests": [{}]}]
    names: set[str] = set()
    total = 0
    for number, scenario in enumerate(scenarios):
        where = f"scenarios[{number}]"
        fields.known(scenario, _SCENARIO_KEYS, where, EXAMPLE)
        name = scenario.get("name")
        if not isinstance(name, str) or not name or ":" in name or name != name.strip():
            raise InputError(f"{where}.name", name, "a name without colons", "browse")
        if name in names:
            raise InputError(f"{where}.name", name, "a name that no other scenario has", "browse-2")
        names.add(name)
        total += fields.weight(scenario, where)
    found: list[Request] = []
    for number, scenario in enumerate(scenarios):
        found += _parse_scenario(scenario, f"scenarios[{number}]", dialect, common, total)
    return found


def mix(requests: Sequence[Request], seed: int) -> list[int]:
    """Return indices of ``requests`` in a shuffled pattern that holds each in the proportion of its share."""
    unit = 1
    for request in requests:
        unit = unit * request.share.denominator // math.gcd(unit, request.share.denominator)
    unit = min(unit, MAX_PATTERN)
    pattern = [index for index, request in enumerate(requests) if request.share
               for _turn in range(max(1, round(request.share * unit)))]
    random.Random(seed).shuffle(pattern)
    return pattern


def _parse_scenario(scenario: Mapping[str, Any], where: str, dialect: Dialect, common: Sequence[Feeder],
                    total: int) -> list[Request]:
    part = Fraction(fields.weight(scenario, where), total)
    if fields.only_one_of(scenario, ("requests", "steps"), where, EXAMPLE) == "steps":
        return _journeys(scenario, where, dialect, common).visit(scenario["steps"], f"{where}.steps", part)
    requests = fields.listed(scenario["requests"], f"{where}.requests", "request", EXAMPLE)
    places = [f"{where}.requests[{number}]" for number in range(len(requests))]
    for place, request in zip(places, requests):
        fields.known(request, _REQUEST_KEYS | dialect.keys, place, EXAMPLE)
    weights = [fields.weight(request, place) for place, request in zip(places, requests)]
    part /= sum(weights)
    journeys = _journeys(scenario, where, dialect, common) if any(map(scenario.get, _JOURNEY_KEYS)) else None
    personal = scenario.get("think_s") or scenario.get("keep_cookies")
    found = []
    for request, place, weight in zip(requests, places, weights):
        if not personal and "${" not in repr(request):
            found.append(Request.of(dialect.encode(request, place), scenario["name"], weight * part,
                                    Checks.parse(request.get("checks"), f"{place}.checks"),
                                    fields.tags(request.get("tags"), f"{place}.tags")))
        else:
            journeys = journeys or _journeys(scenario, where, dialect, common)
            found.append(journeys.lone(request, place, weight * part))
    return found


def _journeys(scenario: Mapping[str, Any], where: str, dialect: Dialect, common: Sequence[Feeder]) -> Journeys:
    """Return what makes journeys of a scenario; it is loaded only when there are some."""
    from .journey import Journeys

    names = [feeder.name for feeder in common]
    return Journeys(scenario, where, dialect, [*common, *_feeders(scenario.get("feeders"), f"{where}.feeders", names)])


def _feeders(feeders: Any, where: str, taken: Sequence[str]) -> list[Feeder]:
    if feeders is None:
        return []
    from .feeder import parse_feeders

    return parse_feeders(feeders, where, taken)
