# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases that are bad from the start: what they cost users, and how soon the fleet is back.

A release that crashes never gets traffic. One with 20 % or 5 % errors gets 10 % of the real traffic, 20 requests per
second, and the canary judge; the gate before it lets through whatever answers.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.evenkeel.fleet.plugins.module_utils._core.clock import seconds_between

from benchmarks.common import figure, progress
from benchmarks.rollout.lab import Lab

SHARE = 0.1
#: Goals in seconds, by the share of the requests that fail, and what makes the reference app do that.
VERDICT_S = {"20 %": 3, "5 %": 30}
FAULTS = {"20 %": "errors", "5 %": "few"}


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return failed requests and seconds of each."""
    fleet = Lab()
    fleet.settle("v1")
    crashed: list[dict[str, float]] = []
    judged: dict[str, list[dict[str, float]]] = {share: [] for share in VERDICT_S}
    for number in range(rounds):
        crashed.append(crash(fleet))
        for share, found in judged.items():
            found.append(errors(fleet, share))
        told = ", ".join(f"{share} {found[-1]}" for share, found in judged.items())
        progress(f"round {number + 1}/{rounds}: crash {crashed[-1]}, errors {told}")
    return [
        figure("image that crashes: failed requests", "== 0", [one["failed"] for one in crashed], worst=True),
        figure("image that crashes: from its start until no host has it any more", "<= 15",
               [one["back_s"] for one in crashed], "s"),
        *(line for share, found in judged.items() for line in (
            figure(f"{share} errors at 10 % of the traffic: failed requests", "<= 10", [one["failed"] for one in found],
                   worst=True),
            figure(f"{share} errors at 10 % of the traffic: from its first request to the verdict",
                   f"<= {VERDICT_S[share]}", [one["verdict_s"] for one in found], "s"),
            figure(f"{share} errors at 10 % of the traffic: until no host has it any more", "",
                   [one["back_s"] for one in found], "s"))),
    ]


def crash(fleet: Lab) -> dict[str, float]:
    """Roll out an image whose process ends at once."""
    done = fleet.run("rollout", rc=2, release_name="bad-crash")
    return {"failed": done.failed_requests, "back_s": until_back(fleet, "VERIFIED")}


def errors(fleet: Lab, share: str) -> dict[str, float]:
    """Roll out a release that fails this share of its requests, with a tenth of the traffic."""
    weight = round(SHARE / (1 - SHARE) * 100 * len(fleet.hosts))
    done = fleet.run("rollout", rc=2, release_name="v2",
                     rollout_judge={"weight": weight, "max_error_rate": "1%"},
                     release_environment={**fleet.environment, "FAULT": FAULTS[share]},
                     rollout_gate_alone={"rate_rps": 5, "duration_s": 1, "thresholds": ["error_rate < 99%"]})
    judge = next(record["data"]["judge"] for record in fleet.records()[fleet.hosts[0]] if record["data"].get("judge"))
    return {"failed": done.failed_requests, "verdict_s": judge[fleet.edge]["traffic_s"],
            "back_s": until_back(fleet, "CANARY")}


def until_back(fleet: Lab, state: str) -> float:
    """Return the seconds from the first intent of a state until every host that had it is back.

    Hosts on which nothing was started have nothing to bring back; their ledgers are settled after the others.
    """
    begun = [one for host in fleet.records().values() if any(_is(one, state, "intent") for one in host) for one in host]
    return seconds_between(min(one["time"] for one in begun if _is(one, state, "intent")),
                           max(one["time"] for one in begun if _is(one, "ROLLED_BACK", "result")))


def _is(record: dict[str, Any], state: str, phase: str) -> bool:
    return (record["state"], record["phase"]) == (state, phase)
