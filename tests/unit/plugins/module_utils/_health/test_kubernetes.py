# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import json
import threading

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._health import kubernetes
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECK
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.runner import observe

BLANK = {name: spec.get("default") for name, spec in CHECK.items()}
DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "generation": 1},
    "spec": {"replicas": 1},
    "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1},
}


def look(**options):
    check = {**BLANK, "name": "it", "type": "kubernetes", "workload": "deployment/web", **options}
    return observe([check], deadline_s=0.3, interval_s=0.1)["it"]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        status, body = (self.server.ready, b"") if self.path == "/k/readyz" else self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    """What kubectl proxy is: an API server without TLS on this host, which needs no token."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.answer, running.ready, running.asked = (200, json.dumps(DEPLOYMENT).encode()), 200, []
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("deployment", "/apis/apps/v1/namespaces/shop/deployments/web.1"),
        ("statefulset", "/apis/apps/v1/namespaces/shop/statefulsets/web.1"),
        ("daemonset", "/apis/apps/v1/namespaces/shop/daemonsets/web.1"),
    ],
)
def test_one_request_for_the_workload(server, kind, path):
    look(url=f"{server.url}/k8s/clusters/c-1/", workload=f"{kind}/web.1", namespace="shop", critical=False)
    assert server.asked[0][0] == f"/k8s/clusters/c-1{path}"
    assert "Authorization" not in server.asked[0][1]


def test_the_finding_names_the_workload_and_counts_its_pods(server):
    found = look(url=server.url, namespace="shop")
    assert (found["status"], found["observedValue"], found["observedUnit"]) == ("pass", 1, "replicas")
    assert found["expected"] == "deployment web in namespace shop is rolled out and available"
    assert look(url=server.url)["expected"] == "deployment web in namespace default is rolled out and available"


@pytest.mark.parametrize(
    ("status", "remedy", "hopeless"),
    [
        (401, "Give token", True),
        (403, "Give token", True),
        (404, "Correct workload", True),
        (429, "/readyz", False),
        (500, "/readyz", False),
        (302, "/readyz", False),
    ],
)
def test_refusals_say_what_the_server_said_and_what_to_do(server, status, remedy, hopeless):
    server.answer = (status, json.dumps({"kind": "Status", "message": "no way"}).encode())
    found = look(url=f"{server.url}/k")
    assert (found["status"], found["output"]) == ("fail", f"the API server answered {status}: no way")
    assert remedy in found["remedy"]
    assert (found["attempts"] == 1) is hopeless


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize(("ready", "hopeless"), [(200, True), (401, True), (404, True), (403, False), (500, False)])
def test_who_is_refused_while_the_server_starts_looks_again(server, status, ready, hopeless):
    server.answer, server.ready = (status, b""), ready
    found = look(url=f"{server.url}/k/")
    assert (found["attempts"] == 1) is hopeless


def test_a_refusal_from_before_the_server_was_ready_is_not_the_answer(monkeypatch):
    refused, well = (403, b"", None), (200, json.dumps(DEPLOYMENT).encode(), None)
    answers = iter([refused, (200, b"ok", None), well])
    monkeypatch.setattr(kubernetes, "exchange", lambda request, timeout_s: next(answers))
    assert look(url="http://kube1:8001")["status"] == "pass"
    answers = iter([refused, (200, b"ok", None), (500, b"", None), well])
    found = look(url="http://kube1:8001")
    assert (found["status"], found["attempts"]) == ("pass", 2), "a server that fails is looked at again"


def test_readiness_is_asked_without_the_token(server):
    request = kubernetes._request({**BLANK, "url": f"{server.url}/k", "token": "s3cr3t"}, "/apis")
    assert request["headers"]["Authorization"] == "Bearer s3cr3t"
    assert kubernetes._is_ready({**BLANK, "url": f"{server.url}/k", "token": "s3cr3t"}, 1.0)
    assert "Authorization" not in server.asked[-1][1]


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b"", b"[]", b'{"kind": "Deployment", "spec": 1}'])
def test_what_is_no_deployment_is_a_finding(server, body):
    server.answer = (200, body)
    found = look(url=server.url)
    assert "the answer is no deployment" in found["output"]
    assert "url" in found["remedy"]
    server.answer = (503, body)
    assert "answered 503: " in look(url=server.url)["output"]


@pytest.mark.parametrize(
    ("options", "field", "secret"),
    [
        ({"workload": "web"}, "workload", ""),
        ({"workload": "pod/web"}, "workload", ""),
        ({"workload": "deployment/../../secrets"}, "workload", ""),
        ({"workload": "deployment/Web"}, "workload", ""),
        ({"workload": "deployment/web", "namespace": "a/b"}, "namespace", ""),
        ({"namespace": ""}, "namespace", ""),
        ({"url": "kube1:6443"}, "url", ""),
        ({"url": "https://kube1:6443/?x=1"}, "url", ""),
        ({"url": "http://kube1:8001", "token": "s3cr3t"}, "url", "s3cr3t"),
        ({"url": "HTTP://kube1:8001", "token_file": "/tmp/token"}, "url", ""),
        ({"url": "https://user:s3cr3t@kube1"}, "url", "s3cr3t"),
        ({"token": "s3cr3t\r\nX-Remote-User: admin"}, "token", "s3cr3t"),
        ({"url": "http://kube1:8001", "certificate_days": 14}, "certificate_days", ""),
    ],
)
def test_bad_input_is_refused_before_anything_is_asked(options, field, secret):
    with pytest.raises(InputError) as caught:
        look(**options)
    assert caught.value.msg.startswith(f"checks: it: {field}: ")
    assert caught.value.example
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "output"), [(None, "cannot read the token in "), (b"", "holds no token"), (b"\xff\xfe", "no token")]
)
def test_a_token_file_that_holds_none(tmp_path, content, output):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    found = look(url="https://127.0.0.1:1", token_file=str(path))
    assert output in found["output"]
    assert found["remedy"]
    assert found["attempts"] == 1


def test_outside_of_a_pod_the_server_has_to_be_named(monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    found = look()
    assert (found["output"], found["attempts"]) == ("this is not inside a pod, and no url was given.", 1)


@pytest.mark.parametrize(
    ("host", "url"), [("10.96.0.1", "https://10.96.0.1:443/x"), ("fd00::1", "https://[fd00::1]:443/x")]
)
def test_inside_of_a_pod_its_account_is_used(tmp_path, monkeypatch, host, url):
    (tmp_path / "token").write_text("pods-token\n")
    monkeypatch.setattr(kubernetes, "ACCOUNT", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    request = kubernetes._request(BLANK, "/x")
    assert (request["url"], request["ca_file"]) == (url, f"{tmp_path}/ca.crt")
    assert request["headers"]["Authorization"] == "Bearer pods-token"
    own = kubernetes._request({**BLANK, "token": "own", "ca_file": "/own.pem"}, "/x")
    assert (own["headers"]["Authorization"], own["ca_file"]) == ("Bearer own", "/own.pem")
    certificate = kubernetes._request({**BLANK, "client_cert": "/own.pem"}, "/x")
    assert "Authorization" not in certificate["headers"]
