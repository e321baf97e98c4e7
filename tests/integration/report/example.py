# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole run as its steps would record it: the shapes are those of the modules, the numbers are drawn by a seed."""

from __future__ import annotations

import random
from typing import Any

from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.histogram import Histogram

SCENARIOS = {"health": 1.1, "browse": 60.0, "auth": 9.0, "search": 140.0, "dashboard": 45.0, "mixed": 52.0}


def at(second: float) -> str:
    """The time that many seconds after the start of the run."""
    minutes, seconds = divmod(second, 60)
    return f"2026-11-21T08:{15 + int(minutes):02d}:{seconds:06.3f}Z"


def part(second: float, kind: str, step: str, host: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "step": step,
        "kind": kind,
        "title": more.pop("title", f"{step} on {host}"),
        "host": host,
        "verdict": "pass",
        "reasons": [],
        "started_at": at(second),
        "duration_s": 1.0,
        "recorded_at": at(second + 1),
        "data": data,
        **more,
    }


def probe_result(median_ms: float, rng: random.Random) -> dict[str, Any]:
    histogram = Histogram()
    histogram.record(int(1000 * rng.lognormvariate(0, 0.6) * median_ms) for _ in range(3000))
    metrics = {f"p{percent}_ms": histogram.percentile_ms(percent) for percent in (50, 95, 99)}
    metrics |= {"requests": 3000, "errors": 0, "error_rate": 0.0, "rps": round(10_000 / median_ms, 1)}
    return {
        "verdict": "pass",
        "reasons": [],
        "metrics": metrics,
        "started_at": at(0),
        "duration_s": 10.0,
        "samples": {"histograms": {"default": histogram.to_dict()}},
    }


def probe(second: float, label: str, faster: float) -> dict[str, Any]:
    rng = random.Random(label)
    results = {
        name: probe_result(median / (faster if median > 20 else 1.05), rng) for name, median in SCENARIOS.items()
    }
    data = {"label": label, "target": "http://edge1", "scenarios": results}
    return part(second, "probe", f"probe-{label}", "load1", data, title=f"Load probe: {label}", duration_s=60.0)


def way(start: float, *states: tuple[float, str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"time": at(start + t), "state": state, "phase": "result", "data": data} for t, state, data in states]


def watch(second: float, seconds: int, failed: dict[int, int]) -> dict[str, Any]:
    rng = random.Random(seconds)
    series = [
        {
            "t_s": t,
            "requests": 50,
            "errors": failed.get(t, 0),
            "p95_ms": round(14 + rng.random() * 8 + 40 * (t in failed), 2),
        }
        for t in range(seconds)
    ]
    return {
        "metrics": {"requests": 50 * seconds, "errors": sum(failed.values())},
        "samples": {
            "series": series,
            "errors": {"status": sum(failed.values())} if failed else {},
            "error_examples": [
                {"class": "status", "request": "GET /api/browse", "detail": "500", "time": at(second + t)}
                for t in list(failed)[:2]
            ],
        },
        "started_at": at(second),
    }


def gate(name: str, when: str, wave: int, second: float, error_rate: float) -> dict[str, Any]:
    """A load gate as a ledger keeps it."""
    ok = error_rate < 0.01
    return {
        "name": name,
        "type": "load",
        "when": when,
        "wave": wave,
        "verdict": "pass" if ok else "fail",
        "reasons": [] if ok else [f"error_rate < 1%: measured {error_rate:g}"],
        "thresholds": [
            {"threshold": "error_rate < 1%", "metric": "error_rate", "limit": 0.01, "measured": error_rate, "ok": ok}
        ],
        "metrics": {"requests": 250, "errors": round(250 * error_rate), "error_rate": error_rate, "p95_ms": 21.4},
        "started_at": at(second),
        "duration_s": 5.0,
    }


def rollout(second: float, release: str, failed: dict[int, int], bad: bool) -> dict[str, Any]:
    reason = "error_rate < 1%: measured 0.2"
    task = "Gate | Go on only when it passed"
    failure = {"host": "app1", "task": task, "reason": reason, "time": at(second + 18.9)}
    begin = [(0.5, "PLANNED", {"release": release, "slot": "green", "replicas": 1}), (0.6, "LOCKED", {}),
             (1.0, "STAGED", {})]
    alone = gate("load alone", "alone", 1, second + 7, 0.0)
    if bad:
        wave = gate("load wave", "wave", 1, second + 13, 0.2)

        def back(t: float) -> list[tuple[float, str, dict[str, Any]]]:
            return [(t, "ABORTING", {"reason": reason, "gates": [alone, wave]}), (t + 2.6, "ROLLED_BACK", {})]

        ways = {
            "app1": [*begin, (9, "VERIFIED", {"gates": [alone]}), (11, "SWITCHED", {}), *back(19)],
            "app2": [*begin, *back(22)],
            "app3": [],
        }
    else:

        def through(t: float) -> list[tuple[float, str, dict[str, Any]]]:
            return [
                *begin,
                (t, "VERIFIED", {"gates": [alone]}),
                (t + 1.5, "SWITCHED", {}),
                (t + 4, "SOAKING", {"gates": [gate("load wave", "wave", 1, second + t + 2, 0.0)]}),
                (38, "COMMITTED", {}),
            ]

        ways = {"app1": through(9), "app2": through(20), "app3": through(28)}
    waves = {"app1": 1, "app2": 2, "app3": 2}
    total = sum(failed.values())
    counted = watch(second, 26 if bad else 40, failed)
    requests = counted["metrics"]["requests"]
    ended = "rolled back on every host" if bad else "committed on every host"
    data = {
        "service": "pitch",
        "release": release,
        "kind": "rollout",
        "requests": requests,
        "failed_requests": total,
        "rolled_back_in_s": 5.6 if bad else None,
        "watch": counted,
        "run": f"20261121T081500Z-{release}",
        "verdict": "fail" if bad else "pass",
        "operator": "alice@deploy1",
        "audit": {"commit": "2b801641", "collection": "1.0.0"},
        "way_back": dict.fromkeys(ways, "v1"),
        "failures": [failure] * bad,
        "lines": [f"rollout of pitch to {release}: {ended} after 39.0 s; {total} of {requests} requests failed"],
        "hosts": {
            host: {
                "wave": waves[host],
                "state": states[-1][1] if states else "",
                "untouched": not states,
                "settled": True,
                "answers": True,
                "steps": way(second, *states),
            }
            for host, states in ways.items()
        },
    }
    return part(
        second,
        "rollout",
        "rollout",
        "app1",
        data,
        title=f"Rollout of pitch to {release}",
        duration_s=39.0,
        verdict="fail" if bad else "pass",
        reasons=["app1: Load gate: error_rate < 1%: measured 0.2"] if bad else [],
    )


def indexes(second: float) -> dict[str, Any]:
    rows = [
        {
            "name": f"pitches_{column}",
            "schema": "public",
            "table": "pitches",
            "action": action,
            "reason": reason,
            "statements": [f'CREATE INDEX CONCURRENTLY "pitches_{column}" ON "public"."pitches" ("{column}")']
            * (action != "none"),
            "size_bytes": 9_000_000,
            "duration_s": 1.25,
        }
        for column, action, reason in (
            ("status", "create", "it is missing"),
            ("genre", "create", "it is missing"),
            ("title", "rebuild", "the definition differs"),
            ("owner_id", "none", "as declared"),
        )
    ]
    evidence = [
        {
            "schema": "public",
            "name": "pitches",
            "rows": 1_200_000,
            "live_rows": 1_200_144,
            "table_bytes": 98_566_144,
            "indexes_bytes": 27_000_832,
            "seq_scan": 48_211,
            "idx_scan": 92,
        }
    ]
    data = {"database": "pitch", "changed": True, "extensions": ["pg_trgm"], "indexes": rows, "evidence": evidence}
    return part(second, "indexes", "index", "db1", data, title="Indexes of pitch")


def settings(second: float) -> dict[str, Any]:
    rows = [
        {"setting": "maxmemory", "before": "0", "after": "268435456", "action": "set", "source": "60 % of the memory"},
        {
            "setting": "maxmemory-policy",
            "before": "noeviction",
            "after": "allkeys-lfu",
            "action": "set",
            "source": "profile cache",
        },
        {"setting": "requirepass", "before": "old-hunter2", "after": "new-hunter2", "action": "set", "source": ""},
        {"setting": "io-threads", "before": "1", "after": "3", "action": "restart", "source": "4 cores"},
        {"setting": "timeout", "before": "0", "after": "0", "action": "none", "source": ""},
    ]
    data = {
        "settings": rows,
        "restart_debt": [{"setting": "io-threads", "running": "1", "wanted": "3"}],
        "evidence": {"version": "7.0.15", "used_memory_bytes": 1_048_576, "hit_rate": 0.9},
    }
    return part(second, "settings", "redis", "cache1", data, title="Redis settings of cache1")


def preflight(host: str, level: str) -> dict[str, Any]:
    findings = [
        {"level": "pass", "what": "memory", "expected": "at least 512 MiB", "found": "2.0 GiB", "remedy": ""},
        {
            "level": level,
            "what": "file descriptors",
            "expected": "at least 65536",
            "found": "1024",
            "remedy": "Raise LimitNOFILE." if level != "pass" else "",
        },
    ]
    data = {"findings": findings, "metrics": {"pass": 1}}
    return part(0, "preflight", "preflight", host, data, title=f"Preflight of {host}")


def run() -> list[dict[str, Any]]:
    """All parts of the demo's story."""
    return [
        *[preflight(host, "warn" if host == "app3" else "pass") for host in ("edge1", "app1", "app2", "app3", "db1")],
        probe(20, "before", 1.0),
        indexes(90),
        settings(110),
        probe(120, "after", 4.0),
        rollout(200, "v2", {}, bad=False),
        rollout(250, "bad-late", {13: 6, 14: 9, 15: 11, 16: 8, 17: 10, 18: 7}, bad=True),
    ]
