# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""health_probe and real workloads on the lab's Kubernetes node, judged beside kubectl itself."""

from __future__ import annotations

import json
import subprocess
import threading
import time

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.install import program
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECK

from .cluster import AUTHORITY, NODE, ON_NODE, Namespace, on_node, workload
from .harness import adhoc
from .servers import eventually

pytestmark = pytest.mark.kubernetes

#: Tags that the registry does not have.
NO_IMAGE = "registry1:5000/none:1"
CRASHES = "registry1:5000/pitch:bad-crash"


@pytest.fixture(scope="module")
def namespace():
    running = subprocess.check_output(["docker", "ps", "--format", "{{.Names}}"], text=True).split()
    if NODE not in running:
        pytest.fail("kube1 is down: run LAB_KUBERNETES=1 tests/lab/up")
    created = Namespace()
    yield created
    created.remove()


@pytest.fixture(autouse=True)
def inventory(monkeypatch):
    monkeypatch.setenv("ANSIBLE_INVENTORY", "inventories/lab,tests/lab/kubernetes-host.yml")


def probe(*checks, **options):
    """Run the module on the node; by default each component is looked at once."""
    return adhoc("kube1", "evenkeel.fleet.health_probe", checks=checks, **{"deadline_s": 0, **options})


def look(namespace, workload, **options):
    return probe(namespace.check(workload, **options))["components"][workload]


def settled(namespace, *workloads):
    """Wait until kubectl says that these are rolled out."""
    eventually(lambda: all(namespace.rolled_out(each) for each in workloads), deadline_s=60)


@pytest.fixture(scope="module")
def good(namespace):
    """Workloads that are as they were declared, by the output that is expected."""
    namespace.apply(
        workload("Deployment", "web", 2),
        workload("StatefulSet", "store", 2, podManagementPolicy="Parallel"),
        workload("DaemonSet", "agent"),
        workload("Deployment", "idle", 0),
        workload("DaemonSet", "nowhere", pod={"nodeSelector": {"disk": "tape"}}),
    )
    nothing = "it is scaled to 0, nothing runs."
    expected = {
        "deployment/web": "", "statefulset/store": "", "daemonset/agent": "",
        "deployment/idle": nothing, "daemonset/nowhere": nothing,
    }  # fmt: skip
    settled(namespace, *expected)
    return expected


def test_what_kubectl_calls_rolled_out_is_good(namespace, good):
    result = probe(*(namespace.check(each, rolled_out=True, critical=True) for each in good))
    assert result["verdict"] == "pass"
    found = result["components"]
    assert {name: seen["output"] for name, seen in found.items()} == good
    assert {name: seen["status"] for name, seen in found.items()} == {
        name: "warn" if output else "pass" for name, output in good.items()
    }
    assert [found[name]["observedValue"] for name in good] == [2, 2, 1, 0, 0]


def test_an_image_that_cannot_be_had_warns_while_old_pods_serve_and_then_fails(namespace):
    namespace.apply(workload("Deployment", "update", 2, progressDeadlineSeconds=10))
    settled(namespace, "deployment/update")
    namespace.kubectl("set", "image", "deployment/update", f"it={NO_IMAGE}")
    warned = eventually(lambda: (seen := look(namespace, "deployment/update"))["status"] == "warn" and seen)
    assert warned["output"].startswith("its rollout is not finished: ")
    assert warned["observedValue"] == 2
    strict = look(namespace, "deployment/update", rolled_out=True, critical=True)
    assert strict["status"] == "fail"
    check = namespace.check("deployment/update", critical=True, rolled_out=True)
    result = probe(check, deadline_s=60, interval_s=0.5)
    failed = result["components"]["deployment/update"]
    assert result["verdict"] == "fail"
    assert failed["output"] == "its rollout made no progress for 10 s, 2 of 2 replicas are available."
    assert result["duration_s"] < 30, "it is hopeless, so it was not waited for"
    assert failed["remedy"].endswith(f"kubectl -n {namespace.name} describe pods -l app=update.")
    on_node("sh", "-c", failed["remedy"].split(": ", 1)[1].rstrip("."))
    assert not namespace.rolled_out("deployment/update")


def test_pods_that_crash_fail_at_once_and_for_good_after_the_progress_deadline(namespace):
    limits = {"minReadySeconds": 3, "progressDeadlineSeconds": 6}
    namespace.apply(workload("Deployment", "crash", 1, CRASHES, **limits))
    first = eventually(
        lambda: (seen := look(namespace, "deployment/crash", critical=True))["observedValue"] == 0 and seen
    )
    assert (first["status"], first["output"]) == (
        "fail", "its rollout is not finished: 0 of 1 updated replicas are available.",
    )  # fmt: skip
    result = probe(namespace.check("deployment/crash", critical=True), deadline_s=60)
    assert "made no progress for 6 s, 0 of 1" in result["components"]["deployment/crash"]["output"]
    assert result["duration_s"] < 40


def test_pods_that_may_not_be_created_say_why(namespace):
    namespace.apply(workload("Deployment", "refused", pod={"serviceAccountName": "nobody"}))
    found = eventually(
        lambda: "nobody" in (seen := look(namespace, "deployment/refused", critical=True))["output"] and seen
    )
    assert found["status"] == "fail"
    assert 'serviceaccount "nobody" not found' in found["output"]


def test_a_rollout_is_waited_for(namespace):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    namespace.apply(workload("Deployment", "slow", 2, strategy=strategy, minReadySeconds=3))
    settled(namespace, "deployment/slow")
    began = time.monotonic()
    namespace.kubectl("rollout", "restart", "deployment/slow")
    waiting, good = (namespace.check("deployment/slow", critical=True, rolled_out=wait) for wait in (True, False))
    assert probe(good)["components"]["deployment/slow"]["status"] == "warn"
    result = probe(waiting, deadline_s=60, interval_s=0.3, consecutive=2)
    assert (result["verdict"], result["status"]) == ("pass", "pass")
    assert time.monotonic() - began > 2 * 3  # one after the other
    assert namespace.rolled_out("deployment/slow")


def test_a_paused_rollout_warns_and_resumes(namespace):
    namespace.apply(workload("Deployment", "paused", 2))
    settled(namespace, "deployment/paused")
    namespace.kubectl("rollout", "pause", "deployment/paused")
    namespace.kubectl("set", "env", "deployment/paused", "RELEASE=2")
    found = eventually(lambda: "paused" in (seen := look(namespace, "deployment/paused"))["output"] and seen)
    assert (found["status"], found["output"]) == ("warn", "its rollout is paused: 0 of 2 replicas are updated.")
    strict = probe(namespace.check("deployment/paused", critical=True, rolled_out=True), deadline_s=30)
    assert (strict["verdict"], strict["duration_s"] < 5) == ("fail", True)
    namespace.kubectl("rollout", "resume", "deployment/paused")
    settled(namespace, "deployment/paused")
    assert look(namespace, "deployment/paused", rolled_out=True)["status"] == "pass"


def test_partitions_and_deletions_of_a_stateful_set(namespace):
    """A partition holds back the pods below it; with OnDelete it is the operator who replaces them."""
    partition = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    namespace.apply(
        workload("StatefulSet", "parted", 2, podManagementPolicy="Parallel", updateStrategy=partition),
        workload("StatefulSet", "manual", 2, podManagementPolicy="Parallel", updateStrategy={"type": "OnDelete"}),
    )
    settled(namespace, "statefulset/parted")
    eventually(lambda: look(namespace, "statefulset/manual")["status"] == "pass")
    namespace.kubectl("set", "env", "statefulset/parted", "statefulset/manual", "RELEASE=2")
    settled(namespace, "statefulset/parted")
    parted = look(namespace, "statefulset/parted", rolled_out=True)
    manual = look(namespace, "statefulset/manual")
    assert (parted["status"], parted["observedValue"]) == ("pass", 2)
    assert manual["status"] == "warn"
    assert manual["output"].endswith("0 of 2 pods are updated, the others when they are deleted.")
    namespace.kubectl("delete", "pod", "manual-0", "manual-1")
    eventually(lambda: look(namespace, "statefulset/manual", rolled_out=True)["status"] == "pass", deadline_s=30)


def test_every_verdict_on_the_rollout_is_that_of_kubectl(namespace, good):
    """Of all that the tests before have left behind, good and bad."""
    listed = namespace.kubectl("get", "deployment,daemonset,statefulset", "-o=name").split()
    names = [each.replace(".apps/", "/") for each in listed if not each.endswith("/manual")]
    assert len(names) >= len(good)
    found = probe(*(namespace.check(each, rolled_out=True, critical=True) for each in names))["components"]
    done = {name for name, seen in found.items() if seen["status"] != "fail"}
    assert done == {name for name in names if namespace.rolled_out(name)}


def test_who_may_look(namespace, good):
    token, stranger = namespace.token("reader"), namespace.token("stranger")
    web = "deployment/web"
    certificate = {"client_cert": "/etc/kubernetes/pki/admin.crt", "client_key": "/etc/kubernetes/pki/admin.key"}
    result = probe(
        namespace.check(web, "token", token=token),
        namespace.check(web, "certificate", **certificate),
        namespace.check(web, "address", url="https://172.30.77.50:6443/"),
        namespace.check(web, "expires", certificate_days=99999),
        namespace.check(web, "wrong token", token="wrong-secret"),
        namespace.check(web, "forbidden", token=stranger),
        namespace.check(web, "nobody", token_file=None),
        namespace.check("deployment/none", "missing"),
        namespace.check(web, "no such namespace", namespace="none"),
        namespace.check(web, "no API", url="https://kube1:6443/version"),
        namespace.check(web, "untrusted", ca_file=None),
        namespace.check(web, "wrong name", url="https://127.0.0.2:6443"),
        namespace.check(web, "refused", url="https://kube1:6444"),
    )
    found = result["components"]
    assert {found[name]["status"] for name in ("token", "certificate", "address")} == {"pass"}
    assert "the certificate expires in " in found["expires"]["output"]
    expected = {
        "wrong token": ("answered 401: Unauthorized", "Give a token that is still valid"),
        "forbidden": (
            'answered 403: deployments.apps "web" is forbidden',
            "Allow this account to get deployments.apps",
        ),
        "nobody": ('answered 403: deployments.apps "web" is forbidden', "Give token, token_file or client_cert."),
        "missing": ('answered 404: deployments.apps "none" not found', "Correct workload, namespace or url"),
        "no such namespace": ("answered 403", "Allow this account to get deployments.apps in namespace none"),
        "no API": ("answered 403", "Allow this account"),
        "untrusted": ("is not accepted: unable to get local issuer certificate", "give the right authority file"),
        "wrong name": ("is not accepted: IP address mismatch", "Check the certificate, its name"),
        "refused": ("kube1:6444 refused the connection", "Check that the server is started"),
    }
    for name, (output, remedy) in expected.items():
        assert found[name]["status"] == "warn", name
        assert output in found[name]["output"], name
        assert remedy in found[name]["remedy"], name
    hopeless = probe(namespace.check(web, token="wrong-secret", critical=True), deadline_s=30)
    assert (hopeless["verdict"], hopeless["samples"]["attempts"][web]) == ("fail", 1)
    for secret in (token, stranger, "wrong-secret"):
        assert secret not in str(result)


LOOK = """
import json, sys
sys.path.insert(0, "/tmp/health.pyz")
from evenkeel_fleet._health.runner import observe
print(json.dumps(observe([json.loads(sys.argv[1])])))
"""


def test_inside_of_a_pod_nothing_but_the_workload_has_to_be_named(namespace, good):
    """With the archive that the health endpoint is."""
    container = {"name": "it", "image": "registry1:5000/pitch:v1", "command": ["sleep", "600"]}
    namespace.apply(workload("Deployment", "inside", pod={"serviceAccountName": "reader", "containers": [container]}))
    settled(namespace, "deployment/inside")
    inside = [*ON_NODE, "kubectl", "-n", namespace.name, "exec", "-i", "deployment/inside", "--"]
    subprocess.run([*inside, "tee", "/tmp/health.pyz"], input=program(), stdout=subprocess.DEVNULL, check=True)
    blank = {name: spec.get("default") for name, spec in CHECK.items()}
    check = {**blank, "name": "it", "type": "kubernetes", "workload": "statefulset/store"}
    found = json.loads(subprocess.check_output([*inside, "python3", "-c", LOOK, json.dumps(check)]))["it"]
    assert (found["status"], found["observedValue"]) == ("pass", 2)
    assert found["expected"].startswith(f"statefulset store in namespace {namespace.name} ")
    assert AUTHORITY not in str(found)


def test_a_server_that_stops_or_hangs_is_waited_for(namespace, good):
    check = namespace.check("deployment/web", critical=True, timeout_s=1.0)
    on_node("systemctl", "stop", "kube-apiserver.service")
    restart = threading.Timer(3, on_node, ["systemctl", "start", "kube-apiserver.service"])
    try:
        down = probe(check, deadline_s=1)
        assert down["verdict"] == "fail"
        assert "kube1:6443 refused the connection" in down["reasons"][0]
        restart.start()
        back = probe(check, deadline_s=180)  # a node whose lease ran out meanwhile takes its time
        assert back["verdict"] == "pass", back
    finally:
        restart.join()
    on_node("systemctl", "kill", "--signal=STOP", "kube-apiserver.service")
    try:
        started = time.monotonic()
        hung = probe(check)
        assert time.monotonic() - started < 10
    finally:
        on_node("systemctl", "kill", "--signal=CONT", "kube-apiserver.service")
    assert "no answer from kube1:6443 within 1 s" in hung["reasons"][0]
