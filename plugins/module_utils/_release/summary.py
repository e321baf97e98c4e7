# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rollout came to: one verdict, every host's way through it, and what it cost in failed requests."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from .._core.clock import seconds_between
from .._core.verdict import FAIL, INCONCLUSIVE, PASS
from .control.evidence import silent
from .ledger.states import COMMITTED, RESULT, ROLLED_BACK


def summarize(plan: Mapping[str, Any], run: str, ledgers: Mapping[str, Mapping[str, Any]],
              failures: Mapping[str, Mapping[str, str]], missing: Sequence[str],
              watch: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the record of one run for the report.

    :arg ledgers: per host, what M(evenkeel.fleet.release_info) returned at the end, with this run's records.
    :arg failures: per host, ``task``, ``reason`` and ``time`` (UTC, ISO 8601) of its failure; empty without one.
    :arg missing: the proofs that were missing, in case no host failed with a reason of its own.
    :arg watch: result of the load probe that ran along, None without one.
    :returns: ``verdict`` (pass: committed everywhere; fail: rolled back everywhere where it began; inconclusive:
        neither, a person has to look), ``reasons``, ``failures`` (of hosts, the oldest first), ``hosts``, ``waves``,
        ``way_back`` (release by host), ``operator`` and ``audit`` as the ledgers have them, ``rolled_back_in_s`` (from
        the first failure to the last host that was back), ``requests``, ``failed_requests`` and ``lines`` for people.
    """
    failed = sorted(({"host": host, **failure} for host, failure in failures.items() if failure),
                    key=lambda failure: failure["time"])
    hosts = {}
    for wave in plan["waves"]:
        for host in wave["hosts"]:
            ledger = ledgers.get(host) or {}
            own = ledger.get("records") or []
            hosts[host] = {
                "wave": wave["number"],
                "untouched": _untouched(ledger),
                "state": own[-1]["state"] if own else "",
                "settled": bool(own) and own[-1]["phase"] == RESULT,
                "answers": not silent(ledger),
                "steps": [{key: one[key] for key in ("time", "state", "phase", "data")} for one in own],
            }
    verdict = INCONCLUSIVE
    for state, meaning in ((COMMITTED, PASS), (ROLLED_BACK, FAIL)):
        if hosts and all((one["state"] == state and one["settled"] and one["answers"])
                         or (meaning == FAIL and one["untouched"]) for one in hosts.values()):
            verdict = meaning
    reasons = [f"{one['host']}: {one['task']}: {one['reason']}" for one in failed]
    if verdict != PASS and not reasons:
        reasons = list(missing) or ["the hosts did not all get through"]
    times = [step["time"] for one in hosts.values() for step in one["steps"]]
    back = [step["time"] for one in hosts.values() for step in one["steps"] if step["state"] == ROLLED_BACK]
    failed_at = failed[0]["time"] if failed else ""
    records = [record for ledger in ledgers.values() for record in (ledger or {}).get("records") or []]
    metrics = (watch or {}).get("metrics") or {}
    summary = {
        "run": run, "kind": plan["kind"], "service": plan["service"], "release": plan["release"],
        "image": plan["image"], "verdict": verdict, "reasons": reasons, "failures": failed, "waves": plan["waves"],
        "hosts": hosts, "way_back": {host: one["release"] for host, one in plan["rollback_target"].items()},
        "operator": next((record["operator"] for record in records if record.get("operator")), ""),
        "audit": next((record["data"]["audit"] for record in records if (record["data"] or {}).get("audit")), {}),
        "started_at": min(times, default=""),
        "duration_s": seconds_between(min(times), max(times)) if times else 0.0,
        "rolled_back_in_s": seconds_between(failed_at, max(back)) if failed_at and back else None,
        "requests": metrics.get("requests"), "failed_requests": metrics.get("errors"), "watch": watch,
    }
    return {**summary, "lines": _lines(summary)}


def _untouched(ledger: Mapping[str, Any]) -> bool:
    """Whether a host that answers says that this run never began on it, and that no other one is under way."""
    status = ledger.get("status") or {}
    return ledger.get("records") == [] and not status.get("interrupted") and not status.get("frozen")


def _lines(summary: Mapping[str, Any]) -> list[str]:
    outcome = {PASS: "committed on every host", FAIL: "rolled back on every host"}.get(
        summary["verdict"], "NOT on one release: a person has to look")
    counted = "failed requests were not counted" if summary["failed_requests"] is None else \
        f"{summary['failed_requests']} of {summary['requests']} requests failed"
    lines = [f"{summary['kind']} of {summary['service']} to {summary['release']}: {outcome} after "
             f"{summary['duration_s']:.1f} s; {counted}"]
    if summary["rolled_back_in_s"] is not None:
        lines.append(f"every host was back {summary['rolled_back_in_s']:.1f} s after the first failure")
    lines += [f"reason: {reason}" for reason in summary["reasons"]]
    for host, one in summary["hosts"].items():
        silent = "" if one["answers"] else ", does not answer"
        state = one["state"] or ("untouched" if one["untouched"] else "no record")
        lines.append(f"{host} (wave {one['wave']}): {state}{silent}")
    return lines
