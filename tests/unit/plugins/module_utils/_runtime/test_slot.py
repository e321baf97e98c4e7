# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.slot import slot_from, slot_in_use

RUNS, ENDED = {"running": True, "status": "active"}, {"running": False, "status": "exited"}


@pytest.mark.parametrize(("slots", "committed", "used"), [
    ({"blue": [RUNS], "green": [ENDED]}, "green", "blue"),
    ({"blue": [ENDED], "green": [ENDED, RUNS]}, "", "green"),
    ({"blue": [ENDED], "green": [ENDED]}, "green", "green"),
    ({"blue": [ENDED]}, "", "blue"),
])
def test_the_slot_in_use_is_the_one_that_runs_or_that_should(slots, committed, used):
    assert slot_in_use("shop", {name: slot_from(ones) for name, ones in slots.items()}, lambda: committed) == used


@pytest.mark.parametrize(("slots", "found"), [
    ({}, "found: none."),
    ({"blue": [RUNS], "green": [RUNS]}, "found: blue active, green active."),
    ({"blue": [ENDED], "green": [ENDED]}, "found: blue exited, green exited."),
])
def test_what_is_not_certain_is_refused(slots, found):
    with pytest.raises(FleetError, match="Expected one slot of shop to be in use, ") as caught:
        slot_in_use("shop", {name: slot_from(ones) for name, ones in slots.items()}, lambda: "")
    assert found in caught.value.msg
