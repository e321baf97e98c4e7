# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waves: every host once, in the order asked for, never two failure domains in one."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.plan import waves
from hypothesis import given
from hypothesis import strategies as st

HOSTS = st.lists(st.from_regex(r"[a-z]{1,6}\d{1,2}", fullmatch=True), min_size=1, max_size=20, unique=True)
SIZES = st.lists(st.one_of(st.integers(1, 9), st.integers(1, 100).map("{}%".format)), min_size=1, max_size=4)


@given(HOSTS, SIZES, st.data())
def test_every_host_is_in_exactly_one_wave_and_canaries_are_first(hosts, sizes, data):
    canaries = data.draw(st.lists(st.sampled_from(hosts), unique=True, max_size=3))
    made = waves.make_waves(hosts, canaries, sizes)
    assert sorted(host for wave in made for host in wave) == sorted(hosts)
    assert all(made)
    if canaries:
        assert made[0] == canaries
    rest = [host for wave in made[bool(canaries):] for host in wave]
    assert rest == [host for host in hosts if host not in canaries]


@pytest.mark.parametrize(("hosts", "canaries", "sizes", "expected"), [
    ("abc", "a", ["100%"], ["a", "bc"]),
    ("abcdefgh", "", [1, "25%", "50%"], ["a", "bc", "defg", "h"]),
    ("abcdef", "f", [2], ["f", "ab", "cd", "e"]),
    ("abc", "", ["1%"], ["a", "b", "c"]),
    ("ab", "ab", [1], ["ab"]),
])
def test_sizes(hosts, canaries, sizes, expected):
    assert waves.make_waves(list(hosts), list(canaries), sizes) == [list(wave) for wave in expected]


@pytest.mark.parametrize("size", [0, "0%", "101%", -1, "half", True, "", None, 1.5])
def test_sizes_that_mean_nothing_are_refused(size):
    with pytest.raises(InputError, match="rollout_waves: expected"):
        waves.make_waves(["a"], [], [size])


def test_a_canary_that_is_no_host_is_refused():
    with pytest.raises(InputError, match=r"rollout_canary_hosts: expected hosts out of a, b, each once, found \['z'\]"):
        waves.make_waves(["a", "b"], ["z"], [1])


@given(HOSTS, SIZES, st.data())
def test_no_wave_spans_two_failure_domains(hosts, sizes, data):
    domains = {host: data.draw(st.sampled_from("abc")) for host in hosts}
    canaries = data.draw(st.lists(st.sampled_from(hosts), unique=True, max_size=3))
    made = waves.make_waves(hosts, canaries, sizes, {}, domains)
    assert sorted(host for wave in made for host in wave) == sorted(hosts)
    assert all(len({domains[host] for host in wave}) == 1 for wave in made)


GROUPS = {"eu": ["a", "b", "c"], "us": ["d", "e"]}


@pytest.mark.parametrize(("canaries", "wishes", "expected"), [
    ("", [{"group": "us"}, {"group": "eu"}], ["de", "abc"]),
    ("a", [{"group": "eu", "size": 1}, {"group": "us"}], ["a", "b", "c", "de"]),
    ("d", [1, {"group": "us"}, "50%"], ["d", "a", "e", "bc"]),
    ("", [{"group": "us", "size": "50%"}, "100%"], ["d", "e", "abc"]),
    ("de", [{"group": "us"}, "100%"], ["de", "abc"]),
])
def test_groups(canaries, wishes, expected):
    assert waves.make_waves(list("abcde"), list(canaries), wishes, GROUPS) == [list(wave) for wave in expected]


def test_hosts_of_one_domain_are_next_to_each_other():
    domains = dict(zip("abcdef", "121212"))
    assert waves.make_waves(list("abcdef"), [], [2], {}, domains) == [list(wave) for wave in ("ac", "e", "b", "df")]
    assert waves.make_waves(list("abcdef"), [], ["100%"], {}, domains) == [list("ace"), list("bdf")]


@pytest.mark.parametrize(("wishes", "found"), [
    ([{"group": "asia"}], "a group of the inventory"),
    ([{"group": "eu", "count": 1}], "a group of the inventory"),
    ([{"group": "eu", "size": 0}], "numbers of hosts above 0"),
    ([{"group": "eu"}], "waves with every host, also d, e"),
    ([1, {"group": "eu"}], "waves with every host, also d, e"),
])
def test_groups_that_mean_nothing_or_leave_hosts_out_are_refused(wishes, found):
    with pytest.raises(InputError, match=f"rollout_waves: expected {found}"):
        waves.make_waves(list("abcde"), [], wishes, GROUPS)


@pytest.mark.parametrize(("strategy", "judged", "domains", "found"), [
    ("quick", True, {}, "rollout_strategy: expected one of rolling, blue_green, canary"),
    ("canary", False, {}, "rollout_judge: expected its rules"),
    ("blue_green", False, {"a": "1", "b": "2"}, "rollout_strategy: expected rolling, because"),
])
def test_strategies_that_cannot_be_are_refused(strategy, judged, domains, found):
    with pytest.raises(InputError, match=found):
        waves.check_strategy(strategy, judged, domains)


def test_strategies_that_can_be():
    waves.check_strategy("rolling", False, {"a": "1", "b": "2"})
    waves.check_strategy("blue_green", False, {"a": "1", "b": "1"})
    waves.check_strategy("canary", True, {})
