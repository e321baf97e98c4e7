# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A common start is handed over on the clock of the load host, which is not the controller's."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

pytest.importorskip("ansible.errors", reason="needs ansible-core")

from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.evenkeel.fleet.plugins.action.load_probe import ActionModule

pytestmark = pytest.mark.controller

START_AT = 1_900_000_000.25


class OnAnotherClock(ActionModule):
    """The action with a host whose clock is ``ahead_s`` ahead, and which says ``garbled`` when that is set."""

    ahead_s = 0.0
    garbled = ""

    def _low_level_execute_command(self, cmd, **_options):
        assert cmd == "date +%s.%N"
        return {"stdout": self.garbled or f"{time.time() + self.ahead_s:.9f}\n", "stderr": ""}

    def _execute_module(self, module_args, **_options):
        self.handed = module_args
        return {"verdict": "pass", "samples": {}}


def action_for(check_mode=False, **arguments):
    task = Task()
    task.args = {"target": "http://127.0.0.1", **arguments}
    task.check_mode = check_mode
    shell = SimpleNamespace(tmpdir="/nowhere", env_prefix=lambda **_environment: "")
    loader = DataLoader()
    return OnAnotherClock(task, SimpleNamespace(_shell=shell), PlayContext(), loader, Templar(loader=loader))


@pytest.mark.parametrize("ahead_s", [5.0, -5.0])
@pytest.mark.parametrize("start_at", [START_AT, str(START_AT)])
def test_the_host_starts_when_its_own_clock_says_so(ahead_s, start_at):
    action = action_for(start_at=start_at)
    action.ahead_s = ahead_s
    clock = action.run(task_vars={})["samples"]["clock"]
    bound_s = clock["uncertainty_ms"] / 1000 + 1e-5
    assert bound_s < 2
    assert action.handed == {"target": "http://127.0.0.1", "start_at": pytest.approx(START_AT + ahead_s, abs=bound_s)}
    assert clock["offset_ms"] / 1000 == pytest.approx(ahead_s, abs=bound_s)


@pytest.mark.parametrize(("arguments", "check_mode"), [({}, False), ({"start_at": START_AT}, True)])
def test_without_a_start_to_keep_no_clock_is_read(arguments, check_mode):
    action = action_for(check_mode, **arguments)
    action.garbled = "not asked for"
    assert action.run(task_vars={})["samples"] == {}
    assert action.handed == {"target": "http://127.0.0.1", **arguments}


def test_a_host_without_gnu_date_is_told_so():
    action = action_for(start_at=START_AT)
    action.garbled = "1900000000.%N"
    with pytest.raises(AnsibleActionFail, match=r"found '1900000000\.%N'\. A common start needs GNU date"):
        action.run(task_vars={})
