# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.observation import FAIL, PASS, WARN
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.workload import RULES, judge
from hypothesis import given
from hypothesis import strategies as st

SEVERITY = {PASS: 0, WARN: 1, FAIL: 2}


def condition(kind, status="True", **more):
    return {"type": kind, "status": status, **more}


def deployment(replicas=3, **changes):
    """A Deployment that is rolled out, with changes to its spec, status or metadata."""
    status = {
        "observedGeneration": 4, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas,
        "availableReplicas": replicas,
        "conditions": [condition("Available"), condition("Progressing", reason="NewReplicaSetAvailable")],
    }  # fmt: skip
    return document("Deployment", {"replicas": replicas, "progressDeadlineSeconds": 600}, status, changes)


def stateful_set(replicas=3, **changes):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    status = {
        "observedGeneration": 4, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas,
        "currentReplicas": replicas, "currentRevision": "web-2", "updateRevision": "web-2",
    }  # fmt: skip
    return document("StatefulSet", {"replicas": replicas, "updateStrategy": strategy}, status, changes)


def daemon_set(nodes=3, **changes):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    status = {
        "observedGeneration": 4, "desiredNumberScheduled": nodes, "currentNumberScheduled": nodes,
        "updatedNumberScheduled": nodes, "numberReady": nodes, "numberAvailable": nodes,
    }  # fmt: skip
    return document("DaemonSet", {"updateStrategy": strategy}, status, changes)


def document(kind, spec, status, changes):
    whole = {
        "kind": kind,
        "metadata": {"name": "web", "namespace": "shop", "generation": 4},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
        "status": status,
    }
    for part, fields in changes.items():
        whole[part].update(fields)
    return whole


KINDS = {"deployment": deployment, "statefulset": stateful_set, "daemonset": daemon_set}


def seen(whole, rolled_out=False):
    found = judge(whole["kind"].lower(), whole, rolled_out)
    return found.status, found.output


@pytest.mark.parametrize("make", KINDS.values())
def test_what_is_rolled_out_passes_with_the_number_of_its_pods(make):
    whole = make()
    found = judge(whole["kind"].lower(), whole, rolled_out=True)
    assert (found.status, found.output, found.value, found.unit) == (PASS, "", 3, "replicas")


@pytest.mark.parametrize("make", KINDS.values())
def test_scaled_to_nothing_is_as_declared_but_serves_nobody(make):
    assert seen(make(0), rolled_out=True) == (WARN, "it is scaled to 0, nothing runs.")


@pytest.mark.parametrize("make", KINDS.values())
def test_a_change_that_the_controller_has_not_seen_is_not_rolled_out(make):
    whole = make(metadata={"generation": 5})
    output = "its rollout is not finished: its controller has not seen the last change yet."
    assert seen(whole) == (WARN, output)
    assert seen(whole, rolled_out=True) == (FAIL, output)


@pytest.mark.parametrize("make", KINDS.values())
def test_what_was_just_made_has_an_empty_status(make):
    whole = make(metadata={"generation": 1})
    whole["status"] = {}
    assert seen(whole)[0] == (WARN if make is daemon_set else FAIL)


@pytest.mark.parametrize("make", KINDS.values())
def test_what_is_being_deleted_fails_for_good(make):
    whole = make(metadata={"deletionTimestamp": "2026-11-21T08:00:00Z"})
    found = judge(whole["kind"].lower(), whole, rolled_out=False)
    assert (found.status, found.output, found.hopeless) == (FAIL, "it is being deleted.", True)


@pytest.mark.parametrize(
    ("status", "waiting"),
    [
        ({"updatedReplicas": 1}, "1 of 3 replicas are updated"),
        ({"replicas": 4}, "1 old replicas have not ended"),
        ({"availableReplicas": 2}, "2 of 3 updated replicas are available"),
    ],
)
def test_a_deployment_on_its_way_warns_as_long_as_its_controller_calls_it_available(status, waiting):
    output = f"its rollout is not finished: {waiting}."
    assert seen(deployment(status=status)) == (WARN, output)
    assert seen(deployment(status=status), rolled_out=True) == (FAIL, output)
    conditions = [condition("Available", "False"), condition("Progressing")]
    assert seen(deployment(status={**status, "conditions": conditions})) == (FAIL, output)


def test_a_deployment_past_its_progress_deadline_fails_for_good_even_if_old_pods_serve():
    late = condition("Progressing", "False", reason="ProgressDeadlineExceeded")
    whole = deployment(status={"updatedReplicas": 1, "conditions": [condition("Available"), late]})
    found = judge("deployment", whole, rolled_out=False)
    assert (found.status, found.hopeless) == (FAIL, True)
    assert found.output == "its rollout made no progress for 600 s, 3 of 3 replicas are available."
    assert found.remedy == "Look at its pods and their events: kubectl -n shop describe pods -l app=web."


def test_the_deadline_of_an_earlier_change_does_not_count():
    late = condition("Progressing", "False", reason="ProgressDeadlineExceeded")
    whole = deployment(metadata={"generation": 5}, status={"conditions": [condition("Available"), late]})
    assert seen(whole)[0] == WARN


def test_a_paused_deployment_is_not_waited_for():
    whole = deployment(spec={"paused": True}, status={"updatedReplicas": 0})
    assert seen(whole) == (WARN, "its rollout is paused: 0 of 3 replicas are updated.")
    found = judge("deployment", whole, rolled_out=True)
    assert (found.status, found.hopeless) == (FAIL, True)
    assert seen(deployment(spec={"paused": True}), rolled_out=True) == (PASS, "")


def test_pods_that_may_not_be_created_say_why():
    refusal = condition("ReplicaFailure", message="exceeded quota: pods=3")
    whole = deployment(status={"updatedReplicas": 1, "conditions": [refusal]})
    assert seen(whole) == (FAIL, "its rollout is not finished: 1 of 3 replicas are updated; exceeded quota: pods=3.")


def test_a_deployment_that_allows_all_pods_to_be_missing_still_fails_without_any():
    assert seen(deployment(status={"availableReplicas": 0}))[0] == FAIL


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({}, {"readyReplicas": 2}, (WARN, "2 of 3 replicas are ready")),
        ({}, {"readyReplicas": 1}, (FAIL, "1 of 3 replicas are ready")),
        ({}, {"updatedReplicas": 1}, (WARN, "1 of 3 replicas are updated")),
        ({"rollingUpdate": {"partition": 2}}, {"updatedReplicas": 0}, (WARN, "0 of 1 replicas are updated")),
        ({"rollingUpdate": {"partition": 2}}, {"updatedReplicas": 1, "updateRevision": "web-3"}, (PASS, "")),
        ({"rollingUpdate": {"partition": 9}}, {"updatedReplicas": 0, "updateRevision": "web-3"}, (PASS, "")),
        ({"rollingUpdate": {"maxUnavailable": "50%"}}, {"readyReplicas": 1}, (WARN, "1 of 3 replicas are ready")),
        ({"rollingUpdate": {"maxUnavailable": 3}}, {"readyReplicas": 0}, (FAIL, "0 of 3 replicas are ready")),
        ({"rollingUpdate": {}}, {"updateRevision": "web-3"}, (WARN, "3 of 3 replicas are at the new revision")),
        ({"type": "OnDelete"}, {"updatedReplicas": 1}, (WARN, "1 of 3 pods are updated, the others when they are")),
        ({"type": "OnDelete"}, {"updateRevision": "web-3"}, (PASS, "")),
    ],
)
def test_stateful_sets(spec, status, expected):
    whole = stateful_set(status=status)
    whole["spec"]["updateStrategy"].update(spec)
    found = seen(whole)
    assert found[0] == expected[0]
    assert expected[1] in found[1]


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({}, {"updatedNumberScheduled": 1}, (WARN, "1 of 3 pods are updated")),
        ({}, {"numberAvailable": 2}, (WARN, "2 of 3 pods are available")),
        ({}, {"numberAvailable": 1}, (FAIL, "1 of 3 pods are available")),
        ({"rollingUpdate": {"maxUnavailable": "67%"}}, {"numberAvailable": 0}, (FAIL, "0 of 3 pods are available")),
        ({"rollingUpdate": {"maxUnavailable": "34%"}}, {"numberAvailable": 1}, (WARN, "1 of 3 pods are available")),
        ({"rollingUpdate": {"maxUnavailable": 0}}, {"numberAvailable": 2}, (FAIL, "2 of 3 pods are available")),
        ({"type": "OnDelete"}, {"updatedNumberScheduled": 2}, (WARN, "2 of 3 pods are updated, the others when")),
    ],
)
def test_daemon_sets(spec, status, expected):
    whole = daemon_set(status=status)
    whole["spec"]["updateStrategy"].update(spec)
    found = seen(whole)
    assert found[0] == expected[0]
    assert expected[1] in found[1]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "Status"}, "kind"),
        ({"kind": 7}, "kind"),
        ({"spec": None}, "spec"),
        ({"status": []}, "status"),
        ({"status": {"conditions": [3]}}, "conditions"),
        ({"status": {"availableReplicas": "3"}}, "availableReplicas"),
        ({"spec": {"replicas": -1}}, "replicas"),
        ({"spec": {"selector": 3}}, "selector"),
    ],
)
def test_what_is_no_workload_says_which_field(change, field):
    found = judge("deployment", {**deployment(), **change}, rolled_out=False)
    assert (found.status, found.output) == (FAIL, f"the answer is no deployment: {field} is not as it should be.")
    assert found.remedy


COUNTS = st.integers(0, 4)
PERCENT = st.integers(0, 100).map("{}%".format)


@st.composite
def workloads(draw):
    """A workload with any counts, whether they can occur together or not."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    whole = KINDS[kind](draw(COUNTS), metadata={"generation": draw(st.integers(1, 6))})
    for name in [name for name, value in whole["status"].items() if isinstance(value, int)]:
        whole["status"][name] = draw(COUNTS)
    whole["status"]["conditions"] = [
        condition("Available", draw(st.sampled_from(["True", "False", "Unknown"]))),
        condition("Progressing", reason=draw(st.sampled_from(["ReplicaSetUpdated", "ProgressDeadlineExceeded"]))),
    ]
    rolling = {"partition": draw(COUNTS), "maxUnavailable": draw(COUNTS | PERCENT)}
    whole["spec"]["updateStrategy"] = {
        "type": draw(st.sampled_from(["RollingUpdate", "OnDelete"])),
        "rollingUpdate": draw(st.sampled_from([rolling, {}])),
    }
    return whole


def wanted_and_available(whole):
    status = whole["status"]
    if whole["kind"] == "DaemonSet":
        return status["desiredNumberScheduled"], status["numberAvailable"]
    available = "availableReplicas" if whole["kind"] == "Deployment" else "readyReplicas"
    return whole["spec"]["replicas"], status[available]


@given(workloads(), st.booleans())
def test_a_pass_has_all_pods_and_no_pod_at_all_is_never_good(whole, rolled_out):
    found = judge(whole["kind"].lower(), whole, rolled_out)
    wanted, available = wanted_and_available(whole)
    if found.status == PASS:
        assert available >= wanted > 0
    if wanted and not available:
        assert found.status == FAIL
    assert bool(found.output) == (found.status != PASS)


@given(workloads())
def test_asking_for_the_rollout_is_only_stricter_and_leaves_no_doubt(whole):
    mild, strict = (judge(whole["kind"].lower(), whole, rolled_out) for rolled_out in (False, True))
    assert SEVERITY[strict.status] >= SEVERITY[mild.status]
    assert strict.output == mild.output
    assert strict.status != WARN or "scaled to 0" in strict.output


@given(workloads())
def test_one_more_available_pod_makes_nothing_worse(whole):
    more = copy.deepcopy(whole)
    name = {"Deployment": "availableReplicas", "StatefulSet": "readyReplicas", "DaemonSet": "numberAvailable"}
    more["status"][name[whole["kind"]]] += 1
    before, after = (judge(each["kind"].lower(), each, rolled_out=False) for each in (whole, more))
    assert SEVERITY[after.status] <= SEVERITY[before.status]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
PATHS = [
    ("metadata", "generation"), ("metadata", "namespace"), ("metadata", "deletionTimestamp"), ("spec", "replicas"),
    ("spec", "selector"), ("spec", "updateStrategy"), ("spec", "paused"), ("spec", "progressDeadlineSeconds"),
    ("status", "conditions"), ("status", "updatedReplicas"), ("status", "updateRevision"),
]  # fmt: skip


@given(st.sampled_from(sorted(RULES)), JSON, st.sampled_from(PATHS))
def test_whatever_the_answer_is_there_is_a_finding(kind, value, path):
    assert judge(kind, value, rolled_out=False).status == FAIL
    whole = KINDS[kind]()
    whole[path[0]][path[1]] = value
    found = judge(kind, whole, rolled_out=False)
    assert found.status in SEVERITY
    assert found.status == PASS or found.remedy
