# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Templates: values land where they are named, whatever they hold, and what is no template stays as it is."""

from __future__ import annotations

import json

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.template import (
    Reference,
    as_text,
    compiled,
    references,
    split,
)
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}(\.[A-Za-z_][A-Za-z0-9_-]{0,5})?", fullmatch=True)
VALUES = st.text() | st.integers() | st.booleans() | st.none() | st.lists(st.integers())
PARTS = st.lists(st.text() | NAMES.map(Reference))


def escaped(text):
    return text.replace("${", "$${")


def written(part):
    return f"${{{part}}}" if isinstance(part, Reference) else escaped(part)


@given(st.text())
def test_escaped_text_is_itself_again(text):
    assert compiled(escaped(text), "path", as_text)({}) == text


@given(PARTS, st.dictionaries(NAMES, VALUES))
def test_every_reference_becomes_its_value_and_all_else_stays(parts, values):
    values.update({part: values.get(part, 7) for part in parts if isinstance(part, Reference)})
    plain = [part if isinstance(part, Reference) else part.replace("$", "€") for part in parts]
    expected = "".join(as_text(values[part]) if isinstance(part, Reference) else part for part in plain)
    text = "".join(map(written, plain))
    assert compiled(text, "path", as_text)(values) == expected
    assert [name for dummy, name in references(text, "")] == [part for part in plain if isinstance(part, Reference)]


@given(VALUES)
def test_a_lone_reference_keeps_its_type_and_a_value_is_never_read_as_a_template(value):
    assert compiled({"a": ["${x}"]}, "body")({"x": value}) == {"a": [value]}
    assert compiled("${x}", "body")({"x": "${x}"}) == "${x}"


def test_keys_lists_and_mappings():
    render = compiled({"${k}": ["${n}", "no. ${n}", 5, None, {"deep": "${n}"}]}, "body")
    assert render({"k": True, "n": 7}) == {"true": [7, "no. 7", 5, None, {"deep": 7}]}


@pytest.mark.parametrize(("value", "text"), [
    ("é", "é"), (7, "7"), (True, "true"), (None, "null"), ({"a": ["é"]}, '{"a": ["é"]}')])
def test_values_within_text(value, text):
    assert as_text(value) == text
    assert isinstance(value, str) or json.loads(text) == value


def test_where_a_variable_is_named():
    spec = {"headers": {"X": "${a}"}, "body": ["", {"b": "${c}"}]}
    assert list(references(spec, "steps[0]")) == [("steps[0].headers.X", "a"), ("steps[0].body[1].b", "c")]


@pytest.mark.parametrize("text", ["${", "a ${b", "${}", "${a b}", "${1}", "${a.}", "${a.b.c}", "${${a}}"])
def test_a_malformed_reference_is_an_error_that_shows_a_right_one(text):
    with pytest.raises(InputError, match=r"scenarios\[0\].steps\[1\].path: expected .* Example: ") as caught:
        split(text, "scenarios[0].steps[1].path")
    assert caught.value.field == "scenarios[0].steps[1].path"
