# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recovery after a spike."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.recovery import Normal, recovery_s

NORMAL = Normal(p95_ms=10.0, error_rate=0.001, factor=2.0)


def row(p95_ms, errors=0, requests=100):
    return {"p95_ms": p95_ms, "errors": errors, "requests": requests}


def series(rows, width_s=1):
    return [{**one, "t_s": place * width_s} for place, one in enumerate(rows)]


@pytest.mark.parametrize(("rows", "expected"), [
    ([row(10)] * 3, 0),
    ([row(300), row(90), row(19), row(20), row(11)], 2),
    ([row(12), row(12), row(50), row(12), row(12), row(12)], 3),
    ([row(12, errors=5), row(12, errors=1), row(12), row(12)], 1),
    ([row(None, requests=0), row(12), row(12), row(12)], 1),
    ([row(None, errors=100), row(12), row(12), row(12)], 1),
    ([row(300)] * 10, None),
    ([row(10)] * 2, None),
    ([], None),
], ids=["at-once", "later", "relapse", "errors", "silence", "refused", "never", "too-short", "nothing"])
def test_it_is_when_three_seconds_in_a_row_are_normal_again(rows, expected):
    assert recovery_s(NORMAL, series(rows)) == expected


def test_a_very_fast_service_may_be_a_millisecond_slower():
    fast = Normal(p95_ms=0.1, error_rate=0.0, factor=2.0)
    assert recovery_s(fast, series([row(1.0)] * 3)) == 0
    assert recovery_s(fast, series([row(1.2)] * 3)) is None


def test_the_error_rate_before_counts_with_its_factor():
    failing = Normal(p95_ms=10.0, error_rate=0.04, factor=2.0)
    assert recovery_s(failing, series([row(10, errors=8)] * 3)) == 0
    assert recovery_s(failing, series([row(10, errors=9)] * 3)) is None


def test_rows_may_be_wider_than_a_second():
    assert recovery_s(NORMAL, series([row(300), row(12), row(12), row(12)], width_s=4)) == 4
