# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._restart.plan import choose_turn, instances, make_plan
from ansible_collections.evenkeel.fleet.plugins.module_utils._restart.summary import summarize

REQUEST = {"mode": "restart", "only": [], "min_available": "50%", "retries": 1, "backoff_s": 2, "return_all": False}
HOSTS = ("app1", "app2", "app3")


def look(**changes):
    return {"method": "restart", "why": "it cannot reload", "wanted": True, "needs": [], "alive": True,
            "healthy": True, "open": 0,
            "slot": "", **changes}


def shop(**changes):
    return {"name": "shop", "backend": "be_shop", "look": look(), **changes}


def balancer(**states):
    servers = [{"name": name, "state": states.get(name, "ready"), "healthy": states.get(name) is None,
                "operational": "stopped" if states.get(name) == "maint" else "running"} for name in HOSTS]
    return {"edge1": {"backends": {"be_shop": {"servers": servers}}}}


def plan(services=None, balancers=None, **request):
    seen = {host: instances(own, {}) for host, own in (services or {host: [shop()] for host in HOSTS}).items()}
    return make_plan(seen, balancers or balancer(), {**REQUEST, **request})


def done(host, **more):
    return {host: {"shop": {"state": "done", "attempts": 1, **more}}}


def test_turns_and_text():
    made = plan()
    assert made["turns"] == [["app1/shop"], ["app2/shop"], ["app3/shop"]]
    assert (made["todo"], made["problems"]) == (True, [])
    assert made["text"][0] == "restart of 3 instances in 3 turns"
    assert made["text"][1] == "1. app1/shop: restart, because it cannot reload; now healthy, 0 connections"
    assert made["text"][2] == "   shop: 2 of 3 in service meanwhile, at least 2"


def test_those_that_are_out_of_traffic_go_first_and_all_at_once():
    services = {host: [shop(look=look(healthy=host == "app1"))] for host in HOSTS}
    out = balancer(app2="maint", app3="maint")
    assert plan(services, out, return_all=True)["turns"] == [["app2/shop", "app3/shop"], ["app1/shop"]]


def test_unhealthy_ones_that_still_have_traffic_go_one_at_a_time():
    services = {host: [shop(look=look(healthy=host == "app1"))] for host in HOSTS}
    assert plan(services)["turns"] == [["app2/shop"], ["app3/shop"], ["app1/shop"]]


def test_what_needs_nothing_is_left_alone():
    made = plan({host: [shop(look=look(wanted=host == "app2"))] for host in HOSTS})
    assert made["turns"] == [["app2/shop"]]
    assert made["text"][-1] == "left alone: app1/shop, app3/shop"
    idle = plan({host: [shop(look=look(wanted=False))] for host in HOSTS})
    assert (idle["todo"], idle["turns"]) == (False, [])


@pytest.mark.parametrize(("services", "balancers", "request_", "problem"), [
    (None, None, {"min_available": "100%"}, "app1/shop cannot be restarted: shop would have 2 in service of at least"),
    (None, None, {"min_available": 4}, "expected 0 to 3"),
    (None, {"edge1": {"backends": {}}}, {}, "app1/shop: expected a server app1 in backend be_shop"),
    ({"app1": [shop(), shop()]}, None, {}, "expected each name once on app1"),
    ({"app1": [shop(server="other")]}, None, {}, "expected a server other in backend be_shop"),
    (None, None, {"only": ["shop", "shp"]}, "graceful_restart_only: expected a service that a host"),
])
def test_what_cannot_go_well_is_refused(services, balancers, request_, problem):
    made = plan(services, balancers, **request_)
    assert any(problem in text for text in made["problems"]), made["problems"]
    assert not made["todo"]


def test_a_server_that_was_out_of_traffic_stays_out_unless_asked_for():
    out = plan(balancers=balancer(app2="maint"), min_available=1)
    assert out["members"]["app2/shop"]["edges"] == []
    assert out["turns"][0] == ["app2/shop"]
    assert "app2/shop: app2 is maint at edge1 and stays so" in out["text"]
    assert "app1/shop cannot be restarted" in plan(balancers=balancer(app2="maint"))["problems"][0]
    back = plan(balancers=balancer(app2="maint"), return_all=True)
    assert back["members"]["app2/shop"]["edges"] == ["edge1"]


def test_a_slot_names_its_server():
    services = {"app1": [{**shop(look=look(slot="green")), "name": "pitch"}]}
    assert plan(services)["members"]["app1/pitch"]["server"] == "app1-green"


def test_replicas_of_a_host_go_one_after_the_other_and_each_counts():
    # With one host a single instance could not go; of three replicas one may.
    own = instances([{"name": "shop", "backend": "be_shop", "look": look(slot="blue")}], {"shop": 3})
    names = ["app1-blue", "app1-blue-2", "app1-blue-3"]
    servers = [{"name": name, "state": "ready", "healthy": True, "operational": "running"} for name in names]
    balancers = {"edge1": {"backends": {"be_shop": {"servers": servers}}}}
    made = make_plan({"app1": own}, balancers, REQUEST)
    assert made["turns"] == [["app1/shop"], ["app1/shop-2"], ["app1/shop-3"]]
    assert [one["server"] for one in made["members"].values()] == names
    assert "   shop: 2 of 3 in service meanwhile, at least 2" in made["text"]
    assert made["services"] == ["shop"]
    progress = {"app1": {"shop": {"state": "done", "attempts": 1}}}
    assert choose_turn(made, progress, balancers, ["app1"], 0)["batch"] == {"app1": "shop-2"}
    assert summarize(made, progress, {})["instances"]["app1/shop-2"]["state"] == "untouched"


def test_a_server_that_was_named_is_that_of_the_first_replica():
    own = instances([{**shop(look=look(slot="blue")), "server": "web"}], {"shop": 2})
    members = make_plan({"app1": own}, balancer(), REQUEST)["members"]
    assert [one["server"] for one in members.values()] == ["web", "web-2"]


def test_the_next_turn_looks_at_who_is_in_service_now():
    made = plan()
    assert choose_turn(made, {host: {} for host in HOSTS}, balancer(), HOSTS, 0)["batch"] == {"app1": "shop"}
    held = choose_turn(made, {host: {} for host in HOSTS}, balancer(app3="maint"), HOSTS, 0)
    assert held["batch"] == {"app3": "shop"}
    progress = {**{host: {} for host in HOSTS}, **done("app1")}
    assert choose_turn(made, progress, balancer(), HOSTS, 0)["batch"] == {"app2": "shop"}
    nobody = choose_turn(made, progress, balancer(app1="maint", app2="maint", app3="maint"), HOSTS, 0)
    assert set(nobody["batch"]) == {"app2", "app3"}  # nobody is in service, so it costs nothing


def test_without_the_answer_of_every_load_balancer_nobody_begins():
    silent = {**balancer(), "edge2": {"failed": True}}
    last = choose_turn(plan(), {host: {} for host in HOSTS}, silent, HOSTS, 0)
    assert (last["over"], last["batch"]) == (True, {})
    assert set(last["held"].values()) == {"the load balancer edge2 does not say who is in service"}
    assert any(text.startswith("edge2: expected the load balancer") for text in plan(balancers=silent)["problems"])


def test_a_host_that_does_not_answer_is_failed_for_good():
    made = plan(min_available=1)
    progress = {**{host: {} for host in HOSTS}, "app1": {"shop": {"state": "begun", "attempts": 1}}}
    assert choose_turn(made, progress, balancer(), HOSTS, 0)["batch"] == {"app2": "shop"}
    progress.update(done("app2"), **done("app3"))
    last = choose_turn(made, progress, balancer(), HOSTS, 1e9)
    assert last["over"]
    summary = summarize(made, progress, last["held"])
    assert summary["verdict"] == "fail"
    assert summary["reasons"] == ["app1/shop: its host does not answer any more"]


def test_nobody_waits_for_what_a_silent_host_has_left_to_do():
    mailer = {"name": "mailer", "look": look()}
    made = plan({host: [shop(), mailer] for host in HOSTS})
    both = {"shop": {"state": "done", "attempts": 1}, "mailer": {"state": "done", "attempts": 1}}
    progress = {"app1": both, "app2": {"shop": {"state": "begun", "attempts": 1}}, "app3": both}
    alive = ("app1", "app3")
    last = choose_turn(made, progress, balancer(), alive, 0)
    assert (last["batch"], last["wait_s"], last["over"]) == ({}, 0.0, True)
    assert summarize(made, progress, last["held"])["reasons"] == [
        "app2/shop: its host does not answer any more", "app2/mailer: its host does not answer any more"]
    failed = {"state": "failed", "attempts": 1, "failed_at_s": 0.0, "reason": "it is failed"}
    assert choose_turn(made, {**progress, "app2": {**both, "shop": failed}}, balancer(), alive, 1e9)["over"]
    # What it had in service does not count any more.
    held = choose_turn(made, {"app1": {}, "app2": {}, "app3": {}}, balancer(), alive, 0)["held"]
    assert held["app1/shop"] == "shop would have 1 in service of at least 2"


def test_none_at_all_may_be_enough_for_one_service():
    services = {"app1": [{"name": "batch", "min_available": 0, "look": look()}]}
    assert plan(services)["turns"] == [["app1/batch"]]


def test_a_retry_waits_and_the_last_one_is_parked():
    made = plan()
    failed = {"shop": {"state": "failed", "attempts": 1, "failed_at_s": 100.0, "reason": "it is failed"}}
    progress = {"app1": failed, **done("app2"), **done("app3")}
    assert choose_turn(made, progress, balancer(app1="maint"), HOSTS, 101.0)["wait_s"] == 1.0
    assert choose_turn(made, progress, balancer(app1="maint"), HOSTS, 102.0)["batch"] == {"app1": "shop"}
    failed["shop"]["attempts"] = 2
    last = choose_turn(made, progress, balancer(app1="maint"), HOSTS, 1e9)
    assert last["over"]
    summary = summarize(made, progress, last["held"])
    assert summary["lines"][:2] == ["2 of 3 instances restarted; parked: app1/shop",
                                    "app1/shop: PARKED after attempt 2: it is failed"]


def test_a_stop_ends_the_queue():
    made = plan()
    stopped = {"shop": {"state": "failed", "attempts": 1, "failed_at_s": 0.0, "final": True,
                        "reason": "stopped by bob"}}
    last = choose_turn(made, {"app1": stopped, "app2": {}, "app3": {}}, balancer(), HOSTS, 1e9)
    assert last["over"]
    summary = summarize(made, {"app1": stopped, "app2": {}, "app3": {}}, last["held"])
    assert summary["lines"][0] == "0 of 3 instances restarted; parked: app1/shop; untouched: app2/shop, app3/shop"
    assert "app2/shop: untouched: app1/shop: stopped by bob" in summary["lines"]


def test_a_summary_says_what_was_measured():
    made = plan(min_available=0)
    result = {"method": "restart", "startup_ms": 312.4, "stop_ms": 100.2, "killed": True, "duration_ms": 500.0,
              "connections": {"cut_off": 3}}
    progress = {**done("app1", result=result, sessions_left=2), **done("app2", sessions_left=3, tunnels_left=1),
                **done("app3")}
    summary = summarize(made, progress, {})
    assert (summary["verdict"], summary["cut_off"]) == ("pass", 3)
    assert summary["lines"][1] == ("app1/shop: restart, ended in 100 ms, healthy after 312 ms, killed, 3 connections "
                                   "cut off, 2 sessions were left at the drain deadline")
    assert summary["lines"][2].endswith("3 sessions were left at the drain deadline, 1 of them tunnels")


def test_a_shutdown_has_no_turns_and_no_capacity():
    made = plan(mode="shutdown", min_available="100%")
    assert (made["turns"], made["problems"], made["todo"]) == ([], [], True)
    assert made["text"][0] == "SHUTDOWN of 3 instances, all at once"
    assert plan(mode="shutdown", min_available=4)["todo"]


def test_no_load_balancer_keeps_a_shutdown_from_going_on():
    one_is_down = {**balancer(), "edge2": {"failed": True}, "edge3": {"backends": {}}}
    made = plan(balancers=one_is_down, mode="shutdown")
    assert (made["problems"], made["todo"]) == ([], True)
    assert "edge2: no answer from this load balancer; it goes on without" in made["text"]
