# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.observation import judge_version, version_of
from hypothesis import given
from hypothesis import strategies as st


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
