# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON pointers reach every place of a document, and nothing else."""

from __future__ import annotations

import json

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.pointer import resolve, same
from hypothesis import given
from hypothesis import strategies as st

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)

#: The document and the pointers of RFC 6901, section 5.
DOCUMENT = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7,
            "m~n": 8}


def places(document, pointer=""):
    """Yield every pointer into a document with what it points at."""
    yield pointer, document
    children = enumerate(document) if isinstance(document, list) else ()
    items = document.items() if isinstance(document, dict) else children
    for key, value in items:
        yield from places(value, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")


@given(JSON)
def test_every_place_is_reached(document):
    for pointer, value in places(document):
        assert resolve(document, pointer) is value


@pytest.mark.parametrize(("pointer", "value"), [
    ("", DOCUMENT), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2), ("/e^f", 3),
    ("/g|h", 4), ("/i\\j", 5), ("/k\"l", 6), ("/ ", 7), ("/m~0n", 8),
])
def test_the_examples_of_the_rfc(pointer, value):
    assert resolve(DOCUMENT, pointer) == value


@given(JSON, st.text())
def test_what_is_not_there_is_a_lookup_error_and_nothing_else(document, pointer):
    there = dict(places(document))
    if pointer in there:
        assert resolve(document, pointer) is there[pointer]
    else:
        with pytest.raises(LookupError):
            resolve(document, pointer)


@pytest.mark.parametrize("pointer", ["foo", "/foo/2", "/foo/-1", "/foo/00", "/foo/²", "/foo/", "/foo/0/x", "/nothing"])
def test_pointers_at_nothing(pointer):
    with pytest.raises(LookupError):
        resolve(DOCUMENT, pointer)


@given(JSON)
def test_a_value_is_the_same_as_itself_and_its_text(value):
    assert same(value, value)
    assert same(value, str(value))
    assert isinstance(value, str) or same(value, json.dumps(value))


@pytest.mark.parametrize(("value", "wanted"), [(True, 1), (0, False), ("true", True), (1, "2"), (None, ""), ("1", 1)])
def test_values_that_differ(value, wanted):
    assert not same(value, wanted)
