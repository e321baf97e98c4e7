# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of a Kubernetes workload: one request to the API server.

Inside a pod it finds server, authority, token and namespace where client-go's ``rest.InClusterConfig`` does.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from typing import Any, Mapping
from urllib.parse import urlsplit

from .._client.dial import DialError
from .._core.clock import Deadline
from .._core.errors import FleetError, InputError
from .network import HOPELESS, excerpt, exchange, expiry
from .observation import FAIL, PASS, WARN, Observation, failure
from .workload import RULES, judge

#: What a pod finds of its service account.
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"

#: Answers that another look does not change, unless the API server is only starting.
REFUSALS = (401, 403, 404)

#: Names of workloads are DNS subdomains (RFC 1123), those of namespaces DNS labels.
_LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_WORKLOAD = re.compile(rf"(?P<kind>{'|'.join(RULES)})/(?P<name>{_LABEL}(?:\.{_LABEL})*)")
_TOKEN = re.compile(r"[\x21-\x7e]+")


def validate_kubernetes(field: str, check: Mapping[str, Any]) -> None:
    """Refuse what cannot be asked for.

    :raises InputError: before anything was asked.
    """
    if not _WORKLOAD.fullmatch(check["workload"]):
        expected = f"{', '.join(RULES)}, a slash and the name"
        raise InputError(f"{field}: workload", check["workload"], expected, "deployment/shop")
    if check["namespace"] is not None and not re.fullmatch(_LABEL, check["namespace"]):
        raise InputError(f"{field}: namespace", check["namespace"], "the name of a namespace", "shop")
    if check["token"] is not None and not _TOKEN.fullmatch(check["token"]):
        raise InputError(f"{field}: token", "(hidden)", "one line without blanks", "eyJhbGciOi…")
    url = check["url"] or ""
    if re.search("[?#]", url):
        raise InputError(f"{field}: url", url, "the URL of an API server", "https://kube1:6443")
    if (check["token"] or check["token_file"]) and urlsplit(url).scheme == "http":
        raise InputError(f"{field}: url", url, "https, since a token is sent", "https://kube1:6443")


def check_kubernetes(check: Mapping[str, Any], timeout_s: float) -> Observation:
    """Ask for a workload and judge its rollout; refused by a server that is ready, or not there, it is hopeless."""
    kind, name = check["workload"].split("/")
    namespace = check["namespace"] or _account("namespace", "default")
    expected = f"{kind} {name} in namespace {namespace} is rolled out and available"
    try:
        request = _request(check, f"/apis/apps/v1/namespaces/{namespace}/{kind}s/{name}")
        deadline = Deadline(timeout_s)
        status, body, days_left = exchange(request, timeout_s)
        ready = status in REFUSALS and _is_ready(check, deadline.remaining_s)
        if ready:  # the refusal may be from before that
            status, body, days_left = exchange(request, deadline.remaining_s)
    except FleetError as error:
        return failure(expected, error, not isinstance(error, DialError) or error.kind in HOPELESS)
    if status != 200:
        known = "Authorization" in request["headers"] or check["client_cert"] is not None
        remedy = _remedy(status, known, right=f"get {kind}s.apps in namespace {namespace}")
        output = f"the API server answered {status}: {_message(body)}"
        return Observation(FAIL, expected, output, remedy, hopeless=ready and status in REFUSALS)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    found = dataclasses.replace(judge(kind, document, check["rolled_out"]), expected=expected)
    expires = expiry(check, days_left)
    if expires and found.status == PASS:
        return dataclasses.replace(found, status=WARN, output=expires, remedy="Renew the API server's certificate.")
    return found


def _request(check: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the request as a check of type http.

    :raises FleetError: when it is not known whom to ask, or as whom.
    """
    inside = check["url"] is None
    url = (check["url"] or _server_of_the_pod()).rstrip("/") + path
    token_file = check["token_file"]
    if inside and not (check["token"] or token_file or check["client_cert"]):
        token_file = f"{ACCOUNT}/token"
    token = check["token"] or (_token_of(token_file) if token_file else None)
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    ca_file = check["ca_file"] or (f"{ACCOUNT}/ca.crt" if inside else None)
    return {**check, "url": url, "method": "GET", "headers": headers, "body": None, "ca_file": ca_file}


def _is_ready(check: Mapping[str, Any], timeout_s: float) -> bool:
    """Tell whether the API server is ready; one that starts refuses everybody until it has read the roles.

    Asked without the token, since a wrong one would be refused. 401 is a server that answers nobody without one.
    """
    request = _request(check, "/readyz")
    request["headers"].pop("Authorization", None)
    status = exchange(request, timeout_s)[0]
    return status < 500 and status != 403


def _server_of_the_pod() -> str:
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{name}") for name in ("HOST", "PORT"))
    if not host or not port:
        raise FleetError("this is not inside a pod, and no url was given.", "Give url, the API server's.")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _account(name: str, default: str) -> str:
    """Return what a file of the service account holds; ``default`` when there is none."""
    try:
        with open(f"{ACCOUNT}/{name}", encoding="utf-8") as stream:
            return stream.read().strip()
    except OSError:
        return default


def _token_of(path: str) -> str:
    """Return the token in a file, read anew at each look, because those of service accounts are renewed."""
    try:
        with open(path, encoding="ascii") as stream:
            token = stream.read().strip()
    except OSError as error:
        raise FleetError(f"cannot read the token in {path}: {error.strerror}.", "Check path and owner.") from error
    except UnicodeDecodeError:
        token = ""
    if not _TOKEN.fullmatch(token):
        raise FleetError(f"{path} holds no token: expected one line without blanks.", "Check token_file.")
    return token


def _message(body: bytes) -> str:
    """Return what the API server says (the message of a Status), or how its answer begins."""
    try:
        document = json.loads(body)
        return str(document["message"])[:500]
    except (ValueError, RecursionError, LookupError, TypeError):
        return excerpt(body)


def _remedy(status: int, known: bool, right: str) -> str:
    """Return what can be done about a refusal; ``known`` tells whether the request said who asks."""
    if status in (401, 403) and not known:
        return "Give token, token_file or client_cert."
    return {
        401: "Give a token that is still valid, or a client certificate of the cluster's authority.",
        403: f"Allow this account to {right}, with a Role and a RoleBinding.",
        404: "Correct workload, namespace or url, or deploy it.",
    }.get(status, "Look at the API server: kubectl get --raw '/readyz?verbose'.")
