# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the executors send, what they make of results, and which options they refuse."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.verdict import Verdict
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.phase import Phase, part_of
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.report import Report
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.tally import Outcome, Tally
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.run import Run
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.shapes.parse import Options
from hypothesis import given
from hypothesis import strategies as st

VUS_STAGES = [{"duration_s": 10, "vus": 20}, {"duration_s": 0, "vus": 5}, {"duration_s": 5, "vus": 5}]


@pytest.mark.parametrize(("options", "field"), [
    ({"executor": "ramping"}, "executor"),
    ({"executor": "ramping_vus"}, "stages"),
    ({"executor": "ramping_vus", "stages": []}, "stages"),
    ({"executor": "ramping_vus", "stages": [{"duration_s": 0, "vus": 5}]}, "stages"),
    ({"executor": "ramping_vus", "stages": [{"duration_s": 5, "vus": 0}]}, "stages"),
    ({"executor": "ramping_vus", "stages": [{"duration_s": 5, "rate_rps": 5}]}, "stages[0]"),
    ({"executor": "ramping_vus", "stages": [{"duration_s": 5, "vus": 5}, {"duration_s": -1, "vus": 5}]},
     "stages[1].duration_s"),
    ({"executor": "ramping_vus", "stages": [{"duration_s": 5, "vus": -5}]}, "stages[0].vus"),
    ({"executor": "ramping_vus", "stages": VUS_STAGES, "warmup_s": 1}, "warmup_s"),
    ({"executor": "ramping_arrival_rate", "stages": VUS_STAGES}, "stages[0]"),
    ({"stages": VUS_STAGES}, "stages"),
    ({"executor": "step"}, "levels"),
    ({"executor": "step", "levels": [10]}, "levels"),
    ({"executor": "step", "levels": [10, 10]}, "levels"),
    ({"executor": "step", "levels": [100, 10]}, "levels"),
    ({"executor": "step", "levels": [0, 10]}, "levels"),
    ({"executor": "spike", "duration_s": 60, "spike": {"factor": 1}}, "spike.factor"),
    ({"executor": "spike", "duration_s": 60, "spike": {"start_s": 1}}, "spike.start_s"),
    ({"executor": "spike", "duration_s": 60, "spike": {"recovery_factor": 0.5}}, "spike.recovery_factor"),
    ({"executor": "spike", "duration_s": 60, "spike": {"start_s": 30, "length_s": 29}}, "duration_s"),
    ({"executor": "spike", "duration_s": 10}, "spike.start_s"),
    ({"spike": {"factor": 5}}, "spike"),
    ({"executor": "soak", "duration_s": 9}, "duration_s"),
    ({"executor": "capacity"}, "rate_rps"),
    ({"executor": "capacity", "rate_rps": 10, "capacity": {"min_rps": 20}}, "rate_rps"),
    ({"executor": "capacity", "rate_rps": 10, "capacity": {"max_rps": 5}}, "rate_rps"),
    ({"executor": "capacity", "rate_rps": 10, "capacity": {"precision": 0}}, "capacity.precision"),
    ({"executor": "capacity", "rate_rps": 10, "capacity": {"min_rps": 0}}, "capacity.min_rps"),
    ({"executor": "constant_arrival_rate", "rate_rps": float("inf")}, "rate_rps"),
    ({"iterations": 0}, "iterations"),
    ({"executor": "step", "levels": [1, 2], "iterations": 10}, "iterations"),
])
def test_bad_options_name_the_field_and_a_right_example(options, field):
    with pytest.raises(InputError) as caught:
        Options(**options).shape()
    assert caught.value.field == field
    assert "Example: " in str(caught.value)


def sent(**options):
    """Return the batches of a shape that does not decide: names, levels at the end, seconds, measured or not."""
    shape = Options(**options).shape()
    return [[(phase.name, phase.profile.at(phase.profile.duration_s), phase.profile.duration_s, phase.measured)
             for phase in batch] for batch in shape.batches(lambda report: Verdict())]


def test_a_warm_up_comes_before_and_is_not_measured():
    assert sent(vus=3, duration_s=4, warmup_s=2) == [[("warm-up of load", 3, 2, False), ("load", 3, 4, True)]]


def test_each_stage_that_takes_time_is_a_phase():
    assert sent(executor="ramping_vus", stages=VUS_STAGES) == [[("stage 1", 20, 10, True), ("stage 3", 5, 5, True)]]


def test_each_level_is_a_batch():
    assert sent(executor="step", levels=[1, 10], duration_s=3, warmup_s=1) == [
        [("warm-up of level 1", 1, 1, False), ("level 1", 1, 3, True)],
        [("warm-up of level 10", 10, 1, False), ("level 10", 10, 3, True)]]


def test_a_spike_is_one_batch():
    assert sent(executor="spike", rate_rps=100, duration_s=20, spike={"factor": 4}) == [
        [("before", 100, 5, True), ("spike", 400, 5, True), ("after", 100, 10, True)]]
    assert Options("spike", vus=8, duration_s=20).shape().connections == 40


@pytest.mark.parametrize(("options", "connections"), [
    ({"executor": "constant_arrival_rate", "rate_rps": 200}, 400),
    ({"executor": "constant_arrival_rate", "rate_rps": 200, "vus": 7}, 7),
    ({"executor": "constant_arrival_rate", "rate_rps": 0.5}, 10),
    ({"executor": "constant_arrival_rate", "rate_rps": 9000}, 1000),
    ({"executor": "ramping_arrival_rate", "stages": [{"duration_s": 1, "rate_rps": 50}]}, 100),
    ({"executor": "spike", "rate_rps": 20, "duration_s": 20}, 200),
    ({"executor": "soak", "rate_rps": 30, "duration_s": 60}, 60),
])
def test_arrivals_have_connections_for_answers_that_take_two_seconds(options, connections):
    assert Options(**options).shape().connections == connections


def test_stages_make_the_number_of_requests_due_that_they_amount_to():
    stages = [{"duration_s": 1.5, "rate_rps": 7}, {"duration_s": 2.3, "rate_rps": 11}, {"duration_s": 1, "rate_rps": 0}]
    shape = Options("ramping_arrival_rate", stages=stages).shape()
    phases = next(shape.batches(lambda report: Verdict()))
    due = sum(phase.profile.due_before(phase.profile.duration_s) - phase.profile.first for phase in phases)
    assert due == 32  # 5.25 + 20.7 + 5.5 = 31.45, the first one at the start


@given(st.integers(0, 10_000), st.integers(1, 64))
def test_parts_add_up(number, count):
    parts = [part_of(number, (place, count)) for place in range(count)]
    assert sum(parts) == number
    assert max(parts) - min(parts) <= 1


def test_a_phase_survives_the_way_to_another_process():
    _first, second = next(Options("ramping_vus", stages=VUS_STAGES).shape().batches(lambda report: Verdict()))
    phase = Phase("p", second.profile, 5, arriving=True, measured=False, iterations=7)
    again = Phase.from_dict(phase.to_dict())
    assert again.to_dict() == phase.to_dict()
    assert again.offered == {"rps": 5.0}


def searched(bears, limit_of_generator=float("inf"), **capacity):
    """Search the capacity of a service that bears up to a rate; return the conclusion and the rates of the trials."""
    shape = Options("capacity", rate_rps=100, duration_s=1, capacity=capacity).shape()
    run = Run()

    def judge(report):
        rate = report.due
        verdict = "inconclusive" if rate > limit_of_generator else "pass" if rate <= bears else "fail"
        return Verdict(verdict, metrics={"rps": float(rate)})

    batches = shape.batches(judge)
    batch = next(batches)
    while batch:
        reports = [Report(due=batch[-1].profile.at(0))]
        run.parts += zip(batch, reports)
        try:
            batch = batches.send(reports)
        except StopIteration:
            batch = None
    assert shape.batch_number >= len(run.parts)
    return shape.conclude(run, judge), shape.whole(run).due


def test_the_capacity_is_found_within_its_precision():
    conclusion, due = searched(bears=730, precision=0.02)
    assert conclusion.verdict == "pass"
    found = conclusion.blocks["capacity"]
    assert found["rps"] <= 730 < found["not_borne_rps"] <= 1.02 * found["rps"]
    assert conclusion.metrics == {"capacity_rps": found["rps"]}
    assert due == found["rps"]


def test_a_generator_that_is_the_limit_makes_no_verdict():
    conclusion, _due = searched(bears=5000, limit_of_generator=300)
    assert conclusion.verdict == "inconclusive"
    assert conclusion.blocks["capacity"]["generator_limited"]
    assert conclusion.blocks["capacity"]["rps"] == pytest.approx(300, rel=0.05)


def test_a_capacity_beyond_the_limits():
    conclusion, due = searched(bears=5000, max_rps=1000)
    assert (conclusion.verdict, due) == ("pass", 1000)
    assert conclusion.blocks["capacity"] == {
        "rps": 1000, "not_borne_rps": None, "trials": 5, "generator_limited": False}
    conclusion, _due = searched(bears=5, min_rps=10)
    assert (conclusion.verdict, conclusion.metrics) == ("fail", {"capacity_rps": None})
    assert conclusion.reasons == ["not even the lowest rate, 10 rps, is borne"]


def soaked(latency_of, error_of=lambda second: False, seconds=120):
    """Return the drift of a service with these latencies in ms and these failures in each second."""
    tally = Tally(1)
    for second in range(seconds):
        tally.fold(second * 10**9 + 1)
        for number in range(20):
            failed = "status" if error_of(second) and number < 2 else ""
            tally.sink(Outcome(0, 200, failed, None))(round(latency_of(second) * 1e6) + number * 10_000)
        tally.fold(second * 10**9 + 10**8)
    shape = Options("soak", duration_s=seconds).shape()
    phase = next(shape.batches(lambda report: Verdict()))[0]
    run = Run([(phase, Report(tally, measured_s=float(seconds)))])
    return shape.conclude(run, lambda report: Verdict())


def test_a_steady_service_does_not_drift():
    conclusion = soaked(lambda second: 20 + second * 7919 % 5)
    assert (conclusion.verdict, conclusion.reasons) == ("pass", [])
    assert conclusion.blocks["drift"]["interval_s"] == 2
    assert not conclusion.blocks["drift"]["p95_ms"]["drifts"]


def test_a_service_that_gets_slower_drifts():
    conclusion = soaked(lambda second: 20 + 0.1 * second)
    assert conclusion.verdict == "fail"
    found = conclusion.blocks["drift"]["p95_ms"]
    assert (found["trend"], found["drifts"]) == ("rising", True)
    assert found["slope_per_hour"] == pytest.approx(360, rel=0.05)
    assert conclusion.reasons[0].startswith("drift: p95_ms rises from 21.")


def test_a_trend_that_does_not_matter_is_no_drift():
    found = soaked(lambda second: 20 + 0.005 * second).blocks["drift"]["p95_ms"]
    assert (found["trend"], found["drifts"]) == ("rising", False)


def test_more_and_more_errors_are_drift():
    conclusion = soaked(lambda second: 20, lambda second: second > 60 and second % 2)
    assert conclusion.verdict == "fail"
    assert conclusion.blocks["drift"]["error_rate"]["drifts"]


def test_a_soak_that_was_cut_short_tells_nothing():
    conclusion = soaked(lambda second: 20, seconds=12)
    assert conclusion.verdict == "pass"
    short = Options("soak", duration_s=12).shape()
    phase = next(short.batches(lambda report: Verdict()))[0]
    conclusion = short.conclude(Run([(phase, Report(measured_s=4.0))]), lambda report: Verdict())
    assert (conclusion.verdict, conclusion.blocks["drift"]["p95_ms"]) == ("inconclusive", None)
