# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rollouts of the reference app: each ends in one release everywhere, with the ledgers to prove it."""

from __future__ import annotations

import html
import json
import subprocess

import pytest
from ansible_collections.evenkeel.fleet.tests.integration.browser import look

#: Of a host where all goes well.
STATES = ["PLANNED", "LOCKED", "BACKED_UP", "STAGED", "STAGED", "VERIFIED", "VERIFIED", "SWITCHED", "SWITCHED",
          "SOAKING", "COMMITTED", "COMMITTED"]


def states(fleet, host):
    """Return the states of the last run in a host's ledger."""
    found = fleet.ledgers()[host]
    return [record["state"] for record in found["records"] if record["run"] == found["status"]["run"]]


#: The new release exits as soon as it is asked to stop, whatever it has not answered yet.
ABRUPT = {"release_name": "v2", "release_environment": {
    "DATABASE_URL": "{{ lab_database_url }}", "REDIS_URL": "{{ lab_redis_url }}", "FAULT": "abrupt"}}


def test_there_and_back_without_a_failed_request(fleet):
    plan = fleet.play("rollout", "--check", **ABRUPT)
    assert plan.rc == 0, plan.output
    assert plan.changed == 0
    assert f"1. canary: {fleet.hosts[0]}" in plan.output
    assert f"2. wave 2: {', '.join(fleet.hosts[1:])}" in plan.output
    assert fleet.is_on("v1")

    there = fleet.play("rollout", **ABRUPT)
    assert there.rc == 0, there.output
    assert there.failed_requests == 0, there.output
    assert fleet.is_on("v2")
    assert states(fleet, fleet.hosts[0]) == STATES

    again = fleet.play("rollout", **ABRUPT)
    assert again.rc == 0, again.output
    assert again.changed == 0, again.output
    assert "already active on every host: nothing to do" in again.output

    other = fleet.play("rollback", rollback_to="previous", release_name="v3")
    assert other.rc != 0
    assert "Nothing was changed. -e release_name=v3 would take the place of v1" in other.text
    assert other.changed == 0

    back = fleet.play("rollback", rollback_to="previous", rollout_gate_alone={}, rollout_gate_wave={})
    assert back.rc == 0, back.output
    assert back.failed_requests == 0, back.output
    assert fleet.is_on("v1")
    assert states(fleet, fleet.hosts[0]) == STATES  # the last two before the commit as one entry


def test_servers_that_are_as_declared_are_left_alone(fleet):
    found = fleet.ask("edge[0]", "evenkeel.fleet.balancer_info", "backend=be_pitch")[fleet.edge]
    declared = [{"name": one["name"], "state": one["state"]} for one in found["backends"]["be_pitch"]["servers"]]
    options = json.dumps({"backend": "be_pitch", "servers": declared})
    result = fleet.ask("edge[0]", "evenkeel.fleet.balancer_server", options)[fleet.edge]
    assert (result["changed"], [one["name"] for one in result["servers"]]) == (
        False, [one["name"] for one in declared])


@pytest.mark.parametrize(("release", "reason"), [
    ("bad-late", "through the load balancer"),
    ("bad-crash", "Wait until it is healthy"),
    pytest.param("bad-browse", "load on the new release alone: fail", marks=pytest.mark.faults),
    pytest.param("bad-errors", "load on the new release alone: fail", marks=pytest.mark.faults),
    pytest.param("bad-slow", "load on the new release alone: fail: p50 < 2s", marks=pytest.mark.faults),
])
def test_a_bad_release_ends_rolled_back_everywhere(fleet, release, reason, tmp_path):
    gate = {"rate_rps": 30, "warmup_s": 0.5, "duration_s": 1.5, "thresholds": ["error_rate < 1%", "p50 < 2s"]}
    # Enough for the canary, which gets a third: bad-late answers its first 250 requests well.
    wave = {"rate_rps": 150, "duration_s": 8, "thresholds": ["error_rate < 1%"]}
    report = {"report_directory": str(tmp_path), "report_run": "told"}
    done = fleet.play("rollout", release_name=release, rollout_gate_alone=gate, rollout_gate_wave=wave, **report)
    assert done.rc == 2, done.output
    assert f"rollout of pitch to {release}: rolled back on every host" in done.output
    assert reason in done.text
    assert fleet.is_on("v1")
    canary, *later = fleet.hosts
    assert states(fleet, canary)[-3:] == ["ABORTING", "ABORTING", "ROLLED_BACK"]
    for host in later:  # nothing was started there
        assert states(fleet, host) == [*STATES[:5], "ABORTING", "ABORTING", "ROLLED_BACK"]
    if release != "bad-late":
        assert done.failed_requests == 0, done.output
    told = fleet.play("report", **report)
    assert told.rc == 0, told.output
    seen, page = look(tmp_path / "told" / "report.html", tmp_path)
    assert (seen["wrong"], seen["empty"]) == ([], [])
    for text in (f"Rollout of pitch to {release}", reason, f"requests failed in the rollout to {release}",
                 "is back on the release before"):
        assert text in html.unescape(page), text


@pytest.mark.faults
def test_a_health_check_that_flaps_is_no_health(fleet):
    """bad-errors fails every fifth request: never six good ones in a row."""
    flapping = {"path": "/api/browse?genre=drama", "consecutive": 6, "interval_s": 0.1, "deadline_s": 6}
    done = fleet.play("rollout", release_name="bad-errors", release_health=flapping)
    assert done.rc == 2, done.output
    assert "rollout of pitch to bad-errors: rolled back on every host" in done.text
    assert "Wait until it is healthy" in done.text
    assert done.failed_requests == 0
    assert fleet.is_on("v1")


@pytest.mark.parametrize(("variables", "messages"), [
    ({"release_name": "v99"}, ["v99: expected it on this host or in its registry"]),
    ({"release_name": "v 2"}, ["release_name: expected letters"]),
    ({"release_name": "v2", "rollout_canary_hosts": ["nobody"], "rollout_load_host": "",
      "release_ports": {"blue": 8001, "green": 8001}},
     ["rollout_canary_hosts: expected hosts out", "release_ports: expected two slots",
      "rollout_watch: expected a host in group load"]),
    ({"release_name": "v2", "rollout_waves": ["0%"]}, ["rollout_waves: expected"]),
    ({"release_name": "v2", "rollout_wave": [1]}, ["rollout_wave: role rollout has no such variable"]),
])
def test_bad_input_changes_nothing(fleet, variables, messages):
    before = fleet.ledgers()
    done = fleet.play("rollout", **variables)
    assert done.rc != 0
    assert "Nothing was changed." in done.output
    assert [one for one in messages if one not in done.text] == []
    assert done.changed == 0
    assert {host: one["records"] for host, one in fleet.ledgers().items()} == {
        host: one["records"] for host, one in before.items()}


def test_rollback_to_what_was_never_there_is_refused(fleet):
    done = fleet.play("rollback", rollback_to="v77")
    assert done.rc != 0
    assert "rollback_to: expected v77 in the ledger" in done.text
    assert done.changed == 0


@pytest.mark.faults
def test_a_host_that_goes_away_before_its_wave_stops_the_rollout(fleet):
    lost = fleet.hosts[-1]
    machine = fleet.ask(lost, "ansible.builtin.debug", "var=ansible_host")[lost]["ansible_host"]
    try:
        done = fleet.play_until("[evenkeel.fleet.rollout : Wave | wave 2",
                                lambda: subprocess.check_call(["docker", "kill", machine]),
                                "rollout", release_name="v2")
    finally:
        subprocess.run(["docker", "start", machine], check=True)
    assert done.rc != 0
    assert "a person has to look" in done.output
    assert f"{lost} (wave 2): " in done.output
    others = {host: found["status"] for host, found in fleet.ledgers().items() if host != lost}
    assert {status["state"] for status in others.values()} == {"ROLLED_BACK"}
    assert all(name.split("-")[0] != lost or name == f"{lost}-{fleet.ledgers()[lost]['status']['current']['slot']}"
               for servers in fleet.serving().values() for name in servers)

    done = fleet.play("deploy", release_name="v1")
    assert done.rc == 0, done.output
    assert fleet.is_on("v1")
