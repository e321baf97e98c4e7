# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan: every host once, in the order asked for; evidence: no answer is not a proof."""

from __future__ import annotations

import re

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.control.evidence import (
    changed_since,
    missing_evidence,
)
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.plan.make import check_release, make_plan
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.plan.observation import observe
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.summary import summarize

DIGEST, OLD = "sha256:" + "b" * 64, "sha256:" + "a" * 64
IMAGE = {"reference": "r:5000/shop:v2", "pinned": f"r:5000/shop@{DIGEST}", "digest": DIGEST, "present": True}


@pytest.mark.parametrize("release", ["", "v 1", "-v1", "a/b", "v1:latest", "x" * 129])
def test_names_that_could_be_no_tag_are_refused(release):
    with pytest.raises(InputError, match="release_name"):
        check_release(release)


def found(slot="blue", release="v1", **changes):
    """What release_info returns on a host that serves a committed release; no slot is a fresh host."""
    entry = {"release": release, "slot": slot, "digest": OLD, "image": f"r:5000/shop@{OLD}", "time": "t", "run": "r0"}
    current = entry if slot else None
    instance = slot_of({"slot": slot, "release": release, "digest": OLD, "config": "c1", "running": True})
    history = [entry] if slot else []
    status = {"state": "COMMITTED" if slot else "", "phase": "result", "run": "r0", "release": release,
              "current": current, "previous": None, "releases": history, "history": history,
              "interrupted": False, "frozen": False, "irreversible": None, **changes}
    return {"status": status, "instances": {slot: instance} if slot else {}, "token": 1, "image": IMAGE, "stored": [],
            "neighbours": {}, "records": [], "bundles": {}, "problems": []}


def slot_of(*replicas):
    """What release_info says of a slot with these containers."""
    return {**min(replicas, key=lambda one: one["running"]), "replicas": list(replicas)}


def answers(host="app1", **states):
    """What balancer_info returns on edge1."""
    servers = [{"name": f"{host}-{slot.replace('_', '-')}", "state": state, "healthy": state == "ready",
                "port": SLOTS[slot.partition("_")[0]] + 2 * (int(slot.partition("_")[2] or 1) - 1)}
               for slot, state in states.items()]
    found = {"be_shop": {"servers": servers, "counters": {"rate": 70}}} if servers else {}
    return [{"item": "edge1", "backends": found}]


SLOTS = {"blue": 8001, "green": 8002}


def look(witness, balancers, release="v2", digest=DIGEST, config="c1", replicas=1):
    return observe(witness, "app1", "be_shop", balancers, SLOTS,
                   {"release": release, "digest": digest, "config": config, "replicas": replicas})


def test_a_fresh_host_has_no_active_slot_and_starts_in_the_first():
    one = look(found(slot=""), answers())
    assert (one["active"], one["target"], one["target_ports"], one["in_place"]) == ("", "blue", [8001], False)


def test_the_free_slot_is_the_other_one():
    assert look(found(), answers(blue="ready", green="maint"))["target"] == "green"
    assert look(found(slot="green"), answers(green="ready", blue="maint"))["target"] == "blue"


@pytest.mark.parametrize("difference", [
    {"release": "v2"}, {"digest": DIGEST}, {"config": "c2"}])
def test_in_place_means_release_image_and_configuration(difference):
    same = {"release": "v1", "digest": OLD, "config": "c1"}
    balancers = answers(blue="ready", green="maint")
    assert look(found(), balancers, **same)["in_place"]
    assert not look(found(), balancers, **{**same, **difference})["in_place"]


@pytest.mark.parametrize("balancers", [
    answers(blue="maint", green="maint"), answers(blue="drain", green="maint"), answers(blue="ready", green="drain"),
    answers(), []])
def test_in_place_needs_every_balancer(balancers):
    assert not look(found(), balancers, release="v1", digest=OLD)["in_place"]


@pytest.mark.parametrize("change", [{"interrupted": True}, {"frozen": True}])
def test_what_is_not_settled_is_not_in_place(change):
    assert not look(found(**change), answers(blue="ready", green="maint"), release="v1", digest=OLD)["in_place"]


@pytest.mark.parametrize(("state", "untouched"), [
    ("STAGED", True), ("VERIFIED", False), ("COMMITTED", False), ("", False)])
def test_a_run_that_only_prepared_touched_nothing_that_runs(state, untouched):
    assert look(found(state=state), answers(blue="ready", green="maint"))["untouched"] is untouched


def test_witnesses_that_contradict_each_other_are_a_conflict():
    one = look(found(), answers(blue="maint", green="ready"))
    assert one["conflicts"] == ["the ledger says that slot blue serves release v1, and a load balancer sends traffic "
                                "to green"]


def request(**changes):
    return {"service": "shop", "release": "v2", "kind": "rollout", "runtime": "compose", "canary": True,
            "canary_hosts": [], "strategy": "rolling", "waves": ["100%"],
            "groups": {"all": ["app1", "app2", "app3", "db1"]}, "domains": {},
            "rates": {}, "min_capacity": "", "hooks": {}, "migration": {}, "notify": [], "lock_ttl_s": 300.0,
            "accept_irreversible": False,
            "gates": ["health"], "judge": {}, "budget": {}, "soak_s": 5, "ports": SLOTS,
            "balancers_required": True, "configs": {}, "guard_ttl_s": 60.0,
            "steps_s": {"alone": 20.0, "wave": 45.0, "soak": 0.0}, "all_gates": [], "forks": 5,
            "edge_hosts": {"app1": ["edge1"], "app2": ["edge1"]}, "lock_host": "edge1", **changes}


def fleet(count=3, **changes):
    names = [f"app{number}" for number in range(1, count + 1)]
    return {name: {**look(found(**changes), answers(blue="ready", green="maint")), "host": name} for name in names}


def test_one_canary_and_then_the_rest_by_default():
    made = make_plan(fleet(), request())
    assert [(wave["name"], wave["hosts"]) for wave in made["waves"]] == [("canary", ["app1"]),
                                                                         ("wave 2", ["app2", "app3"])]
    assert made["todo"]
    assert "way back: v1 sha256:aaaaaaaaaaaa in slot blue (app1, app2, app3)" in made["text"]
    assert f"rollout of shop to v2, image r:5000/shop@{DIGEST}" in made["text"]


def test_a_first_deployment_is_one_wave():
    fresh = {f"app{n}": look(found(slot=""), answers(blue="maint", green="maint")) for n in (1, 2)}
    made = make_plan(fresh, request(waves=[1]))
    assert (made["first"], [wave["hosts"] for wave in made["waves"]]) == (True, [["app1", "app2"]])


@pytest.mark.parametrize(("strategy", "name"), [
    ("blue_green", "all hosts at once"), ("canary", "all hosts, by weight")])
def test_strategies_that_switch_all_hosts_at_once(strategy, name):
    made = make_plan(fleet(), request(strategy=strategy, judge={"weight": 5}, waves=[1]))
    assert [(wave["name"], wave["hosts"]) for wave in made["waves"]] == [(name, ["app1", "app2", "app3"])]


def test_no_wave_spans_two_domains_and_every_host_has_one():
    domains = {"app1": "a", "app2": "b", "app3": "b"}
    made = make_plan(fleet(), request(canary=False, domains=domains))
    assert [(wave["hosts"], wave["domain"]) for wave in made["waves"]] == [(["app1"], "a"), (["app2", "app3"], "b")]
    assert "2. wave 2: app2, app3 (domain b); 3 of 3 hosts serve (100%), 0 of them the old release at its end" in (
        made["text"])
    (problem,) = make_plan(fleet(), request(domains={**domains, "app2": ""}))["problems"]
    assert problem.startswith("rollout_failure_domain: expected a variable that every host has")
    assert "'app2'" in problem


def test_a_plan_below_the_minimum_is_refused():
    hosts = fleet()
    hosts["app2"]["serving"] = False
    assert make_plan(hosts, request(min_capacity="60%"))["todo"]
    (problem,) = make_plan(hosts, request(min_capacity="100%"))["problems"]
    assert "in wave 1 (without traffic now: app2; bring them back first), found '2 of 3 hosts serve (67%)'" in problem


def test_capacity_is_proposed_when_every_host_declares_its_own():
    assert make_plan(fleet(), request(rates={"app1": 100}))["proposal"] == {}
    made = make_plan(fleet(), request(rates={"app1": 100, "app2": 100, "app3": 100}))
    assert (made["proposal"]["load_rps"], made["proposal"]["wanted"]) == (70, 2)
    assert [line for line in made["text"] if line.startswith("capacity: load now 70 rps, 23% of 300 rps")]


def test_what_has_to_be_pulled_is_said():
    hosts = fleet()
    hosts["app3"]["image"] = {**IMAGE, "present": False}
    assert "its image is pulled before anything else by: app3" in make_plan(hosts, request())["text"]


def test_migration_and_hooks_are_in_the_plan_and_a_rollback_migrates_nothing():
    rules = {"command": "psql", "host": "db1", "irreversible": True}
    hooks = {"after_commit": [{"name": "tell", "command": "x"}], "before_stage": [{"name": "look", "command": "x"}]}
    made = make_plan(fleet(), request(migration=rules, hooks=hooks))
    assert {"name": "migration", "timeout_s": 600.0, **rules}.items() <= made["migration"].items()
    said = [line for line in made["text"] if line.startswith(("migration", "hook"))]
    assert said == ["migration on db1 before the first wave: migration; IRREVERSIBLE, without a way back: a rollback "
                    "ends FROZEN", "hook before_stage: look (host)", "hook after_commit: tell (host)"]
    back = make_plan(fleet(), request(kind="rollback", migration=rules))
    assert back["migration"] == {}


def test_hosts_that_have_it_are_left_alone():
    hosts = fleet()
    hosts["app1"]["in_place"] = True
    made = make_plan(hosts, request())
    assert [wave["hosts"] for wave in made["waves"]] == [["app2"], ["app3"]]
    everywhere = {name: {**one, "in_place": True} for name, one in hosts.items()}
    made = make_plan(everywhere, request())
    assert (made["todo"], made["waves"]) == (False, [])
    assert made["text"] == ["shop v2 is already active on every host: nothing to do."]


@pytest.mark.parametrize(("changes", "problem"), [
    ({"release": "v 2"}, "release_name"),
    ({"service": "Shop_1"}, "release_service"),
    ({"ports": {"blue": 8001, "green": 8001}}, "release_ports"),
    ({"waves": []}, "rollout_waves"),
    ({"waves": ["0%"]}, "rollout_waves"),
    ({"canary_hosts": ["db1"]}, "rollout_canary_hosts"),
])
def test_bad_input_is_a_problem_of_the_plan(changes, problem):
    made = make_plan(fleet(), request(**changes))
    assert [text for text in made["problems"] if text.startswith(f"{problem}: expected")]
    assert not made["todo"]


def test_the_same_problem_of_many_hosts_is_told_once():
    hosts = {name: {**one, "image": None, "problems": ["Image shop:v9: not found."]} for name, one in fleet().items()}
    assert make_plan(hosts, request())["problems"] == [
        "Image shop:v9: not found. Found on: app1, app2, app3."]


def test_frozen_hosts_conflicts_and_unknown_servers_stop_the_plan():
    problems = make_plan(fleet(frozen=True), request())["problems"]
    assert [text for text in problems if text.startswith("app1: FROZEN since run r0")]
    nobody = {"app1": look(found(), answers())}
    assert "Run the playbook deploy" in make_plan(nobody, request())["problems"][0]
    assert not make_plan(nobody, request(balancers_required=False))["problems"]


@pytest.mark.parametrize(("judge", "problem"), [
    ({"max_error_rate": "0%"}, "rollout_judge.max_error_rate: expected a share above 0"),
    ({"max_error_rate": "often"}, "rollout_judge.max_error_rate: expected a number"),
    ({"ratio": 0.5}, "rollout_judge.ratio: expected a number above 1"),
    ({"weight": 0}, "rollout_judge.weight: expected 1 to 256"),
    ({"weight": [10, 300]}, "rollout_judge.weight: expected 1 to 256, found 300"),
    ({"weight": [33, 10]}, "rollout_judge.weight: expected weights that rise"),
    ({"weight": []}, "rollout_judge.weight: expected weights that rise"),
    ({"deadline_s": 0}, "rollout_judge.deadline_s: expected 1 to 86400"),
    ({"looks": 0}, "rollout_judge.looks: expected 1 to 100"),
    ({"latency": {"tolerance": "often"}}, "rollout_judge.latency.tolerance: expected a number"),
])
def test_a_judge_with_rules_that_mean_nothing_stops_the_plan(judge, problem):
    (found,) = make_plan(fleet(), request(judge=judge))["problems"]
    assert found.startswith(problem)


def test_a_budget_that_means_nothing_stops_the_plan():
    (found,) = make_plan(fleet(), request(budget={"slo": "100%"}))["problems"]
    assert found.startswith("rollout_budget.slo: expected a share above 0 and below 1")


def test_good_rules_of_judge_and_budget_are_fine():
    judge, budget = {"weight": [10, 33], "max_error_rate": "2%", "alpha": 0.01}, {"slo": "99.5%", "window": "30m"}
    assert not make_plan(fleet(), request(judge=judge, budget=budget))["problems"]


def through(run="r1", state="SOAKING", release="v2"):
    return {"status": {"run": run, "release": release, "state": state, "phase": "result"}}


def test_the_first_wave_needs_every_host_staged():
    made = make_plan(fleet(), request())
    ledgers = {host: {} for host in made["hosts"]}
    staged = dict.fromkeys(made["hosts"], "r1 STAGED")
    assert missing_evidence(made, 1, "r1", staged, ledgers) == []
    assert missing_evidence(made, 1, "r1", {**staged, "app3": ""}, ledgers) == [
        "app3 is not STAGED (last seen: nothing)"]
    assert missing_evidence(made, 1, "r2", staged, ledgers) != []


@pytest.mark.parametrize(("progress", "ledger", "proven"), [
    ("r1 SOAKING", through(), True),
    ("r1 VERIFIED", through(), False),
    ("r0 SOAKING", through(), False),
    ("r1 SOAKING", through(run="r0"), False),
    ("r1 SOAKING", through(state="SWITCHED"), False),
    ("r1 SOAKING", through(release="v1"), False),
    ("r1 SOAKING", {"unreachable": True}, False),
    ("r1 SOAKING", {"failed": True, "module_stdout": "", "msg": "no result"}, False),
    ("r1 SOAKING", {"failed": True, "msg": "no permission"}, False),
    ("r1 SOAKING", {"status": {}}, False),
    ("r1 SOAKING", {"skipped": True}, False),
])
def test_a_later_wave_needs_proof_from_the_controller_and_from_the_ledger(progress, ledger, proven):
    made = make_plan(fleet(), request())
    seen = {"app1": progress, "app2": "r1 STAGED", "app3": "r1 STAGED"}
    missing = missing_evidence(made, 2, "r1", seen, {"app1": ledger, "app2": {}, "app3": {}})
    assert (missing == []) == proven


@pytest.mark.parametrize(("ledger", "said"), [
    ({"status": {"run": "r1", "state": "COMMITTED", "phase": "result"}}, []),
    ({"status": {"run": "r2", "state": "COMMITTED", "phase": "result"}},
     ["app1 is at the result of COMMITTED in run r2"]),
    ({"status": {"run": "r1", "state": "ROLLED_BACK", "phase": "result"}},
     ["app1 is at the result of ROLLED_BACK in run r1"]),
    ({"unreachable": True}, ["app1 does not answer"]),
    ({"failed": True, "module_stdout": "", "msg": "no result"}, ["app1 does not answer"]),
])
def test_a_plan_holds_only_while_nothing_has_happened(ledger, said):
    observed = {"app1": {"last_run": "r1", "state": "COMMITTED", "phase": "result"}}
    assert changed_since(observed, {"app1": ledger}) == said


@pytest.mark.parametrize(("ledger", "said"), [
    ({"unreachable": True}, "app1 does not answer"),
    ({"failed": True, "module_stdout": "", "msg": "no result"}, "app1 does not answer"),
    ({"failed": True, "msg": "no permission"}, "the ledger of app1 cannot be read: no permission"),
    ({**through(state="ROLLED_BACK"), "records": [{"data": {"reason": "alice asked for it"}}, {"data": {}}]},
     "the ledger of app1 does not prove SOAKING (its last record: ROLLED_BACK; alice asked for it)"),
])
def test_what_is_missing_says_whether_there_was_an_answer(ledger, said):
    made = make_plan(fleet(), request())
    seen = {"app1": "r1 SOAKING", "app2": "r1 STAGED", "app3": "r1 STAGED"}
    assert missing_evidence(made, 2, "r1", seen, {"app1": ledger, "app2": {}, "app3": {}}) == [said]


def test_a_stop_flag_refutes_every_proof_of_the_run_that_it_names():
    made = make_plan(fleet(), request())
    seen = dict.fromkeys(made["hosts"], "r1 SOAKING")
    flag = {"set": True, "run": "any", "by": "alice", "reason": "the shop is on television"}
    ledgers = {host: {**through(), "stop": flag} for host in made["hosts"]}
    said = ["stopped by alice: the shop is on television"]
    assert missing_evidence(made, 3, "r1", seen, ledgers) == said
    for other in ({**flag, "run": "r0"}, {**flag, "pause": True}, {"set": False}):
        one = {**ledgers, **{host: {**through(), "stop": other} for host in made["hosts"]}}
        assert missing_evidence(made, 3, "r1", seen, one) == []


def ended(state, phase="result", second=5):
    return {"records": [
        {"time": "2026-11-21T08:00:00.000Z", "state": "PLANNED", "phase": "result", "data": {}},
        {"time": f"2026-11-21T08:00:0{second}.500Z", "state": state, "phase": phase, "data": {}}]}


@pytest.mark.parametrize(("ledgers", "verdict"), [
    ([ended("COMMITTED")] * 3, "pass"),
    ([ended("ROLLED_BACK")] * 3, "fail"),
    ([ended("COMMITTED"), ended("ROLLED_BACK"), ended("COMMITTED")], "inconclusive"),
    ([ended("COMMITTED"), ended("COMMITTED", "intent"), ended("COMMITTED")], "inconclusive"),
    ([ended("ROLLED_BACK"), ended("ROLLED_BACK"), {"unreachable": True}], "inconclusive"),
    ([ended("ROLLED_BACK"), {"records": [], "status": {}}, {"records": [], "status": {}}], "fail"),
    ([ended("ROLLED_BACK"), {"records": [], "status": {"interrupted": True}}, ended("ROLLED_BACK")], "inconclusive"),
    ([ended("COMMITTED"), {"records": [], "status": {}}, ended("COMMITTED")], "inconclusive"),
])
def test_the_verdict_is_about_every_host(ledgers, verdict):
    made = make_plan(fleet(), request())
    failures = {"app1": {"task": "gate", "reason": "too slow", "time": "2026-11-21T08:00:02.000000Z"}}
    result = summarize(made, "r1", dict(zip(made["hosts"], ledgers)), failures, [],
                       {"metrics": {"requests": 100, "errors": 3}})
    assert result["verdict"] == verdict
    assert (result["failed_requests"], result["requests"]) == (3, 100)
    assert result["reasons"] == ["app1: gate: too slow"]
    if verdict == "fail":
        assert result["rolled_back_in_s"] == 3.5
        assert "every host was back 3.5 s after the first failure" in result["lines"]


@pytest.mark.parametrize(("ttl_s", "gates", "message"), [
    (54, [], r"rollout_guard_ttl_s: expected at least 55 seconds, because the switch of a wave with the gates and "
             r"hooks after it may take 45, found 54\. Example: 65"),
    (60, [{"type": "load", "when": "alone", "duration_s": 30, "warmup_s": 5}],
     "at least 138 seconds, because the start of a release with the gates and hooks before its switch may take 128"),
    (60, [{"type": "command", "argv": ["true"]}], "at least 115 seconds"),
    (60, [{"type": "command", "when": "soak", "timeout_s": 70}], "because the gates after the soak and the"),
    (60, [{"type": "metric", "deadline_s": 20, "wait_s": 10}], "at least 85 seconds"),
    (60, [{"type": "load", "when": "alone", "duration_s": 9, "baseline": {}}], "before its switch may take 80"),
    (60, [{"type": "load", "duration_s": 9, "baseline": {}}], "hooks after it may take 75"),
    (60, [{"type": "load", "when": "alone", "duration_s": 30}, {"type": "load", "duration_s": 40}], "may take 168"),
])
def test_a_guard_waits_longer_than_any_step(ttl_s, gates, message):
    (problem,) = make_plan(fleet(), request(guard_ttl_s=ttl_s, all_gates=gates))["problems"]
    assert re.search(message, problem), problem
    for enough in ({"guard_ttl_s": 0}, {"guard_ttl_s": 200}):
        assert not make_plan(fleet(), request(**enough, all_gates=gates))["problems"]


@pytest.mark.parametrize(("changes", "ttl_s"), [
    ({}, 180), ({"forks": 6}, 120), ({"forks": 50}, 60), ({"waves": [5]}, 60), ({"guard_ttl_s": 0}, 0)])
def test_a_guard_waits_for_all_hosts_of_a_wave_that_is_larger_than_the_forks(changes, ttl_s):
    made = make_plan(fleet(12), request(**{"canary": False, **changes}))
    assert (made["problems"], made["guard_ttl_s"]) == ([], ttl_s)


def test_load_balancers_that_differ_by_host_are_refused():
    (problem,) = make_plan(fleet(), request(edge_hosts={"app1": ["edge1"], "app2": ["edge2"]}))["problems"]
    assert problem.startswith("release_edge_hosts: expected the same load balancers for every host of a service")
    same = {"app1": ["edge2", "edge1"], "app2": ["edge1", "edge2"]}
    assert not make_plan(fleet(), request(edge_hosts=same))["problems"]


def test_the_lock_is_kept_by_a_load_balancer():
    (problem,) = make_plan(fleet(), request(lock_host="db1"))["problems"]
    assert problem.startswith("rollout_lock_host: expected a load balancer of the service, ")
    assert problem.endswith("found 'db1'. Example: edge1")


def test_a_load_balancer_that_asks_another_port_is_refused():
    elsewhere = answers(blue="ready", green="maint")
    elsewhere[0]["backends"]["be_shop"]["servers"][1]["port"] = 9002
    hosts = {"app1": look(found(), elsewhere)}
    (problem,) = make_plan(hosts, request())["problems"]
    assert problem == ("load_balancer_slots: expected the servers of app1 at the ports of release_ports, found "
                       "app1-green at port 9002 on edge1. Give both the same ports and run the playbook deploy.")
    assert not make_plan(hosts, request(balancers_required=False))["problems"]


def test_hooks_take_their_time_as_well():
    hook = {"name": "warm", "command": "true", "timeout_s": 50}
    (problem,) = make_plan(fleet(), request(hooks={"before_switch": [hook]}))["problems"]
    assert "because the start of a release with the gates and hooks before its switch may take 70" in problem


def test_somebody_who_is_asked_may_take_his_time():
    assert not make_plan(fleet(), request(all_gates=[{"type": "manual", "timeout_s": 3600}]))["problems"]


THROUGH = {"interrupted": True, "state": "SOAKING", "run": "r1", "release": "v2"}
BEGUN = {"state": "PLANNED", "run": "r1", "data": {"release": "v2", "digest": DIGEST, "config": "c1"}}


def interrupted(host="app1", balancers=None, **changes):
    """What was observed on a host on which run r1 of v2 was interrupted after the switch to green."""
    witness = found(**{**THROUGH, **changes})
    witness["records"] = [BEGUN]
    wanted = {"release": "v2", "digest": DIGEST, "config": "c1", "replicas": 1}
    witness["instances"]["green"] = slot_of({**wanted, "slot": "green", "running": True})
    return observe(witness, host, "be_shop", balancers or answers(host, blue="maint", green="ready"), SLOTS, wanted)


def test_a_run_goes_on_where_every_witness_says_the_same():
    assert interrupted()["through"]
    assert interrupted(state="SWITCHED")["through"]


@pytest.mark.parametrize("difference", [
    {"state": "VERIFIED"}, {"state": "ABORTING"}, {"interrupted": False}, {"run": "r2"},
    {"balancers": answers(blue="ready", green="ready")}, {"balancers": answers(blue="maint", green="drain")},
    {"balancers": answers()}])
def test_otherwise_it_goes_back(difference):
    assert not interrupted(**difference)["through"]


def test_the_same_run_goes_on_with_what_is_through_first_and_without_a_canary():
    hosts = {"app1": interrupted(), "app2": interrupted("app2", state="STAGED"), "app3": interrupted("app3")}
    made = make_plan(hosts, request())
    assert (made["run"], made["resumed"], made["interrupted"]) == ("r1", ["app1", "app3"], ["app2"])
    assert [(wave["name"], wave["hosts"]) for wave in made["waves"]] == [
        ("resumed", ["app1", "app3"]), ("wave 2", ["app2"])]
    assert "goes on with run r1" in made["text"]


def test_what_has_got_through_has_migrated_and_no_guard_goes_where_there_is_no_way_back():
    rules = {"name": "expand", "command": "true", "host": "app1", "irreversible": True}
    fresh = make_plan(fleet(), request(migration=rules))
    hosts = {"app1": interrupted(), "app2": interrupted("app2", state="STAGED")}
    again = make_plan(hosts, request(migration=rules))
    # It does not run again, and is recorded with the commit all the same.
    assert fresh["migration"] == again["migration"]
    assert [any("IRREVERSIBLE" in line for line in made["text"]) for made in (fresh, again)] == [True, False]
    assert (fresh["guard_ttl_s"], again["guard_ttl_s"]) == (0, 0)
    known = {"app1": interrupted(irreversible={"name": "expand", "release": "v2"})}
    assert make_plan(known, request())["guard_ttl_s"] == 0


@pytest.mark.parametrize("other", [{"run": "r2"}, {"release": "v3"}])
def test_runs_that_are_not_one_are_sent_back(other):
    hosts = {"app1": interrupted(), "app2": interrupted("app2", **other)}
    made = make_plan(hosts, request())
    assert (made["run"], made["resumed"], made["interrupted"]) == ("", [], ["app1", "app2"])


def test_a_release_to_go_back_to_that_was_exchanged_is_a_conflict():
    witness = found(interrupted=True, state="SWITCHED")
    witness["instances"]["blue"]["replicas"][0]["digest"] = DIGEST
    (conflict,) = look(witness, answers(blue="maint", green="ready"))["conflicts"]
    assert "slot blue has release v1 to go back to, and its container was made of another image" in conflict
