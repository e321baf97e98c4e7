# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Capacity: what serves in each wave, refused below the minimum; how many hosts a load asks for."""

from __future__ import annotations

import math

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.plan import capacity
from hypothesis import given
from hypothesis import strategies as st

WAVES = [["a"], ["b", "c"]]


def hosts(serving="abc", of="abc"):
    return {host: {"serving": host in serving} for host in of}


def test_a_wave_takes_no_host_away():
    found = capacity.steps(WAVES, hosts(), {})
    assert [(one["serving"], one["old"], one["share"], one["rps"]) for one in found] == [
        (3, 2, 1.0, None), (3, 0, 1.0, None)]
    assert capacity.text(found[0]) == "3 of 3 hosts serve (100%)"


def test_a_drained_host_is_missing_until_its_wave_is_through():
    assert [one["serving"] for one in capacity.steps(WAVES, hosts("bc"), {})] == [2, 3]
    assert [one["serving"] for one in capacity.steps(WAVES, hosts("ac"), {})] == [2, 2]


def test_declared_rates_weigh_the_hosts():
    found = capacity.steps(WAVES, hosts("ab"), {"a": 100, "b": 100, "c": 600})
    assert [(one["rps"], one["of_rps"], one["share"]) for one in found] == [(200, 800, 0.25)] * 2
    assert capacity.text(found[0]) == "2 of 3 hosts serve (25%), 200 of 800 rps"
    assert capacity.steps(WAVES, hosts("ab"), {"a": 100, "b": 100})[0]["rps"] is None


@pytest.mark.parametrize(("minimum", "fine"), [
    ("", True), ("60%", True), ("66.6%", True), ("67%", False), ("100%", False), (2, True), ("3", False), ("0%", True)])
def test_less_than_the_minimum_is_refused_with_the_numbers(minimum, fine):
    found = capacity.steps(WAVES, hosts("bc"), {})
    if fine:
        capacity.check_minimum(minimum, found, ["a"])
    else:
        expected = r"at least .* in wave 1 \(without traffic now: a.*found '2 of 3 hosts serve \(67%\)'"
        with pytest.raises(InputError, match=expected):
            capacity.check_minimum(minimum, found, ["a"])


@pytest.mark.parametrize("minimum", ["most", "101%", "-1", True, "1.5.2"])
def test_minima_that_mean_nothing_are_refused(minimum):
    with pytest.raises(InputError, match="rollout_min_capacity: expected a share"):
        capacity.check_minimum(minimum, [], [])


@given(st.floats(0, 1e6), st.floats(1, 1e5), st.integers(1, 100))
def test_the_proposal_is_the_least_that_carries_the_load_with_one_host_lost(load, rate, count):
    wanted = capacity.proposal(load, rate, [1] * count)["wanted"]
    assert wanted >= 2
    assert (wanted - 1) * rate * capacity.UTILISATION >= load * (1 - 1e-9)
    assert wanted == 2 or (wanted - 2) * rate * capacity.UTILISATION <= load * (1 + 1e-9)


@given(st.floats(0, 1e6), st.floats(1, 1e5), st.lists(st.integers(1, 20), min_size=2, max_size=20))
def test_so_are_the_replicas_as_far_as_they_bear_what_the_measured_ones_do(load, rate, replicas):
    wanted = capacity.proposal(load, rate, replicas)["wanted_replicas"]
    one_bears = rate * len(replicas) / sum(replicas) * capacity.UTILISATION * (len(replicas) - 1)
    assert wanted >= 1
    assert wanted * one_bears >= load * (1 - 1e-9)
    assert wanted == 1 or (wanted - 1) * one_bears <= load * (1 + 1e-9)


def test_replicas_do_not_stand_in_for_the_only_host():
    found = capacity.proposal(300, 200, [2])
    assert found["wanted_replicas"] is None
    assert "replicas" not in found["text"]


def test_the_proposal_says_what_it_rests_on():
    found = capacity.proposal(300, 200, [1, 1, 1])
    assert (found["wanted"], round(found["used"], 2)) == (4, 0.5)
    assert found["text"] == ("load now 300 rps, 50% of 600 rps; proposal: 4 hosts, 1 more (one may be lost, the others "
                             "used to 70%); or, on the 3 hosts there are, release_replicas: 2 (a host bears 200 "
                             "rps with 1; with more it bears more only as far as its processors go: measure "
                             "rollout_capacity_rps again)")
    assert "as there are" in capacity.proposal(280, 200, [1] * 3)["text"]
    assert "2 fewer" in capacity.proposal(1, 200, [1] * 4)["text"]
    assert math.isinf(capacity.proposal(1, 200, [])["used"])
    with pytest.raises(InputError):
        capacity.proposal(1, 0, [1] * 3)
