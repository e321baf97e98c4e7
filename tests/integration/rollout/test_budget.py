# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The error budget of a whole service: through a real HAProxy alone, and as a gate of a rollout."""

from __future__ import annotations

import contextlib
import shutil
import urllib.error

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.budget_run import run
from ansible_collections.evenkeel.fleet.tests.integration.balancer.harness import Balancer, Shop


@pytest.fixture
def balancer(tmp_path):
    assert shutil.which("haproxy"), "haproxy is missing: run scripts/setup/system, which installs it"
    one = Balancer(tmp_path, {"blue": Shop()})
    one.start()
    one.switch({"name": "blue", "state": "ready"}, healthy=True)
    yield one
    one.stop()
    one.shops["blue"].stop()


def test_answers_of_users_count_and_checks_do_not(balancer, tmp_path):
    def look():
        return run(balancer.socket, "be_shop", "shop", {"slo": "99%"}, str(tmp_path), False)

    def ask(statuses):
        balancer.shops["blue"].answers = iter(statuses)
        for _ in statuses:
            with contextlib.suppress(urllib.error.HTTPError):
                balancer.get()

    assert look()["verdict"] == "inconclusive"
    ask([200] * 95 + [500] * 5)
    found = look()
    assert (found["verdict"], found["metrics"]["requests"], found["metrics"]["errors"]) == ("pass", 100, 5)
    assert found["metrics"]["burn_rate"] == pytest.approx(5)
    ask([0] * 50)  # HAProxy answers with 502
    found = look()
    assert (found["verdict"], found["metrics"]["errors"]) == ("fail", 55)
    assert "the whole service burns its error budget 36.7 times as fast as allowed" in found["reasons"][0]


@pytest.mark.faults
def test_a_rollout_stops_when_the_service_burns_its_budget(fleet):
    """All other gates let this release through: a third of the traffic fails one request in five."""
    gate = {"rate_rps": 150, "duration_s": 4, "thresholds": ["error_rate < 99%"]}
    done = fleet.play("rollout", release_name="bad-errors", rollout_gate_alone=gate, rollout_gate_wave=gate,
                      rollout_scenarios=[{"name": "browse", "requests": [{"path": "/api/browse?genre=drama"}]}],
                      rollout_budget={"window": "60s", "share": "0.02%"})
    output = done.text
    assert done.rc == 2, done.output
    assert "rollout of pitch to bad-errors: rolled back on every host" in output
    assert "Budget | Go on only while it lasts: the whole service burns its error budget" in output
    assert fleet.is_on("v1")
