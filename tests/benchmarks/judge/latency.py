# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judge of latency: how often a release that is as fast goes back, and how soon one that is slower is found.

200 requests per second, 20 of them to the new release, up to 120 s. The time of an answer is log-normal (median 20 ms,
sigma 0.5), and in each second both releases are slower together by a factor between 1 and 1.5: answers of one second
have something in common, as on any machine. One kind of service has a second hump: 5 % of its answers take 1.5 s, so
that its 95th percentile stands on the edge. Failed requests are the other family. The seeds are fixed.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

from ansible_collections.evenkeel.fleet.plugins.module_utils._core.verdict import FAIL, INCONCLUSIVE, PASS
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.latency import Latency, LatencyRules

from benchmarks.common import figure, progress

ROLLOUTS = 1000  # per round
NEW_RPS, OLD_RPS = 20, 180
DEADLINE_S = 120
RULES = LatencyRules.parse({}, 0.001)  # the defaults of the module
UNEVEN = 0.5


@dataclass(frozen=True)
class Service:
    """How long an answer takes, in ms, and the share of those that take ``late_ms`` more."""

    name: str
    median_ms: float = 20.0
    late: float = 0.0
    late_ms: float = 1500.0


PLAIN, HUMP = Service("one hump"), Service("5 % take 1.5 s", late=0.05)


def figures(rounds: int) -> list[dict[str, Any]]:
    numbers, lines = range(max(rounds, 4)), []
    for service in (PLAIN, HUMP):
        runs = [simulate(number, service, 1.0) for number in numbers]
        title = f"as fast, {service.name}"
        lines += [
            figure(f"{title}: sent back, share", "<= 0.001", [share(runs, FAIL)]),
            figure(f"{title}: passed, share", "", [share(runs, PASS)]),
            figure(f"{title}: time to the verdict, median", "", [quantile(one, 0.5) for one in runs], "s"),
        ]
        progress(f"{title}: done")
    for slower in (2.0, 3.0):
        runs = [simulate(number, PLAIN, slower) for number in numbers]
        title = f"{slower:g} times as slow"
        lines += [
            figure(f"{title}: sent back, share", "", [share(runs, FAIL)]),
            figure(f"{title}: time to the verdict, p95", "", [quantile(one, 0.95) for one in runs], "s"),
        ]
        progress(f"{title}: done")
    return lines


def simulate(seed: int, service: Service, slower: float) -> list[tuple[str, float]]:
    """Return the verdict and its time in s of that many rollouts; what is not decided takes for ever."""
    chance = random.Random(f"{seed}/{service.name}/{slower}")
    return [rollout(chance, service, slower) for _ in range(ROLLOUTS)]


def rollout(chance: random.Random, service: Service, slower: float) -> tuple[str, float]:
    """Judge one rollout."""
    judge = Latency(RULES)
    for second in range(1, DEADLINE_S + 1):
        now = 1 + UNEVEN * chance.random()
        judge.feed(answers(chance, service, NEW_RPS, now * slower), answers(chance, service, OLD_RPS, now))
        if judge.verdict != INCONCLUSIVE:
            return judge.verdict, float(second)
    return INCONCLUSIVE, math.inf


def answers(chance: random.Random, service: Service, number: int, slower: float) -> list[int]:
    """Return as many answers, in µs."""
    times = [slower * service.median_ms * math.exp(0.5 * chance.gauss(0, 1)) for _ in range(number)]
    return [int(1000 * (ms + (service.late_ms if service.late and chance.random() < service.late else 0)))
            for ms in times]


def quantile(rollouts: list[tuple[str, float]], order: float) -> float:
    """Return that quantile of the time to a verdict; the deadline where there was none."""
    found = sorted(time_s for dummy, time_s in rollouts)[math.ceil(order * len(rollouts)) - 1]
    return min(float(DEADLINE_S), found)


def share(runs: list[list[tuple[str, float]]], verdict: str) -> float:
    return sum(found == verdict for rollouts in runs for found, dummy in rollouts) / sum(map(len, runs))
