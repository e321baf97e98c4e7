# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Definitions: two indexes are the same when the server's own words for them are."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.catalogue import Definition
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.statements import identifier
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)
BODY = "USING btree (lower(email)) INCLUDE (id) WHERE (state = 'CREATE INDEX x ON y.z USING gin (a)'::text)"


@pytest.mark.parametrize("text", [
    # recorded from pg_get_indexdef() of PostgreSQL 15
    f"CREATE INDEX plain ON public.customers {BODY}",
    f'CREATE INDEX "wei""rd %s Ünd ON a.b USING c" ON public."cus.tomers" {BODY}',
    f"CREATE INDEX evenkeel_wish_0 ON pg_temp.evenkeel_clone_0 {BODY}",
    f"CREATE INDEX parent ON ONLY public.partitioned {BODY}",
])
def test_names_do_not_matter(text):
    assert Definition.parse(text) == Definition(unique=False, body=BODY)


def test_uniqueness_matters():
    assert Definition.parse(f"CREATE UNIQUE INDEX i ON s.t {BODY}") == Definition(unique=True, body=BODY)


@given(NAMES, NAMES, NAMES)
def test_any_quoted_name_is_skipped(index, schema, table):
    text = f"CREATE INDEX {identifier(index)} ON {identifier(schema, table)} {BODY}"
    assert Definition.parse(text).body == BODY


def test_storage_is_compared_without_order_and_with_one_spelling():
    text = f"CREATE INDEX i ON s.t {BODY}"
    assert Definition.parse(text, ["fillfactor=70", "deduplicate_items=false"]) == \
        Definition.parse(text, ["deduplicate_items=off", "fillfactor=70"])
    assert Definition.parse(text, ["fillfactor=70"]) != Definition.parse(text, ["fillfactor=71"])


def test_the_tablespace_matters():
    text = f"CREATE INDEX i ON s.t {BODY}"
    assert Definition.parse(text, tablespace="fast") != Definition.parse(text)


def test_another_text_is_refused():
    with pytest.raises(ValueError, match="not a definition"):
        Definition.parse("CREATE TABLE t (a int)")


def test_text_for_people():
    definition = Definition(True, "USING btree (a)", ("fillfactor=70",), "fast")
    assert definition.text("public", 'a"b', "t") == (
        'CREATE UNIQUE INDEX "a""b" ON "public"."t" USING btree (a) WITH (fillfactor=70) TABLESPACE "fast"')
