# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replicas: names and ports of their own, which do not move when there are more or fewer."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.replicas import (
    known_servers,
    least_of,
    overlap,
    server_names,
    server_ports,
)
from hypothesis import given
from hypothesis import strategies as st

SLOTS = {"blue": 8001, "green": 8002}
COUNTS = st.integers(1, 50)


def test_names_and_ports_as_people_see_them():
    assert server_names("app1", "blue", 3) == ["app1-blue", "app1-blue-2", "app1-blue-3"]
    assert server_ports(SLOTS, "blue", 3) == [8001, 8003, 8005]
    assert server_ports({"blue": "8001", "green": "8002"}, "green", 2) == [8002, 8004]


@given(COUNTS, COUNTS)
def test_another_number_of_replicas_moves_nobody(first, second):
    fewer, more = sorted((first, second))
    assert server_names("app1", "blue", more)[:fewer] == server_names("app1", "blue", fewer)
    assert server_ports(SLOTS, "blue", more)[:fewer] == server_ports(SLOTS, "blue", fewer)


@given(COUNTS, st.integers(1, 60000), st.integers(1, 200))
def test_no_two_replicas_share_a_name_or_unless_that_is_said_a_port(count, first, apart):
    slots = {"blue": first, "green": first + apart}
    names = [name for slot in slots for name in server_names("app1", slot, count)]
    ports = [port for slot in slots for port in server_ports(slots, slot, count)]
    assert len(set(names)) == len(names)
    assert overlap(slots, count) == (len(set(ports)) < len(ports))
    assert overlap(slots, count) == (apart % 2 == 0 and apart // 2 < count)


@pytest.mark.parametrize(("slots", "count"), [
    ({"blue": 65535, "green": 65534}, 2), ({"blue": 0, "green": 1}, 1), ({"blue": 1, "green": 1}, 1)])
def test_ports_that_nobody_can_have_are_refused_like_those_of_others(slots, count):
    assert overlap(slots, count)


@given(COUNTS, COUNTS)
def test_of_a_load_balancer_a_slot_has_its_own_servers_and_no_others(mine, others):
    own = server_names("app1", "blue", mine)
    known = [*server_names("app1", "green", others), *server_names("app11", "blue", others), *own]
    assert known_servers(known, "app1", "blue") == own


@given(st.integers(0, 50))
def test_half_of_them_are_enough_and_none_never_is(count):
    assert least_of(count) >= 1
    assert count / 2 <= least_of(count) <= count / 2 + 1
