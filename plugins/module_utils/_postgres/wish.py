# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wish: what an index shall look like, checked without a server."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from .._core.errors import FleetError

#: PostgreSQL cuts longer identifiers off without an error (NAMEDATALEN - 1, in bytes).
MAX_NAME_BYTES = 63

_KEY_FIELDS = ("column", "expression", "order", "nulls", "opclass", "collation")
_CHOICES = {"order": ("asc", "desc"), "nulls": ("first", "last")}


@dataclass(frozen=True)
class Key:
    """One key of an index: a column or an SQL expression, and how it is ordered and compared.

    ``order`` is asc or desc, ``nulls`` is first or last; empty texts mean the server's default.
    ``opclass`` may be qualified by a schema (``extensions.gin_trgm_ops``).
    """

    column: str = ""
    expression: str = ""
    order: str = ""
    nulls: str = ""
    opclass: str = ""
    collation: str = ""


@dataclass(frozen=True)
class Wish:
    """One index as the user declares it. ``position`` is its place in the list, from 0."""

    position: int
    name: str
    schema: str = "public"
    table: str = ""
    keys: tuple[Key, ...] = ()
    method: str = "btree"
    unique: bool = False
    include: tuple[str, ...] = ()
    where: str = ""
    storage: tuple[tuple[str, str], ...] = ()
    tablespace: str = ""
    comment: str | None = None
    present: bool = True

    @property
    def label(self) -> str:
        """How messages call this wish: ``indexes[3] "pitches_status"``."""
        return f'indexes[{self.position}] "{self.name}"'

    @property
    def has_expression(self) -> bool:
        """Whether a key is an expression, for which the planner has no statistics before an ANALYZE."""
        return any(key.expression for key in self.keys)


@dataclass(frozen=True)
class Problem:
    """Why one wish cannot be fulfilled: where, what was found, what to do."""

    label: str
    field: str
    found: Any
    expected: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.label}, {self.field}: expected {self.expected}, found {self.found!r}. {self.remedy}".strip()


class WishError(FleetError):
    """At least one wish cannot be fulfilled; nothing was changed. All problems are named at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = "".join(f"\n- {problem}" for problem in problems)
        super().__init__(
            f"{len(problems)} of the wished indexes' values cannot be used; nothing was changed:{lines}",
            problems=[{**vars(problem), "found": str(problem.found)} for problem in problems],
        )


@dataclass
class _Reader:
    """Reads one entry of the list and collects what is wrong with it."""

    position: int
    entry: Mapping[str, Any]
    problems: list[Problem] = field(default_factory=list)

    @property
    def label(self) -> str:
        return f'indexes[{self.position}] "{self.entry.get("name") or ""}"'

    def wrong(self, name: str, found: Any, expected: str, remedy: str = "") -> None:
        self.problems.append(Problem(self.label, name, found, expected, remedy))

    def name(self, name: str, value: Any) -> str:
        text = "" if value is None else str(value)
        size = len(text.encode("utf-8", "surrogatepass"))
        if not text:
            self.wrong(name, text, "a name", f"Example: {name}: pitches_status_created_at")
        elif "\0" in text or not _is_utf8(text):
            self.wrong(name, text, "text without NUL and broken characters")
        elif size > MAX_NAME_BYTES:
            self.wrong(name, text, f"at most {MAX_NAME_BYTES} bytes (found {size})",
                       "PostgreSQL would cut it off: shorten the name.")
        return text

    def sql(self, name: str, value: Any) -> str:
        text = "" if value is None else str(value).strip()
        if "\0" in text or not _is_utf8(text):
            self.wrong(name, text, "SQL without NUL and broken characters")
        return text

    def key(self, place: str, value: Any) -> Key:
        if isinstance(value, str):
            return Key(column=self.name(place, value))
        if not isinstance(value, Mapping):
            self.wrong(place, value, "a column name or a dictionary", "Example: {column: created_at, order: desc}")
            return Key()
        unknown = sorted(str(key) for key in value if key not in _KEY_FIELDS)
        if unknown:
            self.wrong(place, ", ".join(unknown), f"only {', '.join(_KEY_FIELDS)}")
        texts = {key: "" if value.get(key) is None else str(value[key]) for key in _KEY_FIELDS}
        if bool(texts["column"]) == bool(texts["expression"]):
            self.wrong(place, dict(value), "either column or expression", "Example: {expression: lower(email)}")
        if texts["column"]:
            self.name(f"{place}.column", texts["column"])
        texts["expression"] = self.sql(f"{place}.expression", texts["expression"])
        for choice, allowed in _CHOICES.items():
            texts[choice] = texts[choice].lower()
            if texts[choice] and texts[choice] not in allowed:
                self.wrong(f"{place}.{choice}", value[choice], " or ".join(allowed))
        return Key(**texts)

    def read(self) -> Wish:
        entry = self.entry
        present = entry.get("state") != "absent"
        name = self.name("name", entry.get("name"))
        schema = self.name("schema", entry.get("schema") or "public")
        if not present:
            return Wish(self.position, name, schema, present=False)
        columns = list(entry.get("columns") or [])
        if not columns:
            self.wrong("columns", columns, "at least one column or expression", "Example: columns: [status]")
        method = str(entry.get("method") or "btree")
        unique = bool(entry.get("unique"))
        if unique and method != "btree":
            self.wrong("unique", True, f"a btree index, as {method} cannot be unique",
                       "Set method: btree, or unique: false.")
        comment = entry.get("comment")
        return Wish(
            self.position, name, schema,
            table=self.name("table", entry.get("table")),
            keys=tuple(self.key(f"columns[{number}]", value) for number, value in enumerate(columns)),
            method=method,
            unique=unique,
            include=tuple(self.name(f"include[{number}]", value)
                          for number, value in enumerate(entry.get("include") or [])),
            where=self.sql("where", entry.get("where")),
            storage=tuple(sorted((str(key), switch(value)) for key, value in (entry.get("storage") or {}).items())),
            tablespace=self.name("tablespace", entry["tablespace"]) if entry.get("tablespace") else "",
            comment=None if comment is None else self.sql("comment", comment),
        )


def switch(value: Any) -> str:
    """Return a storage parameter's value as text, with one spelling for on and off."""
    text = str(value)
    return {"true": "on", "yes": "on", "false": "off", "no": "off"}.get(text.lower(), text)


def read_wishes(entries: Sequence[Mapping[str, Any]]) -> list[Wish]:
    """Return the declared indexes.

    :arg entries: the module's option ``indexes``.
    :raises WishError: naming every value that no server could accept, and every name that occurs twice.
    """
    readers = [_Reader(position, entry) for position, entry in enumerate(entries)]
    wishes = [reader.read() for reader in readers]
    problems = [problem for reader in readers for problem in reader.problems]
    count = Counter((wish.schema, wish.name) for wish in wishes)
    problems += [
        Problem(wish.label, "name", wish.name, f"each index once in schema {wish.schema}, it is listed {number} times",
                "Remove or rename the others.")
        for wish in wishes if (number := count[(wish.schema, wish.name)]) > 1
    ]
    if problems:
        raise WishError(problems)
    return wishes


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
