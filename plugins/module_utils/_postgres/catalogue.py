# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue: what tables and indexes are there, and what the server makes of a wish."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Sequence

from . import statements
from .connection import Database, SqlError
from .wish import Problem, Wish, switch

TABLES = """
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.reltuples::bigint AS rows,
       pg_catalog.pg_table_size(c.oid) AS table_bytes, pg_catalog.pg_indexes_size(c.oid) AS indexes_bytes,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns,
       s.seq_scan, s.seq_tup_read, s.idx_scan, s.n_live_tup AS live_rows,
       pg_catalog.to_char(greatest(s.last_analyze, s.last_autoanalyze) AT TIME ZONE 'UTC',
                          'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS analyzed_at
  FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wished (schema, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = wished.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wished.name
  LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
"""

# The text of the storage parameters is what pg_get_indexdef() prints, so that it can be taken out of it:
# their order does not matter, and they are compared apart.
INDEXES = """
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, t.oid AS table_oid, t.relname AS table,
       i.indisvalid AND i.indisready AND i.indislive AS valid,
       pg_catalog.replace(pg_catalog.pg_get_indexdef(c.oid), coalesce(with_clause.text, ''), '') AS definition,
       coalesce(c.reloptions, '{}') AS storage, coalesce(space.spcname, '') AS tablespace,
       pg_catalog.pg_relation_size(c.oid) AS size_bytes, s.idx_scan AS scans,
       pg_catalog.obj_description(c.oid, 'pg_class') AS comment,
       pg_catalog.concat_ws(', ',
              (SELECT 'constraint ' || pg_catalog.string_agg(k.conname, ', ' ORDER BY k.conname)
                 FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid),
              CASE WHEN i.indisreplident THEN 'the REPLICA IDENTITY of ' || t.relname END,
              CASE WHEN c.relispartition THEN 'a partitioned index' END) AS needed_by,
       (SELECT pg_catalog.min(p.pid) FROM pg_catalog.pg_stat_progress_create_index p
         WHERE p.index_relid = c.oid) AS builder_pid
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
  LEFT JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  LEFT JOIN pg_catalog.pg_tablespace space ON space.oid = c.reltablespace
  LEFT JOIN pg_catalog.pg_stat_all_indexes s ON s.indexrelid = c.oid
  CROSS JOIN LATERAL (
       SELECT ' WITH (' || pg_catalog.string_agg(
              pg_catalog.quote_ident(o.option_name) || '=' ||
              CASE WHEN pg_catalog.quote_ident(o.option_value) = o.option_value THEN o.option_value
                   ELSE pg_catalog.quote_literal(o.option_value) END, ', ') || ')' AS text
         FROM pg_catalog.pg_options_to_table(c.reloptions) o) with_clause
 WHERE c.oid IN (
       SELECT x.indexrelid FROM pg_catalog.pg_index x WHERE x.indrelid = ANY (%(tables)s::oid[])
       UNION
       SELECT r.oid FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wished (schema, name)
         JOIN pg_catalog.pg_namespace rn ON rn.nspname = wished.schema
         JOIN pg_catalog.pg_class r ON r.relnamespace = rn.oid AND r.relname = wished.name)
"""

_INDEXABLE = {"r": "table", "m": "materialized view", "p": "partitioned table"}
_KINDS = {**_INDEXABLE, "v": "view", "f": "foreign table", "S": "sequence", "c": "composite type", "t": "TOAST table"}
_IDENTIFIER = r'(?:"(?:[^"]|"")*"|[^\s".]+)'
_DEFINITION = re.compile(
    rf"^CREATE (?P<unique>UNIQUE )?INDEX {_IDENTIFIER} ON (?:ONLY )?{_IDENTIFIER}\.{_IDENTIFIER} (?P<body>USING .*)$",
    re.DOTALL)

#: What to do about an error of the trial run, by SQLSTATE.
_REMEDIES = {
    "0A000": "Use a method that supports this, see pg_indexam_has_property().",
    "22023": "See the storage parameters of CREATE INDEX for this method.",
    "42501": "Grant TEMPORARY on the database and SELECT on the table to the login user, or log in as the owner.",
    "42601": "Correct the SQL of where and expression.",
    "42704": "List the extension that provides it under extensions, or correct the name.",
    "42883": "Create the function, or correct its name or its arguments' types.",
    "42P17": "Use only functions that are marked IMMUTABLE.",
}


@dataclass(frozen=True)
class Definition:
    """What makes two indexes on one table the same, in the server's own canonical words."""

    unique: bool
    body: str
    storage: tuple[str, ...] = ()
    tablespace: str = ""

    @classmethod
    def parse(cls, text: str, storage: Iterable[str] = (), tablespace: str = "") -> Definition:
        """Read the output of ``pg_get_indexdef`` (without its WITH clause), whatever the names are."""
        match = _DEFINITION.match(text)
        if not match:
            raise ValueError(f"not a definition as pg_get_indexdef() prints it: {text!r}")
        pairs = sorted(option.split("=", 1) for option in storage)
        return cls(bool(match["unique"]), match["body"], tuple(f"{key}={switch(value)}" for key, value in pairs),
                   tablespace)

    def text(self, schema: str, name: str, table: str) -> str:
        """Return the definition for people, as one line of a diff."""
        parts = [f"CREATE {'UNIQUE ' if self.unique else ''}INDEX {statements.identifier(name)}",
                 f"ON {statements.identifier(schema, table)} {self.body}"]
        if self.storage:
            parts.append(f"WITH ({', '.join(self.storage)})")
        if self.tablespace:
            parts.append(f"TABLESPACE {statements.identifier(self.tablespace)}")
        return " ".join(parts)


@dataclass(frozen=True)
class Index:
    """An index that is there. ``definition`` is None when the name belongs to something that is no index."""

    schema: str
    name: str
    kind: str
    table: str
    valid: bool
    definition: Definition | None
    size_bytes: int
    scans: int | None
    comment: str | None
    needed_by: str
    builder_pid: int | None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Index:
        """Read one row of ``INDEXES``."""
        definition = None
        if row["kind"] in ("i", "I"):
            definition = Definition.parse(row["definition"], row["storage"], row["tablespace"])
        return cls(row["schema"], row["name"], _KINDS.get(row["kind"], "index"), row["table"] or "",
                   bool(row["valid"]), definition, row["size_bytes"] or 0, row["scans"], row["comment"],
                   row["needed_by"], row["builder_pid"])

    def text(self) -> str:
        """Return the definition for people."""
        return self.definition.text(self.schema, self.name, self.table) if self.definition else ""


@dataclass
class Catalogue:
    """Everything that the plan needs to know about the database."""

    tables: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    indexes: dict[tuple[str, str], Index] = field(default_factory=dict)
    wanted: dict[int, Definition] = field(default_factory=dict)
    missing_extensions: list[str] = field(default_factory=list)


def read(db: Database, wishes: Sequence[Wish], extensions: Sequence[str],
         concurrently: bool) -> tuple[Catalogue, list[Problem]]:
    """Read what is there, and have the server make each wish canonical. Nothing is changed.

    :returns: the catalogue, and every reason why a wish cannot be fulfilled.
    """
    catalogue = Catalogue()
    places = sorted({(wish.schema, wish.table) for wish in wishes if wish.present})
    rows = db.rows(TABLES, schemas=[schema for schema, _name in places], names=[name for _schema, name in places])
    catalogue.tables = {(row["schema"], row["name"]): row for row in rows}
    names = [(wish.schema, name) for wish in wishes
             for name in (wish.name, *(statements.replacement_name(wish.name, suffix) for suffix in ("new", "old")))]
    rows = db.rows(INDEXES, tables=[row["oid"] for row in catalogue.tables.values()],
                   schemas=[schema for schema, _name in names], names=[name for _schema, name in names])
    catalogue.indexes = {(row["schema"], row["name"]): Index.from_row(row) for row in rows}
    catalogue.missing_extensions, problems = _extensions(db, extensions)
    good = []
    for wish in wishes:
        if wish.present:
            found = _table_problems(wish, catalogue, concurrently)
            problems += found
            good += [] if found else [wish]
    if good and not any(problem.label == "extensions" for problem in problems):
        problems += _try(db, good, catalogue)
    return catalogue, problems


def _extensions(db: Database, names: Sequence[str]) -> tuple[list[str], list[Problem]]:
    rows = db.rows("SELECT name, installed_version IS NOT NULL AS installed FROM pg_catalog.pg_available_extensions"
                   " WHERE name = ANY (%(names)s::text[])", names=list(names))
    installed = {row["name"]: row["installed"] for row in rows}
    problems = [
        Problem("extensions", name, name, "an extension that the server has",
                "Install its package on the database host (Debian: postgresql-contrib or postgresql-NN-name).")
        for name in names if name not in installed
    ]
    return [name for name in names if installed.get(name) is False], problems


def _table_problems(wish: Wish, catalogue: Catalogue, concurrently: bool) -> list[Problem]:
    table = catalogue.tables.get((wish.schema, wish.table))
    full_name = f"{wish.schema}.{wish.table}"
    if table is None:
        return [Problem(wish.label, "table", full_name, "a table of this database",
                        "Create the table first, or correct table, schema or login_db.")]
    if table["kind"] not in _INDEXABLE:
        return [Problem(wish.label, "table", full_name, "a table or materialized view",
                        f"It is a {_KINDS.get(table['kind'], 'relation of another kind')}.")]
    if table["kind"] == "p" and concurrently:
        return [Problem(wish.label, "table", full_name, "a table that is not partitioned",
                        "PostgreSQL cannot build on it concurrently: set concurrently: false, or wish the indexes "
                        "of its partitions.")]
    columns = [(f"columns[{number}]", key.column) for number, key in enumerate(wish.keys) if key.column]
    columns += [(f"include[{number}]", column) for number, column in enumerate(wish.include)]
    return [
        Problem(wish.label, place, column, f"a column of {full_name}", _suggestion(column, table["columns"]))
        for place, column in columns if column not in table["columns"]
    ]


def _suggestion(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3)
    return f"Did you mean {' or '.join(near)}?" if near else f"It has {', '.join(names)}."


def _try(db: Database, wishes: Sequence[Wish], catalogue: Catalogue) -> list[Problem]:
    """Build each wish on an empty temporary copy of its table, read what the server made of it, undo it all.

    The copies are invisible to others, the real tables are locked against changes of their columns only
    (ACCESS SHARE), and the transaction is rolled back: it works in check mode and costs about a millisecond a wish.
    """
    places = sorted({(wish.schema, wish.table) for wish in wishes})
    clones = {place: f"evenkeel_clone_{number}" for number, place in enumerate(places)}
    problems = []
    with db.undone():
        # A temporary index goes to temp_tablespaces where a real one goes to default_tablespace.
        db.rows("SELECT pg_catalog.set_config('temp_tablespaces', pg_catalog.current_setting('default_tablespace'),"
                " true)")
        for name in catalogue.missing_extensions:
            db.run(statements.create_extension(name))
        failed = {place: _attempt(db, f"CREATE TEMPORARY TABLE {clone} (LIKE {statements.identifier(*place)})")
                  for place, clone in clones.items()}
        for wish in wishes:
            place = (wish.schema, wish.table)
            trial = statements.create_index(wish, _trial_name(wish), f"pg_temp.{clones[place]}")
            error = failed[place] or _attempt(db, trial)
            if error:
                problems.append(Problem(wish.label, "definition", statements.create_index(wish),
                                        f"an index that the server accepts ({error.primary})",
                                        error.remedy or _REMEDIES.get(error.sqlstate, "")))
        oids = db.rows("SELECT oid FROM pg_catalog.pg_class WHERE relname = ANY (%(names)s::text[])"
                       " AND relnamespace = pg_catalog.pg_my_temp_schema()", names=list(clones.values()))
        rows = db.rows(INDEXES, tables=[row["oid"] for row in oids], schemas=[], names=[])
    trials = {row["name"]: Index.from_row(row).definition for row in rows}
    for wish in wishes:
        definition = trials.get(_trial_name(wish))
        if definition:
            catalogue.wanted[wish.position] = definition
    return problems


def _attempt(db: Database, sql: str) -> SqlError | None:
    db.run("SAVEPOINT attempt")
    try:
        db.run(sql)
    except SqlError as error:
        db.run("ROLLBACK TO SAVEPOINT attempt")
        return error
    finally:
        db.run("RELEASE SAVEPOINT attempt")
    return None


def _trial_name(wish: Wish) -> str:
    return f"evenkeel_wish_{wish.position}"
