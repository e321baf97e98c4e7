# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers in and out of the traffic of a real HAProxy, with servers that fail, flap, hang and restart."""

from __future__ import annotations

import contextlib
import itertools
import threading
from typing import Any

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.tests.integration.balancer.harness import Balancer, until


def green(**wish: Any) -> dict[str, Any]:
    return {"name": "green", **wish}


def blue(**wish: Any) -> dict[str, Any]:
    return {"name": "blue", **wish}


def test_a_server_gets_traffic_only_after_rise_checks_in_a_row(balancer: Balancer) -> None:
    answers = [200, 500, 200, 200, 500]
    balancer.shops["green"].health_answers = itertools.chain(answers, itertools.repeat(200))
    result = balancer.switch(green(state="ready"), healthy=True)
    assert result["changed"]
    assert balancer.shops["green"].health_checks[:8] == [*answers, 200, 200, 200]
    assert result["servers"][0]["healthy"]
    assert balancer.get() == 200


def test_a_switch_adds_before_it_removes(balancer: Balancer) -> None:
    balancer.switch(blue(state="ready"), healthy=True)
    codes: list[int] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            codes.append(balancer.get())

    client = threading.Thread(target=ask)
    client.start()
    balancer.switch(blue(state="maint"), green(state="ready"), healthy=True, drain_deadline_s=5)
    over.set()
    client.join()
    assert balancer.states() == {"blue": "maint", "green": "ready"}
    assert len(codes) > 10
    assert set(codes) == {200}


def test_the_second_run_changes_nothing(balancer: Balancer) -> None:
    wishes = (green(state="ready", weight=10), blue(state="drain", weight=90))
    assert balancer.switch(*wishes, healthy=True)["changed"]
    saved = balancer.state_file.stat().st_mtime_ns
    assert not balancer.switch(*wishes, healthy=True)["changed"]
    assert balancer.state_file.stat().st_mtime_ns == saved


def test_check_mode_predicts_and_changes_nothing(balancer: Balancer) -> None:
    wish = green(state="ready", weight=10)
    foretold = balancer.switch(wish, check_mode=True)
    assert balancer.states() == {"blue": "maint", "green": "maint"}
    assert not balancer.state_file.exists()
    done = balancer.switch(wish)
    assert foretold["changed"]
    assert done["changed"]
    assert foretold["diff"] == done["diff"]
    assert done["diff"]["before"] == {"green": {"state": "maint", "weight": 1}}
    assert done["diff"]["after"] == {"green": {"state": "ready", "weight": 10}}


@pytest.mark.parametrize("before", ["maint", "drain"])
def test_a_sick_server_is_put_back_and_its_check_is_quoted(balancer: Balancer, before: str) -> None:
    balancer.shops["green"].health_answers = itertools.repeat(500)
    balancer.switch(green(state=before))
    with pytest.raises(FleetError, match=r"green: L7STS 500 .*health 0 of 4.*Put back as before: green " + before):
        balancer.switch(green(state="ready", weight=50), healthy=True, deadline_s=0.7)
    assert balancer.states()["green"] == before
    assert balancer.read()["green"]["weight"] == 1


def test_a_server_that_is_not_there_is_quoted_as_such(balancer: Balancer) -> None:
    balancer.shops["green"].stop()
    with pytest.raises(FleetError, match=r"green: L4CON Connection refused"):
        balancer.switch(green(state="ready"), healthy=True, deadline_s=0.7)


def test_a_server_that_flaps_never_gets_traffic(balancer: Balancer) -> None:
    balancer.shops["green"].health_answers = itertools.cycle([200, 200, 500])
    with pytest.raises(FleetError, match="full health"):
        balancer.switch(green(state="ready"), healthy=True, deadline_s=2)
    assert balancer.states()["green"] == "maint"
    assert len(balancer.shops["green"].health_checks) > 5


def test_one_sick_server_puts_the_whole_batch_back(balancer: Balancer) -> None:
    balancer.switch(blue(state="ready"), healthy=True)
    balancer.shops["green"].health_answers = itertools.repeat(500)
    with pytest.raises(FleetError, match="Put back as before: green maint, blue ready"):
        balancer.switch(green(state="ready"), blue(state="maint", weight=3), healthy=True, deadline_s=0.7)
    assert balancer.states() == {"blue": "ready", "green": "maint"}
    assert balancer.read()["blue"]["weight"] == 1
    assert balancer.get() == 200


def slow_request(balancer: Balancer, codes: list[int]) -> threading.Thread:
    client = threading.Thread(target=lambda: codes.append(balancer.get("/slow")))
    client.start()
    until(lambda: balancer.read()["blue"]["sessions"] == 1)
    return client


@pytest.mark.parametrize(("sick", "enough"), [(1, True), (2, False)])
def test_on_the_way_back_half_of_them_will_do_when_the_time_is_over(
        replicated: Balancer, sick: int, enough: bool) -> None:
    names = ["blue", "blue-2", "blue-3"]
    for name in names[:sick]:
        replicated.shops[name].health_answers = itertools.repeat(500)
    wishes = [{"name": name, "state": "ready"} for name in names]
    with contextlib.nullcontext() if enough else pytest.raises(FleetError, match="Expected full health"):
        replicated.switch(*wishes, healthy=True, deadline_s=0.8, degraded=True)
    assert {replicated.states()[name] for name in names} == {"ready" if enough else "maint"}
    assert replicated.read()["blue"]["operational"] == "stopped"


def test_draining_waits_for_the_request_in_flight(balancer: Balancer) -> None:
    balancer.switch(blue(state="ready"), healthy=True)
    codes: list[int] = []
    client = slow_request(balancer, codes)
    threading.Timer(1.0, balancer.shops["blue"].release_slow.set).start()
    result = balancer.switch(blue(state="maint"), drain_deadline_s=10)
    client.join()
    assert codes == [200]
    assert result["remained"] == {}
    assert 0.5 < result["duration_s"] < 5


def test_sessions_that_outlive_the_deadline_are_counted(balancer: Balancer) -> None:
    balancer.switch(blue(state="ready"), healthy=True)
    codes: list[int] = []
    client = slow_request(balancer, codes)
    result = balancer.switch(blue(state="maint"), drain_deadline_s=0.5)
    assert result["remained"] == {"blue": {"tunnels": 0, "others": 1}}
    assert balancer.states()["blue"] == "maint"
    balancer.shops["blue"].release_slow.set()
    client.join()
    assert codes == [200]


def test_a_killed_haproxy_comes_back_with_states_and_weights(balancer: Balancer) -> None:
    balancer.switch(blue(state="ready", weight=90), green(state="drain", weight=10), healthy=True)
    balancer.stop()
    balancer.start()
    assert balancer.states() == {"blue": "ready", "green": "drain"}
    assert {name: server["weight"] for name, server in balancer.read().items()} == {"blue": 90, "green": 10}
    assert balancer.get() == 200


def test_a_port_that_the_state_file_brought_back_is_put_right(balancer: Balancer) -> None:
    balancer.switch(green(state="drain"))
    old, new = balancer.shops["green"].port, balancer.shops["blue"].port
    balancer.stop()
    balancer.start({"blue": old, "green": new})
    assert balancer.read()["green"]["port"] == old
    assert balancer.switch(green(port=new))["changed"]
    assert balancer.read()["green"]["port"] == new
    assert not balancer.switch(green(port=new))["changed"]


def test_parallel_calls_save_the_newest_states(balancer: Balancer) -> None:
    def toggle(name: str) -> None:
        for weight in range(2, 22):
            balancer.switch({"name": name, "weight": weight})

    callers = [threading.Thread(target=toggle, args=(name,)) for name in ("blue", "green")]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    saved = [line.split()[7] for line in balancer.state_file.read_text(encoding="utf-8").splitlines()[2:4]]
    assert saved == ["21", "21"]
    assert not list(balancer.directory.glob("*.new"))


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"name": "pink"}, r"servers\[\].name: expected a server of backend be_shop: blue, green, found 'pink'"),
        (green(weight=257), "0 to 256, found 257"),
        (green(port=0), "1 to 65535, found 0"),
        (blue(state="drain"), "each server once, found 'blue'"),
    ],
)
def test_bad_input_is_refused_before_anything_changes(balancer: Balancer, wish: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        balancer.switch(blue(state="ready"), wish)
    assert balancer.states() == {"blue": "maint", "green": "maint"}


def test_an_unknown_backend_is_told_from_those_there_are(balancer: Balancer) -> None:
    with pytest.raises(InputError, match=r"expected one of HAProxy's \(be_shop, be_unchecked\), found 'be_none'"):
        balancer.switch(green(state="ready"), backend="be_none")


def test_health_needs_a_check(balancer: Balancer) -> None:
    with pytest.raises(InputError, match="a health check for only in HAProxy's configuration"):
        balancer.switch({"name": "only", "state": "ready"}, backend="be_unchecked", healthy=True)


def test_a_silent_haproxy_is_named_with_a_remedy(balancer: Balancer) -> None:
    balancer.stop()
    with pytest.raises(FleetError, match=r"runtime API at .*admin.sock.* See that HAProxy runs"):
        balancer.switch(green(state="ready"))


def test_check_mode_works_before_there_is_a_haproxy(balancer: Balancer) -> None:
    balancer.stop()
    result = balancer.switch(green(state="ready"), check_mode=True)
    assert result["changed"]
    assert "no backend be_shop yet" in balancer.warnings[0]
