# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run


class Left(BaseException):
    """The module has ended, as AnsibleModule does by SystemExit."""

    def __init__(self, how: str, result: dict[str, Any]) -> None:
        self.how, self.result = how, result


class Module:
    """What ``run`` needs of an AnsibleModule."""

    def exit_json(self, **result: Any) -> None:
        raise Left("exit", result)

    def fail_json(self, **result: Any) -> None:
        raise Left("fail", result)


def left(function: Any, **arguments: Any) -> Left:
    with pytest.raises(Left) as caught:
        run(Module(), function, **arguments)
    return caught.value


def test_result_of_the_function_is_the_result_of_the_module():
    end = left(lambda value: {"changed": True, "value": value}, value=7)
    assert (end.how, end.result) == ("exit", {"changed": True, "value": 7})


@pytest.mark.parametrize(
    "error", [FleetError("No answer.", "Start it.", rc=2), InputError("vus", -1, "a positive number", "10")]
)
def test_a_fleet_error_becomes_a_failure_with_its_payload(error):
    def fail():
        raise error

    end = left(fail)
    assert (end.how, end.result) == ("fail", error.to_failure())


def test_another_exception_is_a_bug_and_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run(Module(), lambda: 1 // 0)
