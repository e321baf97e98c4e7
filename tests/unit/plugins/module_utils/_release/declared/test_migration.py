# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations: what is wrong with a declaration, and where an irreversible one is in the way."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.declared import migration
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.history import under_way
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.plan import rollback

HOSTS, INVENTORY = ["app1", "app2"], ["app1", "app2", "db1"]


@pytest.mark.parametrize(("rules", "problem"), [
    ({"name": "x"}, "rollout_migration: expected either command, compose or systemd"),
    ({"command": "x", "compose": ["x"]}, "rollout_migration: expected either command, compose or systemd"),
    ({"compose": ["x"], "systemd": ["x"]}, "rollout_migration: expected either command, compose or systemd"),
    ({"command": "x", "when": "now"}, "rollout_migration: expected either command, compose or systemd"),
    ({"command": "x", "host": "db9"}, "rollout_migration.host: expected a host of the inventory"),
    ({"compose": ["x"], "host": "db1"}, "rollout_migration.host: expected an app host that gets the release"),
    ({"compose": "manage.py migrate"}, "rollout_migration.compose: expected the words of a command"),
    ({"systemd": ["x"], "host": "db1"}, "rollout_migration.host: expected an app host that gets the release"),
    ({"systemd": []}, "rollout_migration.systemd: expected the words of a command"),
    ({"command": "x", "irreversible": "perhaps"}, "rollout_migration.irreversible: expected true or false"),
    ({"command": "x", "timeout_s": -1}, "rollout_migration.timeout_s: expected seconds"),
])
def test_declarations_that_mean_nothing(rules, problem):
    runtime = "systemd" if "systemd" in rules else "compose"
    (found,) = migration.problems(rules, HOSTS, INVENTORY, runtime)
    assert found.startswith(problem)


@pytest.mark.parametrize("rules", [{}, {"command": "x"}, {"command": "x", "host": "db1", "irreversible": True},
                                   {"compose": ["x"], "host": "app2", "timeout_s": 5}, {"systemd": ["x"]}])
def test_declarations_that_are_fine(rules):
    assert not list(migration.problems(rules, HOSTS, INVENTORY, "systemd" if "systemd" in rules else "compose"))


@pytest.mark.parametrize(("kind", "runtime"), [("compose", "systemd"), ("systemd", "compose")])
def test_a_command_of_another_runtime_is_refused(kind, runtime):
    (found,) = migration.problems({kind: ["x"]}, HOSTS, INVENTORY, runtime)
    assert found.startswith(f"rollout_migration: expected command or {runtime}, as release_runtime says")


def test_the_plan_fills_in_what_is_not_said():
    assert migration.planned({}, HOSTS, "shop") == {}
    assert migration.planned({"command": "x"}, [], "shop") == {}
    found = migration.planned({"command": "x", "host": ""}, HOSTS, "shop")
    assert found.pop("alone")[0] == "flock"
    assert found == {"name": "migration", "command": "x", "host": "app1", "irreversible": False, "timeout_s": 600.0}


def alone(tmp_path, wait_s):
    """The words of the plan, with a lock in a directory of this test."""
    words = migration.planned({"command": "x", "timeout_s": wait_s}, HOSTS, "shop")["alone"]
    assert words[-1] == "/run/evenkeel-shop-migration.lock"
    return [*words[:-1], str(tmp_path / "lock")]


def test_the_next_one_waits_for_the_end_of_one_whose_parent_is_gone(tmp_path):
    log = tmp_path / "log"
    work = f"echo begin >> {log}; sleep 0.5; echo end >> {log}"
    orphan = ["sh", "-c", 'setsid "$@" & while [ ! -e "$0" ]; do sleep 0.01; done', str(log)]
    subprocess.run([*orphan, *alone(tmp_path, 20), "sh", "-c", work], check=True)
    assert log.read_text(encoding="utf-8").split() == ["begin"]
    subprocess.run([*alone(tmp_path, 20), "sh", "-c", work], check=True)
    assert log.read_text(encoding="utf-8").split() == ["begin", "end"] * 2


def test_who_waits_too_long_took_too_long(tmp_path):
    with subprocess.Popen([*alone(tmp_path, 20), "sh", "-c", "echo; read line"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as first:
        first.stdout.readline()
        assert subprocess.run([*alone(tmp_path, 0.1), "true"], check=False).returncode == 124


def record(state, run="r1", phase="result", **data):
    return {"state": state, "phase": phase, "run": run, "release": "v2", "data": data}


BEGUN = record("EXPANDED", migration={"name": "split", "irreversible": True})


@pytest.mark.parametrize(("records", "found"), [
    ([], None),
    ([record("STAGED"), BEGUN], "split"),
    ([BEGUN, record("SWITCHED"), record("ABORTING"), record("FROZEN")], "split"),
    ([BEGUN, record("COMMITTED")], None),
    ([BEGUN, record("COMMITTED", phase="intent"), record("ABORTING", phase="intent")], "split"),
    ([BEGUN, record("FROZEN"), record("ABORTING", accepted=True)], None),
    ([BEGUN, record("PLANNED", run="r2")], None),
    ([record("EXPANDED", migration={"name": "add", "irreversible": False}), record("SWITCHED")], None),
])
def test_what_is_under_way(records, found):
    one = under_way(records)
    assert (one or {}).get("name") == found
    assert found is None or one["release"] == "v2"


def committed(release, **data):
    return {"release": release, "config": "c", "image": release, **data}


def test_a_rollback_past_an_irreversible_migration_is_refused():
    line = [committed("v1"), committed("v2", migration={"name": "split", "irreversible": True}),
            committed("v3", migration={"name": "add", "irreversible": False})]
    assert not migration.refusal(line, "v2", "c")
    assert not migration.refusal(line, "v3", "c")
    assert migration.refusal(line, "v1", "c") == (
        "release v2 came with the irreversible migration 'split'; v1 is not made for what it left")
    hosts = {name: {"releases": line} for name in HOSTS}
    (problem,) = rollback.irreversible(hosts, "v1", dict.fromkeys(HOSTS, "c"), HOSTS)
    assert "(app1, app2). Bring a release that repairs it" in problem
    assert not list(rollback.irreversible(hosts, "v2", dict.fromkeys(HOSTS, "c"), HOSTS))
