# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations of a real PostgreSQL: expanded once before the waves, kept by a rollback, or in the way of one."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from integration.rollout.faults import Machines, Users, comes_to, controller, kill, play, wait_until
from integration.rollout.fleet import QUICK

pytestmark = pytest.mark.faults  # whole rollouts, a minute each

PSQL = "runuser -u postgres -- psql -At -v ON_ERROR_STOP=1 -d pitch -c"
COLUMNS = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'nickname'"
EXPAND = f"{PSQL} 'ALTER TABLE users ADD COLUMN nickname text'"
#: Two lines of each run.
LOG = Path("/run/evenkeel-expanded")
#: The first run takes longer than the next rollout needs to begin its own.
SLOWLY = (f"echo begin >> {LOG}; [ $(wc -l < {LOG}) != 1 ] || sleep $PAUSE; "
          f"{EXPAND.replace('COLUMN', 'COLUMN IF NOT EXISTS')}; echo end >> {LOG}")
#: It fails when the canary has its traffic.
BROKEN = {**QUICK, "rollout_hooks": {"after_switch": [{"name": "users complain", "command": "exit 7"}]}}


def sql(fleet, statement):
    (result,) = fleet.ask("postgres[0]", "ansible.builtin.shell", f'{PSQL} "{statement}"').values()
    return result["stdout"]


@pytest.fixture
def database(fleet):
    """The database, which gets rid of the column in the end; the fleet is on v1."""
    done = fleet.play("deploy", release_name="v1", **QUICK)
    assert done.rc == 0, done.output
    (name,) = fleet.ask("postgres[0]", "ansible.builtin.debug", "var=inventory_hostname")
    yield name
    sql(fleet, "ALTER TABLE users DROP COLUMN IF EXISTS nickname")


def test_a_rollback_leaves_what_was_expanded(fleet, database):
    migration = {"name": "add column", "command": EXPAND, "host": database}
    plan = fleet.play("rollout", "--check", release_name="v2", rollout_migration=migration)
    planned = f"migration on {database} before the first wave: add column; it expands only: a rollback leaves it"
    assert planned in plan.text
    assert sql(fleet, COLUMNS) == "0"

    done = fleet.play("rollout", release_name="v2", rollout_migration=migration, **BROKEN)
    assert done.rc == 2, done.output
    assert "rolled back on every host" in done.output
    assert fleet.is_on("v1")
    assert sql(fleet, COLUMNS) == "1"
    for found in fleet.ledgers().values():
        steps = [(one["state"], one["phase"]) for one in found["records"] if one["run"] == found["status"]["run"]]
        assert steps.index(("STAGED", "result")) < steps.index(("EXPANDED", "intent")) < steps.index(
            ("EXPANDED", "result"))
        assert EXPAND not in json.dumps(found)

    # It fails when it is run again, and then no wave begins.
    done = fleet.play("rollout", release_name="v2", rollout_migration=migration, **QUICK)
    assert done.rc == 2, done.output
    assert f'migration add column failed on {database}: rc 1: ERROR: column "nickname"' in done.text
    assert fleet.is_on("v1")
    for found in fleet.ledgers().values():
        assert "VERIFIED" not in {one["state"] for one in found["records"] if one["run"] == found["status"]["run"]}


def test_a_migration_in_a_container_of_the_release_has_its_image_and_its_environment(fleet, database):
    look = ("import os, psycopg; assert os.environ['RELEASE'] == 'v2'; "
            "psycopg.connect(os.environ['DATABASE_URL']).execute('SELECT nothing FROM users')")
    migration = {"name": "look", "compose": ["python3", "-c", look], "timeout_s": 30}
    done = fleet.play("rollout", release_name="v2", rollout_migration=migration, **QUICK)
    assert done.rc == 2, done.output
    assert f"migration look failed on {fleet.hosts[0]}: rc 1: LINE 1: SELECT nothing" in done.text
    assert fleet.is_on("v1")


def test_an_irreversible_migration_is_in_the_way_of_every_rollback(fleet, database):
    migration = {"name": "split names", "command": "true", "host": database, "irreversible": True}
    done = fleet.play("rollout", release_name="v2", rollout_migration=migration, **BROKEN)
    output = done.text
    assert done.rc == 2
    assert "NOT on one release: a person has to look" in output
    assert "release v2 came with the irreversible migration 'split names'" in output
    serving = {name for servers in fleet.serving().values() for name in servers}
    for host, found in fleet.ledgers().items():
        status = found["status"]
        assert (status["state"], status["frozen"], status["irreversible"]["name"]) == ("FROZEN", True, "split names")
        served = {one["release"] for slot, one in found["instances"].items() if f"{host}-{slot}" in serving}
        assert served == ({"v2"} if host == fleet.hosts[0] else {"v1"})

    refused = fleet.play("rollout", release_name="v1")
    assert refused.rc != 0
    assert "FROZEN since run" in refused.output

    token = max(found["token"] for found in fleet.ledgers().values())
    accepted = {"service": "pitch", "action": "record", "run": "repair", "release": "v2", "token": token,
                "operator": "carol", "records": [{"state": "ABORTING", "phase": "intent", "data": {"accepted": True}}]}
    for host in fleet.hosts:
        fleet.ask(host, "evenkeel.fleet.release", json.dumps({**accepted, "host": host}))
    done = fleet.play("deploy", release_name="v1", **QUICK)
    assert done.rc == 0, done.output
    assert fleet.is_on("v1")

    done = fleet.play("rollout", release_name="v2", rollout_migration=migration, **QUICK)
    assert done.rc == 0, done.output
    refused = fleet.play("rollback", rollback_to="v1")
    assert refused.rc != 0
    assert "release v2 came with the irreversible migration 'split names'; v1 is not made for" in refused.text
    assert refused.changed == 0
    done = fleet.play("rollback", rollback_to="v1", rollout_accept_irreversible=True, **QUICK)
    assert done.rc == 0, done.output
    assert fleet.is_on("v1")


@pytest.mark.parametrize(("how", "phase", "irreversible"), [
    (signal.SIGINT, "intent", False), (signal.SIGTERM, "intent", True), (signal.SIGKILL, "intent", False),
    (signal.SIGINT, "result", False), (signal.SIGTERM, "result", False), (signal.SIGKILL, "result", True),
], ids=lambda value: getattr(value, "name", None))
def test_the_same_command_goes_on_after_its_controller_was_killed(fleet, database, how, phase, irreversible):
    """What the dead one has begun goes on, and the next one waits for its end."""
    machines = Machines(fleet)
    machines.run(database, f"rm -f {LOG}")
    command = f"PAUSE={25 if phase == 'intent' else 0}; {SLOWLY}"
    migration = {"name": "add column", "command": command, "host": database, "irreversible": irreversible}
    log = machines.path(database, str(LOG.relative_to("/")))
    there = comes_to(machines, fleet.hosts[-1], "EXPANDED", phase)
    with Users(machines.address) as users:
        with controller("v2", rollout_migration=migration) as process:
            wait_until(lambda: there(process), 150)
            wait_until(log.exists, 30)
            kill(process, how)
        killed = machines.last(fleet.hosts[-1])
        assert len(log.read_text().split()) == {"intent": 1, "result": 2}[phase]
        assert users.next(100).keys() == {"v1"}
        done = play(fleet, "rollout", release_name="v2", rollout_migration=migration)
        assert done.rc == 0, done.output
        assert f"goes on with run {killed['run']}" in done.output
        assert users.next(100).keys() == {"v2"}
    assert users.failed == []
    assert log.read_text().split() == ["begin", "end"] * 2
    assert sql(fleet, COLUMNS) == "1"
    assert fleet.is_on("v2")
    assert fleet.play("deploy", release_name="v1", **QUICK).rc == 0


@pytest.mark.usefixtures("database")
def test_one_whose_time_is_over_has_ended(fleet):
    """In a container, whose first process does not hear SIGTERM."""
    migration = {"name": "hang", "compose": ["python3", "-c", "import time; time.sleep(120)"], "timeout_s": 2}
    done = fleet.play("rollout", release_name="v2", rollout_migration=migration, **QUICK)
    assert done.rc == 2, done.output
    assert f"migration hang failed on {fleet.hosts[0]}: it took longer than 2 s" in done.text
    assert Machines(fleet).run(fleet.hosts[0], "docker ps --all --quiet --filter name=migration") == ""
    for found in fleet.ledgers().values():
        assert "VERIFIED" not in [one["state"] for one in found["records"] if one["run"] == found["status"]["run"]]
    assert fleet.is_on("v1")
