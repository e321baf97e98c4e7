# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.observation import judge_version, version_of
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.pointer import resolve
from hypothesis import given
from hypothesis import strategies as st

# The document and the results of RFC 6901, section 5.
DOCUMENT = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("", DOCUMENT), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2), ("/e^f", 3),
     ("/g|h", 4), ("/i\\j", 5), ('/k"l', 6), ("/ ", 7), ("/m~0n", 8)],
)  # fmt: skip
def test_examples_of_rfc_6901(pointer, value):
    assert resolve(DOCUMENT, pointer) == value


@pytest.mark.parametrize("pointer", ["foo", "/foo/2", "/foo/00", "/foo/-", "/foo/bar", "/none", "/foo/0/x"])
def test_a_pointer_at_nothing_is_an_error(pointer):
    with pytest.raises(LookupError):
        resolve(DOCUMENT, pointer)


KEYS = st.text(max_size=6)
TREES = st.recursive(st.integers(), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)


def leaves(tree, pointer=""):
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else []
    yield pointer, tree
    for key, value in items:
        yield from leaves(value, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")


@given(TREES)
def test_every_part_of_a_document_has_a_pointer(tree):
    for pointer, value in leaves(json.loads(json.dumps(tree))):
        assert resolve(tree, pointer) == value


@pytest.mark.parametrize(
    ("text", "version"),
    [("HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/", (2, 6, 12)),
     ("20.10.24+dfsg1", (20, 10, 24)),
     ("2.26.1-4", (2, 26, 1)), ("15.20 (Debian 15.20-0+deb12u1)", (15, 20)), ("v7", (7,)), ("none", ())],
)  # fmt: skip
def test_versions_as_servers_print_them(text, version):
    assert version_of(text) == version


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4), st.lists(st.integers(0, 99), min_size=1, max_size=4))
def test_versions_compare_by_number_not_by_letter(found, minimum):
    good = judge_version("Tool", ".".join(map(str, found)), ".".join(map(str, minimum))) is None
    assert good == (found >= minimum)


def test_an_unreadable_version_is_too_old():
    assert judge_version("Tool", "", "1").output == "no version"
