# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HAProxy's own answers, recorded from 2.6.12, as typed servers; and the commands that go out."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer import haproxy
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.server import Server, Wish
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from hypothesis import example, given
from hypothesis import strategies as st

RECORDED = Path(__file__).parent / "fixtures" / "haproxy-2.6"
STAT = (RECORDED / "show_stat.csv").read_text(encoding="utf-8")
STATES = (RECORDED / "show_servers_state.txt").read_text(encoding="utf-8")
SESSIONS = (RECORDED / "show_sess_all.txt").read_text(encoding="utf-8")


def server(name: str) -> Server:
    backends = haproxy.parse_servers(STAT, STATES)
    return next(one for servers in backends.values() for one in servers if one.name == name)


def test_servers_come_by_backend_in_the_order_of_the_configuration() -> None:
    names = {backend: [one.name for one in servers] for backend, servers in haproxy.parse_servers(STAT, STATES).items()}
    assert names == {
        "be_pitch": ["app1-blue", "app1-green", "app2-blue", "app2-green", "app3-blue", "app3-green"],
        "be_plain": ["one", "two"],
    }


@pytest.mark.parametrize(
    ("name", "state", "operational", "healthy", "check"),
    [
        ("app1-blue", "ready", "running", True, "L7OK 200"),
        ("app1-green", "ready", "stopped", False, "L7STS 500 Internal Server Error"),
        ("app2-blue", "maint", "stopped", False, "no answer yet"),
        ("app2-green", "ready", "stopped", False, "L4CON Connection refused"),
        ("app3-blue", "drain", "running", True, "L7OK 200"),
    ],
)
def test_state_and_health_are_told_apart(name: str, state: str, operational: str, healthy: bool, check: str) -> None:
    found = server(name)
    assert (found.state, found.operational, found.healthy, found.check) == (state, operational, healthy, check)


def test_numbers_are_numbers() -> None:
    found = server("app3-blue")
    assert (found.weight, found.port, found.address) == (25, 18005, "127.0.0.1")
    assert (found.check_health, found.check_rise, found.check_fall) == (4, 2, 3)
    assert server("app1-blue").sessions == 1
    assert server("app1-blue").counters["hrsp_2xx"] == 7


def test_a_server_without_a_check_is_never_healthy() -> None:
    assert (server("one").checked, server("one").healthy) == (False, False)
    assert (server("two").checked, server("app2-blue").checked) == (False, True)


def test_totals_are_those_of_the_whole_backend() -> None:
    totals = haproxy.parse_totals(STAT)
    assert set(totals) == {"be_pitch", "be_plain"}
    assert totals["be_pitch"]["hrsp_2xx"] == 7


@pytest.mark.parametrize(
    ("backend", "tunnels"),
    [
        # blue: a WebSocket over HTTP/1.1, one over HTTP/2 and, from the same client, a request under way.
        ("be_pitch", {"app1-blue": 2, "app1-green": 1}),
        ("be_other", {"app1-blue": 1}),
        ("be_tcp", {}),
        ("be", {}),
    ],
)
def test_tunnels_are_told_from_requests_and_by_backend(backend: str, tunnels: dict[str, int]) -> None:
    assert SESSIONS.count("server=app1-blue ") == 4
    assert haproxy.parse_tunnels(SESSIONS, backend) == tunnels


def test_no_session_is_no_tunnel() -> None:
    assert haproxy.parse_tunnels("", "be_pitch")["app1-blue"] == 0


def test_an_unknown_format_says_which_haproxy_is_needed() -> None:
    with pytest.raises(FleetError, match=r"format version 1, found 'Unknown command'.* HAProxy 2\.6"):
        haproxy.parse_states("Unknown command")


@given(st.text("ab1._:-;/ \n\r\t", max_size=6))
@example("app1\n")
def test_no_name_can_smuggle_in_another_command(name: str) -> None:
    try:
        command = haproxy.server_command("be", name, "state ready")
    except InputError:
        return
    assert command.split() == ["set", "server", f"be/{name}", "state", "ready"]
    assert ";" not in command


def test_a_wish_is_about_what_it_names_only() -> None:
    wish = Wish("app3-blue", state="ready", weight=25)
    assert wish.asked(server("app3-blue")) == {"state": "drain", "weight": 25}
    assert wish.wanted() == {"state": "ready", "weight": 25}
    assert Wish("app3-blue").wanted() == {}
