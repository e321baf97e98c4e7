# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The error budget at one load balancer: what HAProxy counted of a whole backend, kept, and how fast that burns."""

from __future__ import annotations

import json
import os
import time
from typing import Any, Mapping

from ..._balancer.haproxy import HAProxy, pick
from ..._balancer.runtime_socket import RuntimeSocket
from ..._core import files
from ..._core.clock import utc
from ..._core.verdict import FAIL, INCONCLUSIVE, PASS, Verdict
from .burn_rate import Budget, Reading, burned, continuous
from .canary import Counts

ANSWERS = ("hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other")


def counts(counters: Mapping[str, Any]) -> Counts:
    """Return what users got from a backend: answers, and those with a status of 500 to 599, also HAProxy's own."""
    return Counts(sum(counters.get(name, 0) for name in ANSWERS), counters.get("hrsp_5xx", 0))


class History:
    """Readings of one backend on this host: ``<directory>/<service>/budget.json``."""

    def __init__(self, service: str, directory: str) -> None:
        self._path = os.path.join(directory, service, "budget.json")

    def add(self, reading: Reading, window_s: float) -> list[Reading]:
        """Keep one more and return all within the window, oldest first."""
        files.make_directory(os.path.dirname(self._path))
        with files.exclusive(f"{self._path}.lock"):
            readings = [*self.read(reading.time_s - window_s), reading]
            rows = [[one.time_s, one.counts.requests, one.counts.errors] for one in readings]
            files.replace(self._path, json.dumps(rows).encode())
        return readings

    def read(self, since_s: float) -> list[Reading]:
        """Return the readings that are not older than a time."""
        rows = json.loads(files.read(self._path) or b"[]")
        return [Reading(at, Counts(requests, errors)) for at, requests, errors in rows if at >= since_s]


def run(socket: str, backend: str, service: str, budget: Mapping[str, Any], directory: str,
        check_mode: bool) -> dict[str, Any]:
    """Take a reading and judge all that are within the long window; in check mode the reading is not kept."""
    rules = Budget.of(budget)
    if check_mode:
        return {"changed": False, **Verdict(reasons=["check mode: nothing was read"]).to_result()}
    totals = HAProxy(RuntimeSocket(socket)).totals()
    reading = Reading(time.time(), counts(pick(totals, backend)))
    readings = History(service, directory).add(reading, rules.window_s)
    return {"changed": True, **judge(readings, rules).to_result()}


def judge(readings: list[Reading], rules: Budget) -> Verdict:
    """Return fail when both windows burn too fast, inconclusive when nothing was asked, else pass."""
    kept = continuous(readings)
    seen, duration_s = kept[-1].counts - kept[0].counts, kept[-1].time_s - kept[0].time_s
    long, short = burned(kept, rules)
    metrics = {"burn_rate": long, "burn_rate_short": short, "requests": seen.requests, "errors": seen.errors,
               "error_rate": seen.rate}
    verdict, reasons = PASS, []
    if long is None:
        verdict = INCONCLUSIVE
        reasons = [f"no request in {duration_s:.0f} s: nothing is known about the error budget"]
    elif short is not None and min(long, short) >= rules.limit:
        verdict = FAIL
        reasons = [f"the whole service burns its error budget {long:.1f} times as fast as allowed, {short:.1f} times "
                   f"in the short window, from {rules.limit:.3g} on it is too much: {seen.errors} of {seen.requests} "
                   f"requests failed in {duration_s:.0f} s"]
    ok = None if verdict == INCONCLUSIVE else verdict == PASS
    return Verdict(verdict, reasons, [{"threshold": f"burn_rate < {rules.limit:.3g}", "metric": "burn_rate",
                                       "limit": rules.limit, "measured": long, "ok": ok}],
                   metrics, {"readings": len(kept)}, utc(kept[0].time_s), round(duration_s, 3))
