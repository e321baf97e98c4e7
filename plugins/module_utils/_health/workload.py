# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a Kubernetes workload, as the API gives it, to its health.

When a rollout is done is what ``kubectl rollout status`` says: ``pkg/polymorphichelpers/rollout_status.go`` of
k8s.io/kubectl v0.34.4, whose order of questions is kept. It knows done and not done only; how bad "not done" is follows
from the workload's own ``maxUnavailable`` (Kubernetes API reference, apps/v1): as long as no more pods are missing and
one is there, it is a warning.
"""

from __future__ import annotations

import math
import re
from typing import Any, Callable, Mapping, NamedTuple

from .observation import FAIL, PASS, WARN, Observation

_REMEDY = "Look at its pods and their events: kubectl -n {namespace} describe pods{selector}."


class Malformed(Exception):
    """The document is not what the API describes; the text names the field."""


class Rollout(NamedTuple):
    """How far a workload is.

    ``wanted`` and ``available`` count pods. ``waiting`` says what the rollout waits for; empty when it is done.
    ``enough`` means that no more pods are missing than the workload allows. ``failed`` says why it will not finish.
    """

    wanted: int
    available: int
    waiting: str
    enough: bool
    failed: str = ""


def judge(kind: str, document: Any, rolled_out: bool) -> Observation:
    """Return the health of a workload.

    :arg kind: a key of :data:`RULES`.
    :arg rolled_out: a rollout that is not done is a failure even if enough pods are available.
    """
    try:
        metadata, spec, status = (_fields(document, name) for name in ("metadata", "spec", "status"))
        if str(document.get("kind")).lower() != kind:
            raise Malformed("kind")
        seen = _count(status, "observedGeneration") >= max(1, _count(metadata, "generation"))
        rollout = RULES[kind](spec, status, seen)
        remedy = _remedy(metadata, spec)
    except Malformed as error:
        remedy = "Check that url is that of a Kubernetes API server."
        return Observation(FAIL, "", f"the answer is no {kind}: {error} is not as it should be.", remedy)

    def found(verdict: str, output: str, hopeless: bool = False) -> Observation:
        return Observation(verdict, "", output, remedy, rollout.available, "replicas", hopeless)

    if metadata.get("deletionTimestamp"):
        return found(FAIL, "it is being deleted.", hopeless=True)
    if rollout.failed:
        return found(FAIL, rollout.failed, hopeless=True)
    if not rollout.waiting:
        return found(PASS, "") if rollout.wanted else found(WARN, "it is scaled to 0, nothing runs.")
    serves = rollout.enough and (rollout.available > 0 or rollout.wanted == 0)
    if spec.get("paused") is True:
        output = f"its rollout is paused: {rollout.waiting}."
        return found(WARN if serves and not rolled_out else FAIL, output, hopeless=rolled_out)
    return found(WARN if serves and not rolled_out else FAIL, f"its rollout is not finished: {rollout.waiting}.")


def _deployment(spec: Mapping[str, Any], status: Mapping[str, Any], seen: bool) -> Rollout:
    """DeploymentStatusViewer; what is enough says the controller itself, in the condition Available."""
    wanted, available = _count(spec, "replicas", 1), _count(status, "availableReplicas")
    replicas, updated = _count(status, "replicas"), _count(status, "updatedReplicas")
    conditions = _conditions(status)
    waiting = failed = ""
    if not seen:
        waiting = _NOT_SEEN
    elif conditions.get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded":
        limit_s = _count(spec, "progressDeadlineSeconds", 600)
        failed = f"its rollout made no progress for {limit_s} s, {available} of {wanted} replicas are available."
    elif updated < wanted:
        waiting = f"{updated} of {wanted} replicas are updated"
    elif replicas > updated:
        waiting = f"{replicas - updated} old replicas have not ended"
    elif available < updated:
        waiting = f"{available} of {updated} updated replicas are available"
    refusal = conditions.get("ReplicaFailure", {})
    if waiting and refusal.get("status") == "True":
        waiting += f"; {refusal.get('message', 'pods cannot be created')}"
    return Rollout(wanted, available, waiting, conditions.get("Available", {}).get("status") == "True", failed)


def _stateful_set(spec: Mapping[str, Any], status: Mapping[str, Any], seen: bool) -> Rollout:
    """StatefulSetStatusViewer: a partition keeps the pods below it at the old revision, and ready is good enough."""
    wanted, ready = _count(spec, "replicas", 1), _count(status, "readyReplicas")
    updated = _count(status, "updatedReplicas")
    strategy = _fields(spec, "updateStrategy")
    rolling = _fields(strategy, "rollingUpdate")
    due = wanted - _count(rolling, "partition")
    waiting = ""
    if not seen:
        waiting = _NOT_SEEN
    elif ready < wanted:
        waiting = f"{ready} of {wanted} replicas are ready"
    elif strategy.get("type") == "OnDelete":
        waiting = _on_delete(updated, wanted)
    elif rolling and updated < due:
        waiting = f"{updated} of {due} replicas are updated"
    elif not rolling and status.get("updateRevision") != status.get("currentRevision"):
        waiting = f"{updated} of {wanted} replicas are at the new revision"
    return Rollout(wanted, ready, waiting, ready >= wanted - _allowed(rolling, wanted))


def _daemon_set(spec: Mapping[str, Any], status: Mapping[str, Any], seen: bool) -> Rollout:
    """DaemonSetStatusViewer: one pod for each node that it is meant for."""
    wanted, available = _count(status, "desiredNumberScheduled"), _count(status, "numberAvailable")
    updated = _count(status, "updatedNumberScheduled")
    strategy = _fields(spec, "updateStrategy")
    waiting = ""
    if not seen:
        waiting = _NOT_SEEN
    elif updated < wanted:
        on_delete = strategy.get("type") == "OnDelete"
        waiting = _on_delete(updated, wanted) if on_delete else f"{updated} of {wanted} pods are updated"
    elif available < wanted:
        waiting = f"{available} of {wanted} pods are available"
    allowed = _allowed(_fields(strategy, "rollingUpdate"), wanted)
    return Rollout(wanted, available, waiting, available >= wanted - allowed)


#: How each kind of workload is judged.
RULES: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any], bool], Rollout]] = {
    "deployment": _deployment,
    "statefulset": _stateful_set,
    "daemonset": _daemon_set,
}

_NOT_SEEN = "its controller has not seen the last change yet"


def _on_delete(updated: int, wanted: int) -> str:
    """The strategy that kubectl refuses to judge: a pod is updated when somebody deletes it."""
    return f"{updated} of {wanted} pods are updated, the others when they are deleted" if updated < wanted else ""


def _allowed(rolling: Mapping[str, Any], wanted: int) -> int:
    """Return how many pods may be missing: ``maxUnavailable``, 1 by default; a percentage is rounded up."""
    value = rolling.get("maxUnavailable", 1)
    if isinstance(value, str) and re.fullmatch("[0-9]{1,3}%", value):
        return math.ceil(wanted * int(value[:-1]) / 100)
    return _count(rolling, "maxUnavailable", 1)


def _fields(document: Any, name: str) -> Mapping[str, Any]:
    """Return an object within an object; the API leaves out what is empty."""
    value = document.get(name, {}) if isinstance(document, dict) else None
    if not isinstance(value, dict):
        raise Malformed(name)
    return value


def _count(fields: Mapping[str, Any], name: str, default: int = 0) -> int:
    value = fields.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Malformed(name)
    return value


def _conditions(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the conditions by type."""
    conditions = status.get("conditions", [])
    if not isinstance(conditions, list) or not all(isinstance(condition, dict) for condition in conditions):
        raise Malformed("conditions")
    return {str(condition.get("type")): condition for condition in conditions}


def _remedy(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    labels = _fields(_fields(spec, "selector"), "matchLabels")
    selector = " -l " + ",".join(f"{name}={value}" for name, value in labels.items()) if labels else ""
    return _REMEDY.format(namespace=metadata.get("namespace", "default"), selector=selector)
