# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judge of failed requests: how soon it finds them, and how often it is wrong.

Open loop of 200 requests per second through a load balancer that gives each to the new release with a chance of 10 %,
so 20 per second; each fails with the rate of its release. The judge looks four times a second. The failed requests
counted are all that users got from the new release until the verdict, the time runs from its first request. What never
came to a verdict counts as longer than any time, so a quantile over all rollouts hides nothing. Shares are over all
rounds, and the seeds are fixed: the same code gives the same figures.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

from ansible_collections.evenkeel.fleet.plugins.module_utils._core.verdict import FAIL, INCONCLUSIVE, PASS
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.canary import Counts, Judge, Rules

from benchmarks.common import figure, progress

ROLLOUTS = 1000  # per round
RATE_RPS = 200
SHARE = 0.1
INTERVAL_S = 0.25
DEADLINE_S = 120
RULES = Rules()  # the defaults of the module


@dataclass(frozen=True)
class Rollout:
    verdict: str
    time_s: float
    errors: int


def figures(rounds: int) -> list[dict[str, Any]]:
    numbers = range(max(rounds, 4))
    lines = []
    for rate, most_s, errors_goal in ((0.2, 3, "<= 10"), (0.05, 30, "<= 10"), (0.01, 100, "")):
        runs = [simulate(number, rate, 0.001) for number in numbers]
        release = f"{rate * 100:g} % against 0.1 %"
        lines += [
            figure(f"{release}: time to the verdict, p95", f"<= {most_s}", [late(one, 0.95) for one in runs], "s"),
            figure(f"{release}: failed requests, p99", errors_goal, [bad(one, 0.99) for one in runs]),
            figure(f"{release}: sent back, share", ">= 0.95", [share(runs, FAIL)]),
        ]
        progress(f"{release}: done")
    healthy = {rate: [simulate(number, rate, rate) for number in numbers] for rate in (0.001, 0.01, 0.1)}
    lines += [figure(f"healthy, {rate * 100:g} % errors on both: sent back, share", "<= 0.001", [share(runs, FAIL)])
              for rate, runs in healthy.items()]
    return [*lines,
            figure("healthy, 0.1 % errors on both: passed, share", ">= 0.95", [share(healthy[0.001], PASS)]),
            figure("healthy, 0.1 % errors on both: time to the verdict, p95", "",
                   [late(one, 0.95) for one in healthy[0.001]], "s")]


def simulate(seed: int, new_rate: float, old_rate: float) -> list[Rollout]:
    """Return that many rollouts with these error rates of the two releases."""
    rng = random.Random(f"{seed}/{new_rate}/{old_rate}")
    return [rollout(rng, new_rate, old_rate) for _ in range(ROLLOUTS)]


def rollout(rng: random.Random, new_rate: float, old_rate: float) -> Rollout:
    """Judge one rollout."""
    judge, batch = Judge(RULES), round(RATE_RPS * INTERVAL_S)
    to_new, failing, failing_old = Skips(rng, SHARE), Skips(rng, new_rate), Skips(rng, old_rate)
    for number in range(1, int(DEADLINE_S / INTERVAL_S) + 1):
        requests = to_new.hits(batch)
        others = batch - requests
        judge.feed(Counts(requests, failing.hits(requests)), Counts(others, failing_old.hits(others)))
        if judge.verdict != INCONCLUSIVE:
            return Rollout(judge.verdict, number * INTERVAL_S, judge.new.errors)
    return Rollout(INCONCLUSIVE, math.inf, judge.new.errors)


class Skips:
    """Bernoulli trials in bulk: the distance to the next hit is geometric."""

    def __init__(self, rng: random.Random, chance: float) -> None:
        self._rng = rng
        self._scale = 1 / math.log1p(-chance) if chance else -math.inf
        self._left = self._next()

    def _next(self) -> float:
        return math.inf if self._scale == -math.inf else math.floor(math.log(1 - self._rng.random()) * self._scale)

    def hits(self, trials: int) -> int:
        """Return how many of the next trials hit."""
        count = 0
        while self._left < trials:
            count += 1
            self._left += 1 + self._next()
        self._left -= trials
        return count


def quantile(values: list[float], order: float) -> float:
    return sorted(values)[math.ceil(order * len(values)) - 1]


def late(rollouts: list[Rollout], order: float) -> float:
    """Return that quantile of the time to a verdict; the deadline where there was none."""
    return min(float(DEADLINE_S), quantile([one.time_s for one in rollouts], order))


def bad(rollouts: list[Rollout], order: float) -> float:
    return quantile([one.errors for one in rollouts], order)


def share(runs: list[list[Rollout]], verdict: str) -> float:
    return sum(one.verdict == verdict for rollouts in runs for one in rollouts) / sum(map(len, runs))
