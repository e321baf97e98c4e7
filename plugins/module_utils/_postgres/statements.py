# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SQL text: quoting and statement builders. Names are always quoted; where and expression are SQL by contract."""

from __future__ import annotations

import hashlib

from .wish import MAX_NAME_BYTES, Key, Wish


def identifier(*parts: str) -> str:
    """Return a quoted, possibly qualified name: ``identifier("public", 'a"b')`` is ``"public"."a""b"``."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(text: str) -> str:
    """Return a quoted text, right whatever ``standard_conforming_strings`` is."""
    quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'"
    return f"E{quoted}" if "\\" in text else quoted


def replacement_name(name: str, suffix: str) -> str:
    """Return the name that an index has while it replaces, or is replaced by, another.

    It is derived from ``name`` alone, so that the next run finds what an interrupted one left behind.
    """
    tail = f"_{hashlib.sha256(name.encode()).hexdigest()[:8]}_{suffix}"
    head = name.encode()[: MAX_NAME_BYTES - len(tail)].decode(errors="ignore")
    return head + tail


def key_sql(key: Key) -> str:
    """Return one key as CREATE INDEX expects it."""
    words = [_term(key)]
    if key.collation:
        words.append(f"COLLATE {identifier(key.collation)}")
    if key.opclass:
        words.append(identifier(*key.opclass.split(".", 1)))
    if key.order:
        words.append(key.order.upper())
    if key.nulls:
        words.append(f"NULLS {key.nulls.upper()}")
    return " ".join(words)


def create_index(wish: Wish, name: str = "", table: str = "", concurrently: bool = False) -> str:
    """Return CREATE INDEX for a wish.

    :arg name: another name than the wished one.
    :arg table: another table than the wished one, quoted and qualified.
    """
    words = ["CREATE UNIQUE INDEX" if wish.unique else "CREATE INDEX"]
    if concurrently:
        words.append("CONCURRENTLY")
    words += [identifier(name or wish.name), "ON", table or identifier(wish.schema, wish.table),
              "USING", identifier(wish.method), f"({', '.join(key_sql(key) for key in wish.keys)})"]
    if wish.include:
        words.append(f"INCLUDE ({', '.join(identifier(column) for column in wish.include)})")
    if wish.storage:
        words.append(f"WITH ({', '.join(f'{identifier(key)} = {literal(value)}' for key, value in wish.storage)})")
    if wish.tablespace:
        words.append(f"TABLESPACE {identifier(wish.tablespace)}")
    if wish.where:
        words.append(f"WHERE ({wish.where})")
    return " ".join(words)


def drop_index(schema: str, name: str, concurrently: bool = False) -> str:
    """Return DROP INDEX."""
    return f"DROP INDEX {'CONCURRENTLY ' if concurrently else ''}{identifier(schema, name)}"


def rename_index(schema: str, name: str, to: str) -> str:
    """Return ALTER INDEX … RENAME; it locks out other schema changes only, no reads or writes."""
    return f"ALTER INDEX {identifier(schema, name)} RENAME TO {identifier(to)}"


def comment_on_index(schema: str, name: str, text: str) -> str:
    """Return COMMENT ON INDEX; an empty text removes the comment."""
    return f"COMMENT ON INDEX {identifier(schema, name)} IS {literal(text) if text else 'NULL'}"


def create_extension(name: str) -> str:
    """Return CREATE EXTENSION, with the extensions that it needs."""
    return f"CREATE EXTENSION IF NOT EXISTS {identifier(name)} CASCADE"


def analyze(schema: str, table: str) -> str:
    """Return ANALYZE for one table."""
    return f"ANALYZE {identifier(schema, table)}"


def duplicates(wish: Wish) -> str:
    """Return the query that finds the rows which keep a unique index from being built."""
    keys = ", ".join(_term(key) for key in wish.keys)
    return f"SELECT {keys}, count(*) FROM {_source(wish)} GROUP BY {keys} HAVING count(*) > 1"


def explain_content(wish: Wish) -> str:
    """Return the query whose plan says how many rows of which width an index will hold."""
    content = ", ".join([*(_term(key) for key in wish.keys), *(identifier(column) for column in wish.include)])
    return f"EXPLAIN (FORMAT JSON) SELECT {content} FROM {_source(wish)}"


def _term(key: Key) -> str:
    return identifier(key.column) if key.column else f"({key.expression})"


def _source(wish: Wish) -> str:
    where = f" WHERE ({wish.where})" if wish.where else ""
    return identifier(wish.schema, wish.table) + where
