# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._restart.queue import (
    DONE,
    FAILED,
    PRIORITIES,
    Member,
    Progress,
    backoff_s,
    minimum_of,
    next_turn,
    simulate,
)
from hypothesis import given
from hypothesis import strategies as st

RETRIES = 2


@st.composite
def fleets(draw):
    """Members of up to three services on up to six hosts, how many of each have to serve, and who is up."""
    hosts = [f"app{number}" for number in range(draw(st.integers(1, 6)))]
    members = []
    for service in ("shop", "mail", "search")[: draw(st.integers(1, 3))]:
        priority, gap = draw(st.sampled_from(PRIORITIES)), draw(st.booleans())
        for host in draw(st.lists(st.sampled_from(hosts), unique=True, min_size=1)):
            members.append(Member(host, service, priority, gap, wanted=draw(st.booleans())))
    members.sort(key=lambda one: hosts.index(one.host))
    names = {one.service for one in members}
    minimum = {name: draw(st.integers(0, sum(one.service == name for one in members))) for name in names}
    places = {one.identity: draw(st.sampled_from(("up", "idle", "in doubt"))) for one in members}
    up, idle = ({identity for identity, place in places.items() if place == word} for word in ("up", "idle"))
    return members, minimum, up, idle


def serving(members, up, service):
    return sum(one.identity in up for one in members if one.service == service)


@given(fleets(), st.data())
def test_whatever_fails_the_queue_ends_and_keeps_its_promises(fleet, data):
    """Never below capacity by its own doing, one of a host at a time, each exactly once or as often as it may fail."""
    members, minimum, up, idle = fleet
    progress = {one.identity: Progress() for one in members}
    now_s, attempts = 0.0, dict.fromkeys(progress, 0)
    for _round in range(2 * len(members) * (RETRIES + 1)):  # as many as the role graceful_restart takes
        turn = next_turn(members, minimum, up, idle, progress, now_s)
        if turn.over:
            break
        if not turn.members:
            assert turn.wait_s > 0
            now_s += turn.wait_s
            continue
        assert len({one.host for one in turn.members}) == len(turn.members)
        away = {one.identity for one in turn.members if one.gap}
        for one in turn.members:
            assert one.wanted
            if one.gap and one.identity in up:
                assert serving(members, up - away, one.service) >= minimum[one.service]
            if not one.gap and one.identity in up:
                assert serving(members, up, one.service) >= minimum[one.service]
        ranks = {(one.identity in up, one.priority) for one in turn.members}
        assert len(ranks) == 1
        for service in minimum:
            doubtful = [one for one in turn.members if one.service == service and one.identity not in up | idle]
            assert len(doubtful) <= 1
        for one in turn.members:
            idle.discard(one.identity)
            attempts[one.identity] += 1
            if data.draw(st.booleans()):
                up.add(one.identity)
                progress[one.identity] = Progress(DONE, attempts[one.identity])
            else:
                up.discard(one.identity)
                again = attempts[one.identity] <= RETRIES
                retry_at_s = now_s + backoff_s(attempts[one.identity], 2.0) if again else None
                progress[one.identity] = Progress(FAILED, attempts[one.identity], retry_at_s)
    assert turn.over
    for one in members:
        how = progress[one.identity]
        assert how.attempts <= RETRIES + 1
        if not one.wanted:
            assert how.attempts == 0
        elif one.identity in turn.held:
            assert how.state != DONE
        else:
            assert how.state == DONE or how.attempts == RETRIES + 1


@given(fleets())
def test_a_run_in_which_all_goes_well_takes_each_exactly_once_or_says_who_is_held(fleet):
    members, minimum, up, idle = fleet
    turns, held = simulate(members, minimum, up, idle)
    gone = [one.identity for turn in turns for one in turn]
    assert sorted([*gone, *held]) == sorted(one.identity for one in members if one.wanted)
    assert all(minimum[identity.split("/")[1]] for identity in held)


@given(fleets())
def test_those_that_are_down_go_first_and_then_by_priority(fleet):
    members, _minimum, up, idle = fleet
    turns, held = simulate(members, {one.service: 0 for one in members}, up, idle)
    assert not held
    ranks = [(one.identity in up, PRIORITIES.index(one.priority)) for turn in turns for one in turn]
    assert ranks == sorted(ranks)


def test_a_service_on_one_host_can_reload_but_not_restart():
    for gap, turns in ((True, []), (False, [["app1/shop"]])):
        done, held = simulate([Member("app1", "shop", gap=gap)], {"shop": 1}, {"app1/shop"}, ())
        assert [[one.identity for one in turn] for turn in done] == turns
        assert held == ({"app1/shop": "shop would have 0 in service of at least 1"} if gap else {})


def test_one_that_stays_out_of_traffic_brings_no_capacity():
    members = [Member("app1", "shop"), Member("app2", "shop", returns=False)]
    turns, held = simulate(members, {"shop": 1}, {"app1/shop"}, {"app2/shop"})
    assert ([[one.host for one in turn] for turn in turns], set(held)) == ([["app2"]], {"app1/shop"})


def test_a_fleet_with_too_few_in_service_is_left_alone_even_by_reloads():
    members = [Member("app1", "shop", gap=False), Member("app2", "shop", gap=False, wanted=False)]
    progress = dict.fromkeys(("app1/shop", "app2/shop"), Progress())
    assert next_turn(members, {"shop": 2}, {"app1/shop"}, (), progress, 0).held


def test_others_go_on_while_one_waits_for_its_retry():
    members = [Member(f"app{number}", "shop") for number in (1, 2, 3, 4)]
    progress = {one.identity: Progress() for one in members}
    progress["app1/shop"] = Progress(FAILED, 1, retry_at_s=10.0)
    up = {"app2/shop", "app3/shop", "app4/shop"}
    turn = next_turn(members, {"shop": 2}, up, (), progress, now_s=5.0)
    assert [one.host for one in turn.members] == ["app2"]
    assert [one.host for one in next_turn(members, {"shop": 2}, up, (), progress, now_s=10.0).members] == ["app1"]
    assert next_turn(members, {"shop": 3}, up, (), progress, now_s=5.0).wait_s == 5.0


@pytest.mark.parametrize(("wanted", "total", "least"), [
    ("50%", 3, 2), ("50%", 4, 2), ("100%", 3, 3), ("0%", 3, 0), (2, 3, 2), ("2", 3, 2), (0, 1, 0), ("33%", 100, 33)])
def test_minimum(wanted, total, least):
    assert minimum_of(wanted, total) == least


@pytest.mark.parametrize("wanted", ["half", "150%", 4, -1, None, "1.5"])
def test_a_minimum_that_means_nothing_is_refused(wanted):
    with pytest.raises(InputError, match="min_available"):
        minimum_of(wanted, 3)


def test_backoff_doubles_up_to_its_cap():
    assert [backoff_s(number, 2.0) for number in (1, 2, 3, 4, 5, 6, 7)] == [2, 4, 8, 16, 32, 60, 60]
