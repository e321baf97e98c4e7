# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strategies: by weight in steps on all hosts, and a plan that would drop below the capacity."""

from __future__ import annotations

import pytest
from integration.rollout.fleet import QUICK

pytestmark = pytest.mark.faults  # whole rollouts, a minute each


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
