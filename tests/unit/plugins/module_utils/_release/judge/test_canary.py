# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The canary judge: what it may never do, whatever was counted."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer import haproxy
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.server import Server
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.verdict import FAIL, INCONCLUSIVE, PASS
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.canary import Counts, Judge, Rules, relative
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.canary_run import counted
from hypothesis import given
from hypothesis import strategies as st

RECORDED = Path(__file__).parents[2] / "_balancer" / "fixtures" / "haproxy-2.6"
ORDER = [PASS, INCONCLUSIVE, FAIL]


@st.composite
def counts(draw):
    requests = draw(st.integers(0, 400))
    return Counts(requests, draw(st.integers(0, requests)))


intervals = st.lists(st.tuples(counts(), counts()), max_size=8)
ratios = st.floats(1.5, 100)


def judged(evidence, rules=None):
    judge = Judge(rules or Rules())
    for new, old in evidence:
        judge.feed(new, old)
    return judge


@given(intervals, st.data())
def test_one_more_error_never_makes_a_verdict_better(evidence, data):
    places = [number for number, (new, dummy) in enumerate(evidence) if new.errors < new.requests]
    if not places:
        return
    place = data.draw(st.sampled_from(places))
    new, old = evidence[place]
    worse = [*evidence[:place], (Counts(new.requests, new.errors + 1), old), *evidence[place + 1:]]
    assert ORDER.index(judged(worse).verdict) >= ORDER.index(judged(evidence).verdict)


@given(counts(), counts(), ratios)
def test_who_is_called_new_does_not_matter_when_the_ratio_is_turned_round(one, other, ratio):
    assert math.isclose(relative(one, other, ratio), relative(other, one, 1 / ratio), abs_tol=1e-6)


@given(intervals, intervals)
def test_what_two_load_balancers_counted_is_one_evidence(one, other):
    merged, together, turned = judged(one).merge(judged(other)), judged(one + other), judged(other).merge(judged(one))
    assert (merged.new, merged.old, merged.verdict) == (together.new, together.old, together.verdict)
    assert math.isclose(merged.baseline, turned.baseline, abs_tol=1e-6)


@given(counts())
def test_without_the_new_release_there_is_no_verdict(old):
    assert judged([(Counts(), old)]).verdict == INCONCLUSIVE


@given(counts())
def test_without_a_baseline_nothing_is_sent_back(new):
    assert judged([(new, Counts())]).verdict != FAIL


@given(st.integers(1, 12), st.integers(1, 12), st.data(), ratios)
def test_under_equal_rates_the_ratio_is_at_most_one_on_average(new, old, data, ratio):
    """What alpha rests on: given the total, the errors of equals are spread hypergeometrically."""
    errors = data.draw(st.integers(0, new + old))
    possible = range(max(0, errors - old), min(new, errors) + 1)
    mean = sum(math.comb(new, x) * math.comb(old, errors - x) / math.comb(new + old, errors)
               * math.exp(relative(Counts(new, x), Counts(old, errors - x), ratio)) for x in possible)
    assert mean <= 1 + 1e-9


def test_the_chance_to_pass_at_the_limit_and_to_fail_below_what_is_harmless_are_bounded():
    """Exact, by walking through all ways that 1,500 single requests can go."""
    rules = Rules()
    for rate, wrong, bound in ((rules.max_error_rate, PASS, rules.beta), (rules.harmless, FAIL, rules.alpha)):
        alive, reached = {0: 1.0}, 0.0
        for number in range(1, 1501):
            after = {}
            for errors, chance in alive.items():
                for more, share in ((0, 1 - rate), (1, rate)):
                    after[errors + more] = after.get(errors + more, 0.0) + chance * share
            alive = {}
            for errors, chance in after.items():
                judge = Judge(rules, Counts(number, errors))
                if (judge.verdict == PASS) if wrong == PASS else judge.harmful:
                    reached += chance
                else:
                    alive[errors] = chance
        assert 0 < reached <= bound


@pytest.mark.parametrize(("requests", "errors", "old", "verdict"), [
    (508, 0, Counts(5000, 5), INCONCLUSIVE), (509, 0, Counts(5000, 5), PASS),
    (20, 5, Counts(180, 0), FAIL), (20, 4, Counts(180, 0), INCONCLUSIVE), (20, 5, Counts(180, 36), INCONCLUSIVE),
])
def test_where_the_boundaries_are(requests, errors, old, verdict):
    judge = judged([(Counts(requests, errors), old)])
    assert judge.verdict == verdict
    assert judged([(Counts(requests + judge.wanted, errors), old)]).verdict == PASS


def test_a_trouble_that_hits_both_is_told_apart_by_its_interval():
    """Shares change: over all, the new release looks twice as bad, and in each interval it is the same."""
    evidence = [(Counts(10, 0), Counts(990, 0)), (Counts(500, 250), Counts(500, 250))]
    judge = judged(evidence)
    assert judge.new.rate > 1.9 * judge.old.rate
    assert judge.harmful
    assert judge.baseline < 0
    assert judge.verdict == INCONCLUSIVE


@pytest.mark.parametrize("wrong", [
    {"max_error_rate": 0}, {"max_error_rate": 1}, {"ratio": 1}, {"ratio": math.inf}, {"alpha": 0}, {"beta": 1},
])
def test_rules_that_mean_nothing_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Rules(**wrong)


def test_evidence_sums_up_step_by_step():
    steps = [(Counts(5, 1), Counts(45, 0))] * 5
    verdicts = [judge.verdict for judge in accumulate(steps, lambda judge, one: judge.merge(judged([one])),
                                                      initial=Judge(Rules()))]
    assert verdicts == [INCONCLUSIVE] * 5 + [FAIL]


def test_haproxys_counters_as_recorded():
    backends = haproxy.parse_servers((RECORDED / "show_stat.csv").read_text(encoding="utf-8"),
                                     (RECORDED / "show_servers_state.txt").read_text(encoding="utf-8"))
    found = {server.name: server for server in backends["be_pitch"]}
    fresh = {name: replace(server, counters={}) for name, server in found.items()}
    assert counted(fresh["app1-blue"], found["app1-blue"]) == Counts(7, 0)
    for name, server in found.items():
        one = counted(fresh[name], server)
        errors = sum(server.counters[counter] for counter in ("hrsp_5xx", "econ", "eresp"))
        assert one.errors - errors == max(server.counters[counter] for counter in ("wretr", "wredis"))
        assert one.errors <= one.requests


@pytest.mark.parametrize(("changes", "expected"), [
    ({"req_tot": 20, "hrsp_5xx": 2}, Counts(20, 2)),
    ({"wredis": 3}, Counts(3, 3)),
    ({"wredis": 3, "wretr": 2, "econ": 1, "eresp": 1, "req_tot": 5}, Counts(10, 5)),
    ({"wretr": -1, "req_tot": 5}, None),
])
def test_what_is_tried_again_counts_once(changes, expected):
    before = Server("green", "ready", "running", 10, 0, "10.0.0.1", 8002, True,
                    counters=dict.fromkeys(("req_tot", "hrsp_5xx", "econ", "eresp", "wretr", "wredis"), 100))
    after = replace(before, counters={name: count + changes.get(name, 0) for name, count in before.counters.items()})
    assert counted(before, after) == expected
