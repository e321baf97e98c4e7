# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strategies: by weight in steps, all at once, by group and domain; and a plan that would drop below the capacity."""

from __future__ import annotations

import json

import pytest
from integration.rollout.fleet import ENVIRONMENT, QUICK

pytestmark = pytest.mark.faults  # whole rollouts, a minute each


def other_release(fleet):
    """Return a good release that does not serve."""
    return "v1" if next(iter(fleet.ledgers().values()))["status"]["current"]["release"] == "v2" else "v2"


def times(fleet):
    """Return when the steps of the last run were recorded, by host, state and phase."""
    return {host: {(one["state"], one["phase"]): one["time"] for one in found["records"]
                   if one["run"] == found["status"]["run"]} for host, found in fleet.ledgers().items()}


def of(told, hosts, state, phase):
    """Return when these hosts recorded this."""
    return [told[host][state, phase] for host in hosts]


def test_all_hosts_get_weights_that_rise_and_then_one_switch(fleet):
    before = next(iter(fleet.ledgers().values()))["status"]["current"]["release"]
    judged = {**QUICK, "rollout_watch": True, "rollout_watch_rate_rps": 150,
              "rollout_judge": {"weight": [20, 60], "max_error_rate": "10%", "deadline_s": 60}}
    done = fleet.play("rollout", release_name="v1" if before == "v2" else "v2", rollout_strategy="canary",
                      release_warmup={"paths": ["/health", "/api/browse"], "count": 6}, **judged)
    assert done.rc == 0, done.output
    assert done.failed_requests == 0, done.output
    assert f"1. all hosts, by weight: {', '.join(fleet.hosts)}; 3 of 3 hosts serve" in done.text
    for found in fleet.ledgers().values():
        steps = [one for one in found["records"] if one["run"] == found["status"]["run"]]
        looks = [(one["phase"], one["data"].get("weight")) for one in steps if one["state"] == "CANARY"]
        assert looks == [("intent", 20), ("intent", 60), ("result", None)]
        assert [one["data"]["judge"][fleet.edge]["errors"] for one in steps if one["data"].get("judge")] == [0, 0]


def test_a_plan_below_the_capacity_is_refused(fleet):
    host = fleet.hosts[-1]
    current = fleet.ledgers()[host]["status"]["current"]
    server = f'[{{"name": "{host}-{current["slot"]}", "state": "%s"}}]'
    options = '{"backend": "be_pitch", "servers": %s}'
    try:
        fleet.ask("edge", "evenkeel.fleet.balancer_server", options % (server % "drain"))
        done = fleet.play("rollout", release_name="v1" if current["release"] == "v2" else "v2",
                          rollout_min_capacity="80%", rollout_capacity_rps=200)
    finally:
        fleet.ask("edge", "evenkeel.fleet.balancer_server", options % (server % "ready"))
    assert done.rc != 0
    assert done.changed == 0
    down = f"(without traffic now: {host}; bring them back first)"
    found = "found '2 of 3 hosts serve (67%), 400 of 600 rps'"
    assert f"rollout_min_capacity: expected at least 80% in wave 1 {down}, {found}" in done.text


def test_blue_green_starts_on_all_hosts_and_then_there_is_one_switch(fleet):
    release = other_release(fleet)
    done = fleet.play("rollout", release_name=release, rollout_strategy="blue_green",
                      **{**QUICK, "rollout_watch": True, "rollout_watch_rate_rps": 100})
    assert done.rc == 0, done.output
    assert done.failed_requests == 0, done.output
    assert f"1. all hosts at once: {', '.join(fleet.hosts)}; 3 of 3 hosts serve" in done.text
    assert "2. wave 2" not in done.text
    told = times(fleet)
    started, verified, switching, switched = (
        of(told, fleet.hosts, *step) for step in (("VERIFIED", "intent"), ("VERIFIED", "result"),
                                                  ("SWITCHED", "intent"), ("SWITCHED", "result")))
    assert max(started) < min(switching), told
    assert max(verified) < min(switched), told  # a host records its intent to switch in the same moment as its proof
    assert max(switching) < min(switched), told
    assert fleet.is_on(release)


@pytest.mark.parametrize(("wishes", "order"), [
    ({"rollout_failure_domain": "zone"}, ["north", "south"]),
    ({"rollout_waves": [{"group": "lab_south"}, {"group": "lab_north"}]}, ["south", "north"]),
], ids=["by failure domain", "by group"])
def test_hosts_of_two_places_never_switch_together(fleet, tmp_path, monkeypatch, wishes, order):
    """Every second host is in the south; one size for all of them would be one wave."""
    places = {"north": fleet.hosts[::2], "south": fleet.hosts[1::2]}
    inventory = tmp_path / "places.json"
    inventory.write_text(json.dumps({"all": {"children": {
        f"lab_{place}": {"hosts": {host: {"zone": place} for host in hosts}} for place, hosts in places.items()}}}))
    monkeypatch.setitem(ENVIRONMENT, "ANSIBLE_INVENTORY",
                        f"{ENVIRONMENT.get('ANSIBLE_INVENTORY', 'inventories/lab')},{inventory}")
    release = other_release(fleet)
    done = fleet.play("rollout", release_name=release, rollout_canary=False, **{**QUICK, **wishes})
    assert done.rc == 0, done.output
    waves = [places[place] for place in order]
    for number, (place, hosts) in enumerate(zip(order, waves), 1):
        domain = f" (domain {place})" if "rollout_failure_domain" in wishes else ""
        assert f"{number}. wave {number}: {', '.join(hosts)}{domain}; 3 of 3 hosts serve" in done.text
    told = times(fleet)
    for hosts in waves:
        assert max(of(told, hosts, "SWITCHED", "intent")) < min(of(told, hosts, "SWITCHED", "result")), told
    for earlier, later in zip(waves, waves[1:]):
        assert max(of(told, earlier, "SOAKING", "result")) < min(of(told, later, "VERIFIED", "intent")), told
    assert fleet.is_on(release)
