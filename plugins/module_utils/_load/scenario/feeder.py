# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Feeders: data for templates, drawn from lists, CSV, ranges, weights or at random.

What a virtual user draws depends on the seed, on its number and on how often it has drawn, and on nothing else; only
with the policy ``next``, where all users share one order, it depends on who comes first.
"""

from __future__ import annotations

import bisect
import csv
import io
import itertools
import random
import re
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Sequence

from ..._core.errors import InputError
from . import fields
from .template import COLUMN, NAME

EXAMPLE = "[{name: genre, values: [drama, comedy]}, {name: user, path: /srv/users.csv, policy: per_user}]"

NEXT, RANDOM, PER_USER = "next", "random", "per_user"

#: Names that every journey has without a feeder: the virtual user's number and its journey's, both from 0.
BUILT_IN = ("vu", "iteration")

_SOURCES = ("values", "csv", "path", "range", "weighted", "random")
_DRAWN = ("weighted", "random")
_LETTERS = string.ascii_lowercase + string.digits
_ENDLESS = 0

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Feeder:
    """Where values come from and who gets which.

    ``variables`` are the names that it sets. ``at`` returns a row by its number below ``count``; ``draw`` returns one
    at random.
    """

    name: str
    variables: tuple[str, ...]
    policy: str
    count: int
    at: Callable[[int], Row]
    draw: Callable[[random.Random], Row]


class Reader:
    """One process' view of a feeder: every ``workers``-th row from the ``worker``-th one is its own."""

    def __init__(self, feeder: Feeder, worker: int, workers: int) -> None:
        self._feeder = feeder
        self._numbers: Iterator[int] = itertools.count(worker, workers)

    def row(self, user: int, rng: Callable[[], random.Random], kept: dict[Feeder, Row]) -> Row:
        """Return a user's next row.

        :arg rng: returns the user's own random numbers.
        :arg kept: what the user keeps for good.
        """
        feeder = self._feeder
        if feeder.policy == NEXT:
            return feeder.at(next(self._numbers) % feeder.count)
        if feeder.policy == RANDOM:
            return feeder.draw(rng())
        if feeder.count:
            return feeder.at(user % feeder.count)
        if feeder not in kept:
            kept[feeder] = feeder.draw(rng())
        return kept[feeder]


def parse_feeders(feeders: Any, where: str, taken: Sequence[str] = ()) -> list[Feeder]:
    """Return the feeders of a probe or a scenario.

    :arg where: the field, such as ``feeders``.
    :arg taken: names that are in use already.
    :raises InputError: when one is malformed, or a name is not its own.
    """
    if feeders is None:
        return []
    found: list[Feeder] = []
    names = {*BUILT_IN, *taken}
    for number, feeder in enumerate(fields.listed(feeders, where, "feeder", EXAMPLE)):
        found.append(_parse(feeder, f"{where}[{number}]"))
        if found[-1].name in names:
            raise InputError(f"{where}[{number}].name", found[-1].name, "a name that nothing else has", "user")
        names.add(found[-1].name)
    return found


def _parse(feeder: Any, where: str) -> Feeder:
    fields.known(feeder, ("name", "policy", *_SOURCES), where, EXAMPLE)
    name = feeder.get("name")
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        raise InputError(f"{where}.name", name, "a name of letters, digits and _", "user")
    source = fields.only_one_of(feeder, _SOURCES, where, EXAMPLE)
    policies = (RANDOM, PER_USER) if source in _DRAWN else (NEXT, RANDOM, PER_USER)
    policy = feeder.get("policy") or policies[0]
    if policy not in policies:
        raise InputError(f"{where}.policy", policy, f"{' or '.join(policies)}, since {source} has no order"
                         if source in _DRAWN else f"one of {', '.join(policies)}", policies[0])
    return _READ[source](name, policy, feeder[source], f"{where}.{source}")


def _of_rows(name: str, policy: str, rows: Sequence[Row]) -> Feeder:
    count = len(rows)
    return Feeder(name, tuple(rows[0]), policy, count, rows.__getitem__, lambda rng: rows[rng.randrange(count)])


def _values(name: str, policy: str, values: Any, where: str) -> Feeder:
    example = "[drama, comedy], or rows such as [{email: a@b.c, token: x}]"
    values = fields.listed(values, where, "value", example)
    if not isinstance(values[0], Mapping):
        return _of_rows(name, policy, [{name: _scalar(value, f"{where}[{number}]", example)}
                                       for number, value in enumerate(values)])
    columns = [str(column) for column in values[0]]
    for number, row in enumerate(values):
        if not isinstance(row, Mapping) or [str(column) for column in row] != columns:
            raise InputError(f"{where}[{number}]", row, f"{', '.join(columns)}, as in the first row", example)
    return _of_rows(name, policy, _table(name, columns, [list(row.values()) for row in values], where))


def _csv(name: str, policy: str, text: Any, where: str) -> Feeder:
    example = "'email,token\\na@example.org,x'"
    try:
        lines = [line for line in csv.reader(io.StringIO(str(text)), strict=True) if line]
    except csv.Error as error:
        raise InputError(where, str(text)[:60], f"CSV ({error})", example) from error
    if len(lines) < 2:
        raise InputError(where, str(text)[:60], "a line of names, and at least one line of values", example)
    columns, *rows = lines
    for number, row in enumerate(rows):
        if len(row) != len(columns):
            raise InputError(where, ",".join(row), f"{len(columns)} values in row {number + 1}, one for each of "
                             f"{', '.join(columns)}", example)
    return _of_rows(name, policy, _table(name, [column.strip() for column in columns], rows, where))


def _path(name: str, policy: str, path: Any, where: str) -> Feeder:
    try:
        text = Path(str(path)).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(where, path, f"a CSV file on the host of the probe ({error})", "/srv/users.csv") from error
    return _csv(name, policy, text, where)


def _range(name: str, policy: str, limits: Any, where: str) -> Feeder:
    example = "{from: 1, to: 500}"
    fields.known(limits, ("from", "to", "step"), where, example)
    first, last = _limits(limits, where, example)
    step = fields.whole(limits.get("step", 1), f"{where}.step", 1, 2**53, "10")
    numbers = range(first, last + 1, step)
    return Feeder(name, (name,), policy, len(numbers), lambda place: {name: numbers[place]},
                  lambda rng: {name: numbers[rng.randrange(len(numbers))]})


def _weighted(name: str, policy: str, weights: Any, where: str) -> Feeder:
    example = "{drama: 5, comedy: 1}"
    if not isinstance(weights, Mapping) or not weights:
        raise InputError(where, weights, "a mapping of values to weights", example)
    rows = [{name: _scalar(value, where, example)} for value in weights]
    sums = list(itertools.accumulate(fields.whole(weight, f"{where}.{value}", 1, 2**31, example)
                                     for value, weight in weights.items()))
    return Feeder(name, (name,), policy, _ENDLESS, rows.__getitem__,
                  lambda rng: rows[bisect.bisect(sums, rng.randrange(sums[-1]))])


def _random(name: str, policy: str, limits: Any, where: str) -> Feeder:
    example = "{from: 1, to: 1000000} for numbers, {length: 12} for letters and digits"
    fields.known(limits, ("from", "to", "length"), where, example)
    draw: Callable[[random.Random], Row]
    if fields.only_one_of(limits, ("from", "length"), where, example) == "length":
        length = fields.whole(limits["length"], f"{where}.length", 1, 1024, "12")
        if limits.get("to") is not None:
            raise InputError(where, dict(limits), "either a length or from and to", example)

        def draw(rng: random.Random) -> Row:
            return {name: "".join(rng.choices(_LETTERS, k=length))}
    else:
        least, most = _limits(limits, where, example)

        def draw(rng: random.Random) -> Row:
            return {name: rng.randrange(least, most + 1)}
    return Feeder(name, (name,), policy, _ENDLESS, lambda _place: {}, draw)


def _table(name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], where: str) -> list[Row]:
    for column in columns:
        if not re.fullmatch(COLUMN, column) or columns.count(column) > 1:
            raise InputError(where, column, "columns of different names, of letters, digits, - and _", "email")
    variables = [f"{name}.{column}" for column in columns]
    return [dict(zip(variables, row)) for row in rows]


def _limits(limits: Mapping[str, Any], where: str, example: str) -> tuple[int, int]:
    first, last = (fields.whole(limits.get(key), f"{where}.{key}", -2**53, 2**53, example) for key in ("from", "to"))
    if last < first:
        raise InputError(where, dict(limits), "from that is not above to", example)
    return first, last


def _scalar(value: Any, where: str, example: str) -> Any:
    if isinstance(value, (Mapping, list, tuple)) or value is None:
        raise InputError(where, value, "text or a number", example)
    return value


_READ: Mapping[str, Callable[[str, str, Any, str], Feeder]] = {
    "values": _values, "csv": _csv, "path": _path, "range": _range, "weighted": _weighted, "random": _random}
