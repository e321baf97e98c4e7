# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollout told to somebody who was not there: charts, rows and sentences from the same records."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.story import story
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.timeline import timeline
from ansible_collections.evenkeel.fleet.tests.integration.report import example
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.controller

GOOD, BAD = example.run()[-2:]


def test_a_rollout_shows_what_users_saw_beside_what_hosts_did() -> None:
    drawn = timeline(BAD)
    assert sum(row["failed"] for row in drawn["series"]) == 51
    ways = {host["host"]: [event["state"] for event in host["events"]] for host in drawn["hosts"]}
    assert ways == {
        "app1": ["PLANNED", "LOCKED", "STAGED", "VERIFIED", "SWITCHED", "ABORTING", "ROLLED_BACK"],
        "app2": ["PLANNED", "LOCKED", "STAGED", "ABORTING", "ROLLED_BACK"],
        "app3": [],
    }
    assert drawn["hosts"][0]["events"][0]["t_s"] == 0.5
    assert drawn["end_s"] == 26.0
    assert drawn["marks"] == [{"t_s": 18.9, "label": "failed"}, {"t_s": 24.6, "label": "all back"}]


def test_intent_and_result_of_one_state_are_one_event() -> None:
    steps = [
        {"time": example.at(1), "state": "STAGED", "phase": "intent", "data": {"a": 1}},
        {"time": example.at(9), "state": "STAGED", "phase": "result", "data": {"b": 2}},
    ]
    part = example.part(0, "rollout", "rollout", "app1", {"hosts": {"app1": {"wave": 1, "steps": steps}}})
    assert timeline(part)["hosts"][0]["events"] == [{"t_s": 1.0, "state": "STAGED", "data": {"a": 1, "b": 2}}]


def test_a_gate_that_several_ledgers_hold_is_shown_once() -> None:
    found = timeline(BAD)["gates"]
    assert [(gate["name"], gate["hosts"], gate["verdict"], gate["t_s"]) for gate in found] == [
        ("load alone", ["app1", "app2"], "pass", 7.0), ("load wave", ["app1", "app2"], "fail", 13.0)]


def test_rows_are_in_order_and_every_failed_request_is_in_exactly_one() -> None:
    rows = timeline(BAD)["rows"]
    assert [row["t_s"] for row in rows] == sorted(row["t_s"] for row in rows)
    assert sum(row["failed"] for row in rows) == 51
    told = [(row["hosts"], row["text"]) for row in rows]
    assert (["app1"], "serves the new release; the old one stays warm") in told
    assert (["app1", "app2"], "gate 'load wave': error_rate < 1%: measured 0.2") in told
    switched = next(row for row in rows if row["text"].startswith("serves"))
    gate = next(row for row in rows if "load wave" in row["text"])
    assert (switched["failed"], gate["failed"]) == (0, 44)


def test_without_a_watch_nothing_is_said_about_requests() -> None:
    data = {**BAD["data"], "watch": None, "failed_requests": None}
    part = {**BAD, "data": data}
    assert {row["failed"] for row in timeline(part)["rows"]} == {None}
    assert story(part)[-1] == "Nobody counted what users saw: there was no watch."


def test_the_story_of_a_rolled_back_rollout() -> None:
    assert story(BAD) == [
        "Release bad-late of pitch was to come in place of v1 on 3 hosts, in 2 waves: app1; app2, app3.",
        "At 08:19:28 UTC app1 stopped at 'Gate | Go on only when it passed': error_rate < 1%: measured 0.2",
        "By then app1 had traffic on the new release; no further host got any.",
        "app1, app2: back on the release before, the last one 5.6 s after the first failure.",
        "app3: on the release before, never touched.",
        "Of 1300 requests of an independent client 51 failed, in 6 seconds (status: 51).",
    ]


def test_the_story_of_a_good_one() -> None:
    assert story(GOOD)[1:] == [
        "app1, app2, app3: on the new release, committed.",
        "Of 2000 requests of an independent client none failed.",
    ]


def test_a_host_that_is_frozen_or_silent_is_named() -> None:
    hosts = {**BAD["data"]["hosts"]}
    hosts["app1"] = {**hosts["app1"], "state": "FROZEN"}
    hosts["app2"] = {**hosts["app2"], "answers": False}
    told = story({**BAD, "data": {**BAD["data"], "hosts": hosts, "verdict": "inconclusive"}})
    assert "app1: FROZEN, could not go back: a person has to look." in told
    assert "app2: no answer at the end." in told


@given(st.text(), st.text())
def test_any_state_and_reason_stays_as_it_is(state: str, reason: str) -> None:
    steps = [{"time": example.at(1), "state": state, "phase": "result", "data": {}},
             {"time": example.at(2), "state": "ABORTING", "phase": "intent", "data": {"reason": reason}}]
    hosts: dict[str, Any] = {"app1": {"wave": 1, "steps": steps}}
    rows = timeline(example.part(0, "rollout", "rollout", "app1", {"hosts": hosts}))["rows"]
    assert rows[-1]["text"] == f"goes back: {reason}"
