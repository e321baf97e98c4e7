# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Webhooks: what is wrong with a declaration, and what they are told."""

from __future__ import annotations

import json

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.declared import notification

PLAN = {"kind": "rollout", "service": "shop", "release": "v2", "image": "r/shop@sha256:1", "hosts": ["app1"],
        "hooks": {"before_stage": [{"name": "x", "command": "PASSWORD=s3cret x"}]}}


@pytest.mark.parametrize(("target", "problem"), [
    ("https://x", "rollout_notify[0]: expected a dict"),
    ({"url": "https://x", "token": "s3cret"}, "rollout_notify[0]: expected a dict"),
    ({}, "rollout_notify[0].url: expected a URL"),
    ({"url": "file:///s3cret"}, "rollout_notify[0].url: expected a URL"),
    ({"url": "https://x/s3cret", "events": ["end"]}, "rollout_notify[0].events: expected events out of start"),
])
def test_declarations_that_mean_nothing_are_refused_without_a_secret(target, problem):
    (found,) = notification.problems([target])
    assert found.startswith(problem)
    assert "s3cret" not in found


def test_a_good_declaration():
    assert not list(notification.problems([{"url": "https://x/y", "events": ["start"], "headers": {"A": "b"}}, {"url": "http://z"}]))


def test_each_event_says_what_it_is_about():
    start = notification.message(PLAN, "start", "r1", "alice", {})
    assert (start["schema"], start["event"], start["run"], start["operator"], start["hosts"]) == (
        "evenkeel.fleet/notification/1", "start", "r1", "alice", ["app1"])
    canary = {"number": 1, "name": "canary", "hosts": ["app1"]}
    wave = notification.message(PLAN, "wave", "r1", "alice", {**canary, "capacity": {}})
    assert wave["wave"] == canary
    summary = {"verdict": "fail", "reasons": ["app1: too slow"], "duration_s": 3.0, "failed_requests": 2,
               "requests": 90, "hosts": {"app1": {"state": "ROLLED_BACK"}}}
    end = notification.message(PLAN, "rolled_back", "r1", "alice", summary)
    assert (end["verdict"], end["reasons"], end["states"]) == ("fail", ["app1: too slow"], {"app1": "ROLLED_BACK"})
    assert "s3cret" not in json.dumps([start, wave, end])
