# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The estimate of an index's size."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.evidence import btree_bytes


@pytest.mark.parametrize(("rows", "width", "fillfactor", "measured"), [
    # pg_relation_size() of PostgreSQL 15: unique integers, unique bigints with a timestamp
    (1_000_000, 4, 90, 22_487_040),
    (1_000_000, 16, 90, 31_522_816),
    (1_000_000, 4, 50, 40_722_432),
])
def test_close_to_what_postgres_makes(rows, width, fillfactor, measured):
    assert btree_bytes(rows, width, fillfactor) == pytest.approx(measured, rel=0.03)


def test_an_empty_index_has_one_page():
    assert btree_bytes(0, 8) == 8192
