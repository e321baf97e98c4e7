# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wishes: what no server could accept is found without one, and all of it at once."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.wish import Key, WishError, read_wishes


def wrong(*entries):
    """Return the problems that reading these entries finds: (label, field) and the whole message."""
    with pytest.raises(WishError) as caught:
        read_wishes(entries)
    return [(problem["label"], problem["field"]) for problem in caught.value.details["problems"]], str(caught.value)


def test_a_column_name_is_a_key():
    wish = read_wishes([{"name": "i", "table": "t", "columns": ["a"]}])[0]
    assert wish.keys == (Key(column="a"),)
    assert (wish.schema, wish.method, wish.unique, wish.comment) == ("public", "btree", False, None)


def test_choices_are_read_in_any_case():
    wish = read_wishes([{"name": "i", "table": "t", "columns": [{"column": "a", "order": "DESC", "nulls": "Last"}]}])[0]
    assert wish.keys == (Key(column="a", order="desc", nulls="last"),)


def test_storage_parameters_have_one_order_and_one_spelling():
    first, second = (
        read_wishes([{"name": "i", "table": "t", "columns": ["a"], "storage": storage}])[0].storage
        for storage in ({"fillfactor": 70, "deduplicate_items": False},
                        {"deduplicate_items": "off", "fillfactor": "70"})
    )
    assert first == second == (("deduplicate_items", "off"), ("fillfactor", "70"))


def test_an_absent_index_needs_its_name_only():
    wish = read_wishes([{"name": "i", "state": "absent"}])[0]
    assert not wish.present


def test_all_problems_are_named_at_once():
    found, message = wrong(
        {"name": "", "table": "t", "columns": ["a"]},
        {"name": "x" * 64, "table": "t", "columns": ["a"]},
        {"name": "hash", "table": "t", "columns": ["a"], "method": "hash", "unique": True},
        {"name": "none", "table": "t", "columns": []},
        {"name": "no_table", "columns": ["a"]},
        {"name": "keys", "table": "t", "columns": [
            {"column": "a", "expression": "b"}, {"order": "desc"}, {"column": "a", "order": "up"},
            {"column": "a", "sort": "desc"}, 7]},
    )
    assert found == [
        ('indexes[0] ""', "name"),
        (f'indexes[1] "{"x" * 64}"', "name"),
        ('indexes[2] "hash"', "unique"),
        ('indexes[3] "none"', "columns"),
        ('indexes[4] "no_table"', "table"),
        ('indexes[5] "keys"', "columns[0]"),
        ('indexes[5] "keys"', "columns[1]"),
        ('indexes[5] "keys"', "columns[2].order"),
        ('indexes[5] "keys"', "columns[3]"),
        ('indexes[5] "keys"', "columns[4]"),
    ]
    assert "at most 63 bytes (found 64)" in message
    assert "nothing was changed" in message


def test_bytes_count_not_characters():
    assert read_wishes([{"name": "ä" * 31, "table": "t", "columns": ["a"]}])
    assert wrong({"name": "ä" * 32, "table": "t", "columns": ["a"]})[0] == [(f'indexes[0] "{"ä" * 32}"', "name")]


def test_a_name_occurs_once_per_schema():
    found, message = wrong({"name": "i", "table": "t", "columns": ["a"]}, {"name": "i", "state": "absent"})
    assert [label for label, _field in found] == ['indexes[0] "i"', 'indexes[1] "i"']
    assert "listed 2 times" in message
    assert read_wishes([{"name": "i", "table": "t", "columns": ["a"]},
                        {"name": "i", "schema": "other", "table": "t", "columns": ["a"]}])


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_the_server_cannot_store(text):
    assert wrong({"name": text, "table": "t", "columns": ["a"]})[0][0][1] == "name"
    assert wrong({"name": "i", "table": "t", "columns": ["a"], "where": text})[0][0][1] == "where"
