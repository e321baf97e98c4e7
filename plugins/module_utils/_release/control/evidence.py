# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proof: why a wave may not begin yet, and whether a plan still holds."""

from __future__ import annotations

from typing import Any, Mapping

from ..ledger.states import RESULT, SOAKING, STAGED
from .stop import said, stops


def missing_evidence(plan: Mapping[str, Any], before: int, run: str, progress: Mapping[str, str],
                     ledgers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return why wave ``before`` may not begin; empty when every host proves that it is where it has to be.

    A host of an earlier wave proves that it is through when the controller saw it get there and its own ledger,
    read now, ends with the result of SOAKING (switched, and its gate passed) with this release in this run.
    A host of this wave or a later one has to be staged. No answer is not a proof, and a stop flag refutes it.

    :arg before: number of the wave that asks; one more than there are asks for all of them.
    :arg progress: per host what the controller saw, ``<run> <state>``.
    :arg ledgers: per host what M(evenkeel.fleet.release_info) just returned there.
    """
    missing = []
    for wave in plan["waves"]:
        for host in wave["hosts"]:
            status = ledgers[host].get("status") or {}
            needed = SOAKING if wave["number"] < before else STAGED
            if silent(ledgers[host]):
                missing.append(f"{host} does not answer")
            elif ledgers[host].get("failed"):
                missing.append(f"the ledger of {host} cannot be read: {ledgers[host].get('msg')}")
            elif stops(ledgers[host].get("stop") or {}, run):
                missing.append(said(ledgers[host]["stop"]))
            elif progress[host] != f"{run} {needed}":
                missing.append(f"{host} is not {needed} (last seen: {progress[host] or 'nothing'})")
            elif needed == SOAKING and _position(status) != (run, plan["release"], SOAKING, RESULT):
                missing.append(f"the ledger of {host} does not prove {SOAKING} (its last record: "
                               f"{status.get('state') or 'none'}{_reason(ledgers[host])})")
    return list(dict.fromkeys(missing))


def changed_since(observed: Mapping[str, Mapping[str, Any]], ledgers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what has happened to the hosts since they were observed, which was before the lock was taken.

    :arg observed: per host what :func:`..plan.observation.observe` returned. :arg ledgers: as above.
    """
    changes = []
    for host, seen in observed.items():
        status = ledgers[host].get("status")
        if silent(ledgers[host]) or status is None:
            changes.append(f"{host} does not answer")
        elif (status["run"], status["state"], status["phase"]) != (seen["last_run"], seen["state"], seen["phase"]):
            changes.append(f"{host} is at the {status['phase']} of {status['state']} in run {status['run']}")
    return changes


def silent(result: Mapping[str, Any]) -> bool:
    """Whether a host gave no answer to a module: there was no connection, or it broke before the module's result.

    Ansible adds ``module_stdout`` to a result that it could not read. Some connections tell a host that is down only
    so.
    """
    return bool(result.get("unreachable") or "module_stdout" in result)


def _reason(ledger: Mapping[str, Any]) -> str:
    """Return what the records give as a reason, such as why the guard sent the run back; empty without one."""
    return next((f"; {one['data']['reason']}" for one in reversed(ledger.get("records") or [])
                 if (one["data"] or {}).get("reason")), "")


def _position(status: Mapping[str, Any]) -> tuple[Any, ...]:
    return status.get("run"), status.get("release"), status.get("state"), status.get("phase")
