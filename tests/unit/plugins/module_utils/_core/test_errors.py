# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError


def test_failure_payload_has_message_remedy_and_details():
    error = FleetError("HAProxy did not answer.", "Start it.", cmd=["show", "stat"], rc=1)
    assert error.to_failure() == {"msg": "HAProxy did not answer. Start it.", "cmd": ["show", "stat"], "rc": 1}


def test_message_without_remedy_ends_without_a_blank():
    assert str(FleetError("It stopped.")) == "It stopped."


def test_input_error_names_field_value_and_example():
    error = InputError("duration_s", "soon", "a number of seconds", "30")
    assert str(error) == "duration_s: expected a number of seconds, found 'soon'. Example: 30"
    assert (error.field, error.value) == ("duration_s", "soon")


def test_input_error_is_caught_as_the_one_root():
    with pytest.raises(FleetError, match="found None"):
        raise InputError("target", None, "a URL")
