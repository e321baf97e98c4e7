# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Grades: the worse of waiting and errors; never one for what is not known."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.grade import grade


@pytest.mark.parametrize(("verdict", "p95", "errors", "letter"), [
    ("pass", 20, 0, "A"), ("pass", 100, 0.0001, "A"), ("pass", 101, 0, "B"), ("pass", 20, 0.0005, "B"),
    ("pass", 20, 0.01, "C"), ("pass", 2999, 0, "D"), ("pass", 9000, 0.05, "E"), ("pass", 20, 0.11, "F"),
    ("pass", 10_001, 0, "F"), ("fail", 20, 0, "D"), ("fail", 20, 0.2, "F"), ("inconclusive", 20, 0, None),
    ("fail", None, 1.0, "F"), ("pass", None, None, None),
])
def test_grades(verdict, p95, errors, letter):
    assert grade(verdict, {"p95_ms": p95, "error_rate": errors}) == letter
