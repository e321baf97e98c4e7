# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Statements: names are always quoted, whatever they hold."""

from __future__ import annotations

import re

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres import statements
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.wish import MAX_NAME_BYTES, read_wishes
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)


def create(**entry):
    concurrently = entry.pop("concurrently", False)
    return statements.create_index(read_wishes([{"name": "i", "table": "t", **entry}])[0], concurrently=concurrently)


@pytest.mark.parametrize(("entry", "expected"), [
    ({"columns": ["a", "b"]},
     'CREATE INDEX "i" ON "public"."t" USING "btree" ("a", "b")'),
    ({"columns": ["a"], "unique": True, "concurrently": True},
     'CREATE UNIQUE INDEX CONCURRENTLY "i" ON "public"."t" USING "btree" ("a")'),
    ({"columns": [{"expression": "lower(a)", "order": "desc", "nulls": "last"}]},
     'CREATE INDEX "i" ON "public"."t" USING "btree" ((lower(a)) DESC NULLS LAST)'),
    ({"columns": [{"column": "a", "collation": "C", "opclass": "ext.ops"}], "method": "gin", "schema": "s"},
     'CREATE INDEX "i" ON "s"."t" USING "gin" ("a" COLLATE "C" "ext"."ops")'),
    ({"columns": ["a"], "include": ["b"], "storage": {"fillfactor": 70}, "tablespace": "fast", "where": "a > 1"},
     'CREATE INDEX "i" ON "public"."t" USING "btree" ("a") INCLUDE ("b") WITH ("fillfactor" = \'70\')'
     ' TABLESPACE "fast" WHERE (a > 1)'),
])
def test_create_index(entry, expected):
    assert create(**entry) == expected


def test_drop_rename_comment():
    assert statements.drop_index("s", 'a"b') == 'DROP INDEX "s"."a""b"'
    assert statements.drop_index("s", "a", concurrently=True) == 'DROP INDEX CONCURRENTLY "s"."a"'
    assert statements.rename_index("s", "a", "b") == 'ALTER INDEX "s"."a" RENAME TO "b"'
    assert statements.comment_on_index("s", "a", "it's") == """COMMENT ON INDEX "s"."a" IS 'it''s'"""
    assert statements.comment_on_index("s", "a", "") == 'COMMENT ON INDEX "s"."a" IS NULL'


def test_the_query_for_duplicates_has_the_keys_and_the_predicate():
    wish = read_wishes([{"name": "i", "table": "t", "columns": ["a", {"expression": "lower(b)"}], "where": "c"}])[0]
    assert statements.duplicates(wish) == (
        'SELECT "a", (lower(b)), count(*) FROM "public"."t" WHERE (c) GROUP BY "a", (lower(b)) HAVING count(*) > 1')


def read_identifier(text):
    """Read a quoted identifier as PostgreSQL's lexer does."""
    match = re.fullmatch(r'"((?:[^"]|"")*)"', text, re.DOTALL)
    assert match
    return match.group(1).replace('""', '"')


def read_literal(text):
    """Read a text constant as PostgreSQL's lexer does."""
    match = re.fullmatch(r"(E?)'((?:[^']|'')*)'", text, re.DOTALL)
    assert match
    content = match.group(2).replace("''", "'")
    if not match.group(1):
        assert "\\" not in content
        return content
    assert not re.search(r"\\[^\\]", content.replace("\\\\", ""))
    return content.replace("\\\\", "\\")


@given(NAMES)
def test_an_identifier_reads_back(name):
    assert read_identifier(statements.identifier(name)) == name


@given(NAMES)
def test_a_literal_reads_back(text):
    assert read_literal(statements.literal(text)) == text


@given(NAMES, st.sampled_from(["new", "old"]))
def test_a_replacement_name_fits_and_is_stable(name, suffix):
    replacement = statements.replacement_name(name, suffix)
    assert len(replacement.encode()) <= MAX_NAME_BYTES
    assert replacement == statements.replacement_name(name, suffix) != name


def test_long_names_that_begin_alike_have_different_replacements():
    names = [("x" * 62) + letter for letter in "ab"]
    assert len({statements.replacement_name(name, "new") for name in names}) == 2
