# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import random

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.latency import (
    FIRST,
    Latency,
    LatencyRules,
)


def rules(alpha=0.001, **more):
    return LatencyRules.parse(more, alpha)


def answers(chance, number, median_ms, slower=1.0):
    """Return as many answers in µs as a service gives whose logarithm is normal."""
    return [int(1000 * slower * median_ms * chance.lognormvariate(0, 0.5)) for dummy in range(number)]


def watched(latency, seconds, new_rps=20, old_rps=180, slower=1.0, seed=1, median_ms=20.0, uneven=0.0):
    """Feed seconds until there is a verdict; in each second both releases may be slower together."""
    chance = random.Random(seed)
    for dummy in range(seconds):
        now_ms = median_ms * (1 + uneven * chance.random())
        latency.feed(answers(chance, new_rps, now_ms, slower), answers(chance, old_rps, now_ms))
        if latency.verdict != "inconclusive":
            break
    return latency


def test_a_release_that_is_twice_as_slow_fails_and_says_by_how_much():
    found = watched(Latency(rules()), 60, slower=2.0)
    assert found.verdict == "fail"
    metrics = found.metrics
    assert 1.5 < metrics["p95_ms"] / metrics["baseline_p95_ms"] < 2.6
    assert found.reasons[0].startswith(f"p95_ms: {metrics['p95_ms']:.3g} of the new release, "
                                       f"{metrics['baseline_p95_ms']:.3g} of the old one beside it: ")
    assert found.thresholds() == [{"threshold": "p95_ms < 1.5 x baseline_p95_ms", "metric": "p95_ms",
                                   "limit": round(1.5 * found.compared["p95_ms"].old.estimate, 3),
                                   "measured": metrics["p95_ms"], "ok": False}]


def test_one_that_is_as_fast_passes():
    found = watched(Latency(rules()), 200)
    assert (found.verdict, found.reasons) == ("pass", [])
    assert found.thresholds()[0]["ok"] is True


@pytest.mark.parametrize(("median_ms", "slower"), [(0.5, 3.0), (20.0, 1.2)])
def test_what_does_not_matter_passes(median_ms, slower):
    """Three times as long, and yet nobody feels it; or a little longer, within the tolerance."""
    assert watched(Latency(rules()), 400, slower=slower, median_ms=median_ms).verdict == "pass"


def test_too_few_answers_say_nothing():
    found = Latency(rules())
    assert found.verdict == "inconclusive"
    watched(found, 4, slower=5.0)
    assert found.verdict == "inconclusive"
    assert found.thresholds()[0]["ok"] is None
    assert found.reasons == ["latency: 80 answers of the new release and 720 of the old one are too few, or too "
                             f"uneven, to tell; the next look is at {FIRST} of the new one"]


def test_without_answers_of_the_old_release_nothing_is_compared():
    found = watched(Latency(rules()), 100, old_rps=0)
    assert (found.verdict, found.metrics) == ("inconclusive", {})


def test_a_later_look_goes_on_with_what_was_seen():
    first = watched(Latency(rules()), 15, slower=1.4)
    assert first.verdict == "inconclusive"
    again = Latency(rules(), json.loads(json.dumps(first.to_dict())))
    assert (again.new.count, again.old.count, again.wanted) == (300, 2700, first.wanted)
    assert watched(again, 60, slower=2.0, seed=2).verdict == "fail"


@pytest.mark.parametrize("uneven", [0.0, 3.0])
def test_healthy_releases_are_not_sent_back(uneven):
    """Of 100 rollouts with a chance of 1 % each more than 5 are wrong once in 2,000 times (binomial).

    Uneven seconds, in which both are up to four times as slow, do not make it worse.
    """
    strict = {"tolerance": "0%", "min_effect_ms": 0.001}
    wrong = sum(watched(Latency(rules(0.01, **strict)), 40, seed=seed, uneven=uneven).verdict == "fail"
                for seed in range(100))
    assert wrong <= 5


@pytest.mark.parametrize(("wrong", "field"), [
    ({"percentiles": ["median"]}, "latency.percentiles"),
    ({"tolerance": "twice"}, "latency.tolerance"),
    ({"min_effect_ms": 0}, "latency.min_effect_ms"),
    ({"tolerence": "50%"}, "latency"),
])
def test_rules_that_mean_nothing_are_refused(wrong, field):
    with pytest.raises(InputError, match=f"^{field}: "):
        LatencyRules.parse(wrong, 0.001)
