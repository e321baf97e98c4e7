# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replicas in what is observed and planned: a slot is what all of them are."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.plan.make import make_plan
from ansible_collections.evenkeel.fleet.tests.unit.plugins.module_utils._release.plan.test_plan import (
    BEGUN,
    DIGEST,
    OLD,
    SLOTS,
    THROUGH,
    answers,
    found,
    look,
    request,
    slot_of,
)

BLUE = {"slot": "blue", "release": "v1", "digest": OLD, "config": "c1", "running": True}
GREEN = {"slot": "green", "release": "v2", "digest": DIGEST, "config": "c2", "running": True}
SAME = {"release": "v1", "digest": OLD, "config": "c1"}
TWO = {"blue": "ready", "blue_2": "ready", "green": "maint", "green_2": "maint"}


def two(*blue, **changes):
    """What release_info says of a host whose ledger has two replicas in blue."""
    witness = found(**changes)
    witness["status"]["current"].update(config="c1", replicas=2)
    witness["instances"]["blue"] = slot_of(*(blue or (BLUE, BLUE)))
    return witness


def test_servers_and_ports_are_those_of_the_ledger_and_those_that_are_wanted():
    one = look(two(), answers(**TWO), config="c2", replicas=3)
    assert (one["active_servers"], one["active_ports"]) == (["app1-blue", "app1-blue-2"], [8001, 8003])
    assert one["target_servers"] == ["app1-green", "app1-green-2", "app1-green-3"]
    assert (one["replicas"], one["target_ports"]) == (3, [8002, 8004, 8006])


def test_a_ledger_from_before_there_were_replicas_has_one():
    assert look(found(), answers(blue="ready", green="maint"))["active_servers"] == ["app1-blue"]


def test_a_configuration_that_was_committed_before_has_the_replicas_of_that_time():
    # So it is with a rollback, whatever today's variable says.
    witness = two()
    witness["status"]["history"] = [{"release": "v0", "config": "c0"},
                                    {"release": "v0", "config": "c9", "replicas": 4}]
    assert [look(witness, answers(**TWO), config=config, replicas=2)["replicas"] for config in ("c0", "c9", "c5")] == [
        1, 4, 2]


@pytest.mark.parametrize("slots", [
    {**TWO, "blue_2": "maint"}, {**TWO, "blue_2": "drain"}, {**TWO, "green_2": "drain"}, {**TWO, "green_2": "ready"},
    {**TWO, "blue_3": "ready"}, {"blue": "ready", "green": "maint"}])
def test_in_place_needs_every_server_and_no_other(slots):
    assert look(two(), answers(**TWO), **SAME)["in_place"]
    assert look(two(), answers(**TWO, blue_3="maint"), **SAME)["in_place"]
    assert not look(two(), answers(**slots), **SAME)["in_place"]


@pytest.mark.parametrize("blue", [
    [BLUE], [BLUE, BLUE, BLUE], [BLUE, {**BLUE, "running": False}], [BLUE, {**BLUE, "digest": DIGEST}],
    [{**BLUE, "config": "c2"}, BLUE]])
def test_in_place_needs_every_container(blue):
    assert not look(two(*blue), answers(**TWO), **SAME)["in_place"]


def test_a_host_serves_with_all_of_its_replicas():
    assert look(two(), answers(**TWO))["serving"]
    assert not look(two(), answers(**{**TWO, "blue_2": "maint"}))["serving"]
    down = answers(**TWO)
    down[0]["backends"]["be_shop"]["servers"][1]["healthy"] = False
    assert not look(two(), down)["serving"]


def test_traffic_on_any_server_of_the_other_slot_is_a_conflict():
    (conflict,) = look(two(), answers(**{**TWO, "green_2": "ready"}))["conflicts"]
    assert "sends traffic to green" in conflict


def test_so_is_one_container_of_another_image_in_the_slot_to_go_back_to():
    witness = two(BLUE, {**BLUE, "digest": DIGEST}, interrupted=True, state="SWITCHED")
    (conflict,) = look(witness, answers(**TWO))["conflicts"]
    assert f"made of another image ({DIGEST[:19]})" in conflict


@pytest.mark.parametrize(("green", "states", "goes_on"), [
    ([GREEN, GREEN], {}, True), ([GREEN], {}, False), ([GREEN, {**GREEN, "running": False}], {}, False),
    ([GREEN, GREEN], {"green_2": "drain"}, False), ([GREEN, GREEN], {"blue_2": "ready"}, False),
    ([GREEN, GREEN], {"blue": "drain"}, True)])
def test_an_interrupted_run_goes_on_with_all_replicas(green, states, goes_on):
    witness = two(**THROUGH)
    witness["records"] = [{**BEGUN, "data": {**BEGUN["data"], "config": "c2"}}]
    witness["instances"]["green"] = slot_of(*green)
    switched = {"blue": "maint", "blue_2": "maint", "green": "ready", "green_2": "ready", **states}
    assert look(witness, answers(**switched), config="c2", replicas=2)["through"] == goes_on


def plan(replicas, states=None, **changes):
    return make_plan({"app1": look(two(), answers(**(states or TWO)), replicas=replicas, config="c2")},
                     request(**changes))


def test_the_plan_says_how_many_there_are_and_will_be():
    assert [line for line in plan(1)["text"] if "bundle" in line] == ["bundle v2-, replicas: 1 instead of 2 (app1)"]
    assert "bundle v2-, replicas: 2 (app1)" in plan(2)["text"]


@pytest.mark.parametrize("replicas", [0, -1, "two", "", None, True, 1.5])
def test_a_number_that_is_none_is_refused(replicas):
    (problem,) = plan(replicas)["problems"]
    expected = "release_replicas: expected a number of replicas, 1 or more"
    assert problem == f"{expected}, found {replicas!r}. Example: 2"


def test_more_than_a_load_balancer_has_servers_for_are_refused():
    (problem,) = plan("3")["problems"]
    assert problem == (
        "release_replicas: expected a server of every load balancer for each replica of app1, found 3 replicas "
        "and no app1-green-3 on edge1. Set load_balancer_replicas to 3 and run the playbook deploy, or lower "
        "release_replicas.")
    assert not plan(3, balancers_required=False)["problems"]


def test_so_are_fewer_servers_than_the_slot_has_that_one_would_go_back_to():
    (problem,) = plan(1, {"blue": "ready", "green": "maint"})["problems"]
    assert "found 2 replicas and no app1-blue-2 on edge1. Set load_balancer_replicas to 2" in problem


@pytest.mark.parametrize(("apart", "replicas"), list(itertools.product((2, 4), (2, 3))))
def test_ports_that_collide_are_refused(apart, replicas):
    ports = {"blue": 8001, "green": 8001 + apart}
    problems = [one for one in plan(replicas, balancers_required=False, ports=ports)["problems"]
                if one.startswith("release_ports")]
    assert bool(problems) == (apart // 2 < replicas)
    assert not plan(replicas, balancers_required=False, ports=SLOTS)["problems"]
