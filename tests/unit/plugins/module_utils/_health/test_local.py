# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers and units in states that no lab can be brought into at will: the tools are scripts that say so."""

from __future__ import annotations

import json
import shlex

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.local import check_container, check_systemd
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.observation import Observation
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECK

BLANK = {name: spec.get("default") for name, spec in CHECK.items()}
LOGS, JOURNAL = "Read docker logs shop.", "Read journalctl -u shop.service."
UNIT_QUESTION = ("systemctl show --property=LoadState,ActiveState,SubState,NRestarts,ExecMainCode,ExecMainStatus "
                 "-- shop.service")


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """Return a function that makes the only command there is: it knows one question and answers as it is told to."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(question, out="", err="", rc=0):
        name, _space, arguments = question.partition(" ")
        path = tmp_path / name
        path.write_text(f"""#!/bin/sh
if [ "$*" != {shlex.quote(arguments)} ]; then echo "not understood: $*" >&2; exit 64; fi
printf %s {shlex.quote(out)}
printf %s {shlex.quote(err)} >&2
exit {rc}
""")
        path.chmod(0o755)

    return make


@pytest.fixture
def container(tool):
    """Return a function that looks at a container of which Docker says this."""

    def look(status, health=None, code=0, restarts=0, **options):
        state = {
            "Status": status, "Running": status in ("running", "paused", "restarting"), "Paused": status == "paused",
            "Restarting": status == "restarting", "OOMKilled": False, "Dead": status == "dead", "Pid": 0,
            "ExitCode": code, "Error": "", "StartedAt": "2026-11-21T08:00:00.000000000Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
        }  # fmt: skip
        if health:
            state["Health"] = {"Status": health, "FailingStreak": 0, "Log": []}
        found = [{"Id": "ab12", "Name": "/shop", "State": state, "RestartCount": restarts}]
        tool("docker container inspect -- shop", json.dumps(found, indent=4))
        return check_container({**BLANK, "container": "shop", **options}, 5.0)

    return look


@pytest.mark.parametrize(
    ("health", "own_health", "value"),
    [
        ("healthy", True, "healthy"),
        (None, True, "running"),  # the image has no health check
        ("unhealthy", False, "running"),
        ("starting", False, "running"),
    ],
)
def test_a_container_that_runs_and_is_not_ill_passes(container, health, own_health, value):
    expected = "container shop runs" + (" and is healthy" if own_health else "")
    assert container("running", health, own_health=own_health) == Observation("pass", expected, value=value)


@pytest.mark.parametrize("health", ["starting", "unhealthy"])
def test_a_container_that_is_not_healthy_may_become_so(container, health):
    expected = "container shop runs and is healthy"
    assert container("running", health) == Observation("fail", expected, f"it is {health}.", LOGS, health)


@pytest.mark.parametrize("health", [None, "unhealthy"])  # what Docker says once it asks no more
@pytest.mark.parametrize("own_health", [True, False])
@pytest.mark.parametrize(
    ("status", "code", "output", "hopeless"),
    [
        ("exited", 0, "it is exited with code 0.", True),
        ("exited", 137, "it is exited with code 137.", True),
        ("dead", 1, "it is dead with code 1.", True),
        ("created", 0, "it is created.", False),
        ("paused", 0, "it is paused.", False),
        ("restarting", 1, "it is restarting.", False),
    ],
)
def test_a_container_that_does_not_run_says_how_it_is(container, health, own_health, status, code, output, hopeless):
    found = container(status, health, code, own_health=own_health)
    expected = "container shop runs" + (" and is healthy" if own_health else "")
    assert found == Observation("fail", expected, output, LOGS, status, hopeless=hopeless)


@pytest.mark.parametrize(
    ("status", "code", "restarts", "output"),
    [
        ("running", 0, 3, "Docker restarted it 3 times."),
        ("restarting", 1, 4, "Docker restarted it 4 times, last after exit code 1."),
    ],
)
def test_a_container_that_was_restarted_too_often_is_hopeless(container, status, code, restarts, output):
    found = container(status, "healthy", code, restarts, max_restarts=2)
    expected = "container shop runs and is healthy"
    assert found == Observation("fail", expected, output, LOGS, "restarting", hopeless=True)
    assert container("running", "healthy", restarts=restarts, max_restarts=restarts).status == "pass"
    assert container("running", "healthy", restarts=restarts).status == "pass"


@pytest.mark.parametrize(
    ("error", "remedy", "hopeless"),
    [
        ("Error response from daemon: No such container: shop", "Start the container.", True),
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "Check that Docker runs and that this user may use it.",
            False,
        ),
    ],
)
def test_a_missing_container_is_hopeless_and_a_missing_engine_is_not(tool, error, remedy, hopeless):
    tool("docker container inspect -- shop", "[]\n", f"{error}\n", 1)
    found = check_container({**BLANK, "container": "shop"}, 5.0)
    expected = "container shop runs and is healthy"
    assert found == Observation("fail", expected, f"docker: {error}", remedy, hopeless=hopeless)


@pytest.fixture
def unit(tool):
    """Return a function that looks at a unit of which systemd says this."""

    def look(load, active, sub, restarts=0, code=0, status=0, **options):
        out = (f"NRestarts={restarts}\nExecMainCode={code}\nExecMainStatus={status}\n"
               f"LoadState={load}\nActiveState={active}\nSubState={sub}\n")
        tool(UNIT_QUESTION, out)
        return check_systemd({**BLANK, "unit": "shop.service", **options}, 5.0)

    return look


@pytest.mark.parametrize(
    ("load", "active", "sub", "remedy", "hopeless"),
    [
        ("loaded", "inactive", "dead", JOURNAL, False),
        ("loaded", "activating", "auto-restart", JOURNAL, False),
        ("loaded", "failed", "failed", JOURNAL, True),
        ("masked", "inactive", "dead", "Install or unmask the unit.", True),
        ("not-found", "inactive", "dead", "Install or unmask the unit.", True),
    ],
)
def test_a_unit_that_is_not_active_says_how_it_is(unit, load, active, sub, remedy, hopeless):
    output = f"it is {active} ({sub}), {load}."
    expected = Observation("fail", "unit shop.service is active", output, remedy, active, hopeless=hopeless)
    assert unit(load, active, sub) == expected


def test_a_unit_has_to_be_in_the_state_that_is_wanted(unit):
    assert unit("loaded", "active", "running") == Observation("pass", "unit shop.service is active", value="active")
    stopped = unit("loaded", "inactive", "dead", state="inactive")
    assert stopped == Observation("pass", "unit shop.service is inactive", value="inactive")
    runs = unit("loaded", "active", "running", state="inactive")
    output = "it is active (running), loaded."
    assert runs == Observation("fail", "unit shop.service is inactive", output, JOURNAL, "active")
    assert unit("loaded", "failed", "failed", state="inactive").hopeless
    assert unit("masked", "inactive", "dead", state="inactive").status == "pass"
    unknown = unit("not-found", "inactive", "dead", state="inactive")
    assert (unknown.status, unknown.hopeless) == ("fail", True)


@pytest.mark.parametrize(
    ("active", "sub", "restarts", "code", "status", "output"),
    [
        ("active", "running", 3, 0, 0, "systemd restarted it 3 times."),
        ("activating", "auto-restart", 2, 1, 203, "systemd restarted it 3 times, last after exit code 203."),
        ("activating", "auto-restart", 4, 2, 9, "systemd restarted it 5 times, last after signal 9."),
        ("failed", "failed", 5, 1, 1, "systemd restarted it 5 times, last after exit code 1."),
    ],
)
def test_a_unit_that_was_restarted_too_often_is_hopeless(unit, active, sub, restarts, code, status, output):
    found = unit("loaded", active, sub, restarts, code, status, max_restarts=2)
    assert found == Observation("fail", "unit shop.service is active", output, JOURNAL, "restarting", hopeless=True)


def test_restarts_of_a_unit_count_only_where_that_is_asked_for(unit):
    assert unit("loaded", "active", "running", 3).status == "pass"
    assert unit("loaded", "active", "running", 3, max_restarts=3).status == "pass"
    again = unit("loaded", "activating", "auto-restart", 1, 1, 1, max_restarts=2)
    assert (again.output, again.hopeless) == ("it is activating (auto-restart), loaded.", False)


def test_systemd_that_does_not_run_may_still_come(tool):
    error = "System has not been booted with systemd as init system (PID 1). Can't operate."
    tool(UNIT_QUESTION, err=f"{error}\n", rc=1)
    found = check_systemd({**BLANK, "unit": "shop.service"}, 5.0)
    expected = "unit shop.service is active"
    assert found == Observation("fail", expected, f"systemctl: {error}", "Check that systemd runs here.")
