# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hooks: what is wrong with a declaration, and what came of one."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.declared import hooks


@pytest.mark.parametrize(("declared", "problem"), [
    ({"sometime": []}, "rollout_hooks: expected phases out of before_stage"),
    ({"before_stage": {}}, "rollout_hooks.before_stage: expected a list"),
    ({"before_stage": ["true"]}, "rollout_hooks.before_stage[0]: expected name and command"),
    ({"before_stage": [{"name": "x", "cmd": "s3cret"}]}, "rollout_hooks.before_stage[0]: expected name and command"),
    ({"after_commit": [{"name": "x", "command": " "}]}, "rollout_hooks.after_commit[0].command: expected"),
    ({"after_commit": [{"name": "x", "command": "x", "where": "moon"}]}, "rollout_hooks.after_commit[0].where: exp"),
    ({"after_commit": [{"name": "x", "command": "x", "timeout_s": 0}]}, "rollout_hooks.after_commit[0].timeout_s: exp"),
    ({"after_commit": [{"name": "x", "command": "x", "timeout_s": "long"}]}, "rollout_hooks.after_commit[0].timeout_s"),
])
def test_declarations_that_mean_nothing(declared, problem):
    (found,) = hooks.problems(declared)
    assert found.startswith(problem)
    assert "s3cret" not in found


def test_the_longest_phase():
    declared = {"before_switch": [{"name": "a", "command": "x"}, {"name": "b", "command": "x", "timeout_s": 60}],
                "after_commit": [{"name": "c", "command": "x", "timeout_s": 80}]}
    assert not list(hooks.problems(declared))
    assert hooks.longest_s(declared) == ("before_switch", 90.0)
    assert hooks.longest_s({})[1] == 0


HOOK = {"name": "warm", "command": "x"}


def test_every_host_that_ran_it_is_recorded_and_every_failure_told():
    results = {"app1": {"rc": 0},
               "app2": {"rc": 3, "stdout_lines": ["one"], "stderr_lines": ["two", " why ", "  ^ ", " "]},
               "app3": {"unreachable": True}, "app4": {"rc": 124}, "app5": {"skipped": True}}
    found = hooks.outcome(results, HOOK, "before_switch")
    assert [(one["host"], one["rc"]) for one in found["records"]] == [
        ("app1", 0), ("app2", 3), ("app3", None), ("app4", 124)]
    assert found["failures"] == [
        "hook warm of before_switch failed on app2: rc 3: why",
        "hook warm of before_switch failed on app3: it does not answer",
        "hook warm of before_switch failed on app4: it took longer than 30 s"]


def test_a_hook_that_ran_nowhere_failed():
    assert hooks.outcome({"app1": {"skipped": True}}, HOOK, "before_switch")["failures"] == [
        "hook warm of before_switch did not run: nobody who had to answers"]
    assert hooks.outcome({}, HOOK, "before_switch")["failures"]


def test_other_commands_and_the_controller_have_their_names():
    assert hooks.outcome({"db1": {"rc": 1}}, {"name": "add"}, "migration")["failures"] == [
        "migration add failed on db1: rc 1"]
    found = hooks.outcome({"app1": {"rc": 1}}, {**HOOK, "where": "controller"}, "before_stage")
    assert "on the controller" in found["failures"][0]
