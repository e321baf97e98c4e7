# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Journeys: the steps that a virtual user takes one after the other, and what each of them needs."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Mapping, NamedTuple, Sequence
from urllib.parse import quote

from ..._core.errors import InputError
from ..._core.text import utf8
from ..protocol.base import Dialect, Encoded
from . import fields
from .capture import Capture, parse_captures
from .check import Checks
from .feeder import BUILT_IN, Feeder
from .request import Request
from .template import Render, as_text, compiled, references, split

EXAMPLE = ("[{name: login, path: /api/auth, method: POST, body: {email: a@b.c}, capture: {token: {json: /token}}}, "
           "{path: /api/me, headers: {Authorization: 'Bearer ${token}'}}]")

_STEP_KEYS = frozenset({"name", "checks", "capture", "tags", "think_s"})
_LONE_KEYS = frozenset({"weight", "checks", "tags"})

#: What encode() makes of ``${name}`` in a path.
_QUOTED_REFERENCE = re.compile(r"(?:%24|\$)%7B([\w.-]+)%7D")

_ORIGIN = re.compile(r"https?://[^/?#]*")

#: What no header can carry (RFC 9110, section 5.5).
_NOT_IN_A_HEADER = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


class Step(NamedTuple):
    """One request of a journey.

    ``render`` makes the parts of its description that dialects take; it is empty when they are always the same, as
    ``encoded`` then. ``think_s`` is how long the user thinks after it, at least and at most.
    """

    name: str
    where: str
    encoded: Encoded
    render: Mapping[str, Render]
    own_cookies: bool
    checks: Checks
    captures: tuple[Capture, ...]
    think_s: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Journey:
    """The steps of one scenario, or one lone request; ``counted`` tells which.

    ``feeders`` are those that the steps use: one row of each is drawn when the journey begins.
    """

    scenario: str
    steps: tuple[Step, ...]
    feeders: tuple[Feeder, ...]
    keep_cookies: bool
    counted: bool


class Journeys:
    """Make the journeys of one scenario.

    :arg feeders: all that it may use.
    """

    def __init__(self, scenario: Mapping[str, Any], where: str, dialect: Dialect, feeders: Sequence[Feeder]) -> None:
        self._scenario = scenario
        self._dialect = dialect
        self._feeders = feeders
        self._think_s = fields.think_time(scenario.get("think_s"), f"{where}.think_s")
        keep = scenario.get("keep_cookies")
        if keep is not None and not isinstance(keep, bool):
            raise InputError(f"{where}.keep_cookies", keep, "true or false", "true")
        self._keep_cookies = bool(keep)

    def lone(self, request: Mapping[str, Any], where: str, share: Fraction) -> Request:
        """Return a request that is made anew every time.

        :raises InputError: when it is malformed.
        """
        fields.known(request, _LONE_KEYS | self._dialect.keys, where, EXAMPLE)
        return self._requests([request], [self._step(request, "", where, self._variables())], share, counted=False)[0]

    def visit(self, steps: Any, where: str, share: Fraction) -> list[Request]:
        """Return a request for each step.

        :arg where: the field, such as ``scenarios[0].steps``.
        :raises InputError: when one is malformed, or uses what none before it has captured.
        """
        steps = fields.listed(steps, where, "step", EXAMPLE)
        variables = self._variables()
        fixed = set(variables)
        found: list[Step] = []
        for number, step in enumerate(steps):
            place = f"{where}[{number}]"
            fields.known(step, _STEP_KEYS | self._dialect.keys, place, EXAMPLE)
            name = step.get("name") or f"step{number + 1}"
            if not isinstance(name, str) or re.search(r"[:/]", name) or name != name.strip():
                raise InputError(f"{place}.name", name, "a name without colons and slashes", "login")
            if name in [other.name for other in found]:
                raise InputError(f"{place}.name", name, "a name that no other step of the scenario has", "login-2")
            found.append(self._step(step, name, place, variables))
            for capture in found[-1].captures:
                if capture.name in fixed:
                    raise InputError(f"{place}.capture.{capture.name}", capture.name, "a name that no feeder has",
                                     "token")
                variables.setdefault(capture.name, None)
        return self._requests(steps, found, share, counted=True)

    def _variables(self) -> dict[str, Feeder | None]:
        """Return the variables that there are from the beginning, with the feeder that sets them."""
        return {**dict.fromkeys(BUILT_IN), **{name: feeder for feeder in self._feeders for name in feeder.variables}}

    def _step(self, step: Mapping[str, Any], name: str, where: str, variables: Mapping[str, Feeder | None]) -> Step:
        spec = {key: step[key] for key in self._dialect.keys if step.get(key) is not None}
        render = {key: _compiled(key, value, f"{where}.{key}") for key, value in spec.items()}
        used = [name for key, value in spec.items() for place, name in references(value, f"{where}.{key}")
                if _is_known(name, variables, place)]
        encoded = self._dialect.encode({key: make({name: f"${{{name}}}" for name in used})
                                        for key, make in render.items()}, where)
        if encoded.once:
            raise InputError(where, dict(spec), "what is sent for each answer, so no subscription",
                             "{text: hello}")
        think = step.get("think_s")
        return Step(name, where, encoded, render if used else {},
                    "cookie" in [str(header).lower() for header in spec.get("headers") or ()],
                    Checks.parse(step.get("checks"), f"{where}.checks"),
                    parse_captures(step.get("capture"), f"{where}.capture"),
                    self._think_s if think is None else fields.think_time(think, f"{where}.think_s"))

    def _requests(self, specs: Sequence[Mapping[str, Any]], steps: Sequence[Step], share: Fraction,
                  counted: bool) -> list[Request]:
        used = {name for spec in specs for key in self._dialect.keys for dummy, name in references(spec.get(key), "")}
        feeders = tuple(feeder for feeder in self._feeders if used & set(feeder.variables))
        journey = Journey(self._scenario["name"], tuple(steps), feeders, self._keep_cookies, counted)
        return [Request(journey.scenario, step.encoded.method, _QUOTED_REFERENCE.sub(r"${\1}", step.encoded.path),
                        step.encoded.payload, step.encoded.idempotent, Fraction(0) if number else share, step.checks,
                        fields.tags(spec.get("tags"), f"{step.where}.tags"), step.name, None if number else journey)
                for number, (spec, step) in enumerate(zip(specs, steps))]


def _is_known(name: str, variables: Mapping[str, Feeder | None], where: str) -> bool:
    if name not in variables:
        raise InputError(where, f"${{{name}}}", "a variable of a feeder, or one that an earlier step captures: "
                         f"{', '.join(variables)}", "capture: {token: {json: /token}} in the step before")
    return True


def _compiled(key: str, value: Any, where: str) -> Render:
    """Return what renders one part of a request's description.

    Only nested values keep their type; what a path or a header cannot carry is quoted.
    """
    if not isinstance(value, str):
        return compiled(value, where, _for_header if key == "headers" else None)
    if key == "command" and "${" in value:
        return compiled(_arguments(value, where), where)
    if key != "path":
        return compiled(value, where, as_text)
    return compiled(value, where, _whole_path if len(split(value, where)) == 1 else _for_path)


def _arguments(line: str, where: str) -> list[str]:
    """Return a line's arguments, so that no value can become two of them."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise InputError(where, line, f"arguments as in a shell ({error})", "GET ${key}") from error


def _whole_path(value: Any) -> str:
    """Return a path that is the value of one variable, such as a captured ``Location``."""
    path = _ORIGIN.sub("", as_text(value))
    return path if path.startswith("/") else f"/{path}"


def _for_path(value: Any) -> str:
    text = as_text(value)
    return text if text.isalnum() and text.isascii() else quote(utf8(text, "path"), safe="")


def _for_header(value: Any) -> str:
    return _NOT_IN_A_HEADER.sub(lambda match: quote(utf8(match.group(), "headers")), as_text(value))
