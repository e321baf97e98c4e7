# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The canary judge at one load balancer: read HAProxy's counters until there is a verdict or no time left.

What counts as one failed request at a server, by HAProxy 2.6's counters (management guide, 9.1): an answer with a
status of 500 to 599 (``hrsp_5xx``), a connection that failed for good (``econ``), an answer that broke off before
its header was through (``eresp``), and an attempt that was tried again: users did not see that one, but the server
failed it. At the same server that is a retry (``wretr``), at another one a redispatch (``wredis``); an answer that
never came counts as both then, a connection that was refused as a redispatch alone, so the larger of the two is taken.
``req_tot`` counts answers with a header, so the attempts are those and what failed otherwise.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Iterable, Mapping, Sequence

from ..._balancer.haproxy import HAProxy
from ..._balancer.runtime_socket import RuntimeSocket
from ..._balancer.server import DRAIN, READY, Server
from ..._balancer.tasks import change_servers
from ..._core.clock import Deadline, utc_now
from ..._core.errors import FleetError, InputError
from ..._core.verdict import FAIL, INCONCLUSIVE, PASS, Verdict, worst
from .canary import Counts, Judge, Rules, check, total
from .latency import Latency, LatencyRules
from .latency_run import LatencyWatch

_COUNTERS = ("req_tot", "hrsp_5xx", "econ", "eresp", "wretr", "wredis")
_STOPPED = "stopped"


def counted(before: Server, after: Server) -> Counts | None:
    """Return what HAProxy has counted at a server between two readings; None when its counters began anew."""
    more = {name: after.counters.get(name, 0) - before.counters.get(name, 0) for name in _COUNTERS}
    if min(more.values()) < 0:
        return None
    failed = more["econ"] + more["eresp"] + max(more["wretr"], more["wredis"])
    return Counts(more["req_tot"] + failed, more["hrsp_5xx"] + failed)


class Watch:
    """Feeds a judge with the differences between readings of one load balancer.

    :arg new: servers of the new release. :arg old: those of the old one; empty takes all others that have traffic.
    :raises InputError: for a server that is unknown, on both sides, or none where there has to be one.
    """

    def __init__(self, judge: Judge, balancer: HAProxy, backend: str, new: Sequence[str], old: Sequence[str]) -> None:
        self.judge = judge
        self._balancer = balancer
        self._backend = backend
        self.servers = balancer.servers(backend)
        self.new = list(dict.fromkeys(new))
        self.old = list(dict.fromkeys(old)) or [name for name, server in self.servers.items() if name not in self.new
                                                and server.state == READY and server.weight]
        self._refuse_nonsense()
        #: How often the counters began anew, because HAProxy was restarted or reloaded.
        self.restarts = 0
        #: Whether the runtime API gave no answer when it was last asked.
        self.silent = False
        #: Who looks at the latency as well, if anybody does.
        self.slow: LatencyWatch | None = None
        self._passed = False

    def _refuse_nonsense(self) -> None:
        known = ", ".join(self.servers)
        for field, names in (("servers", self.new), ("baseline", self.old)):
            for name in names:
                if name not in self.servers:
                    raise InputError(field, name, f"a server of backend {self._backend}: {known}")
        if not self.new:
            raise InputError("servers", self.new, f"at least one of {known}")
        both = sorted(set(self.new) & set(self.old))
        if both:
            raise InputError("baseline", both, "none of the servers of the new release")

    def look(self) -> None:
        """Read once more; an interval in which the counters began anew is left out."""
        if self.slow:
            self.slow.look()
        try:
            before, after = self.servers, self._balancer.servers(self._backend)
        except FleetError:  # it is being restarted; one that stays away ends in too little traffic
            self.silent = True
            return
        self.servers = {**before, **after}
        change = {}
        for name in (*self.new, *self.old):
            one = counted(before[name], self.servers[name])
            if self.silent or one is None:
                self.restarts, self.silent = self.restarts + 1, False
                return
            change[name] = one
        self.judge.feed(total(change[name] for name in self.new), total(change[name] for name in self.old))

    @property
    def errors(self) -> str:
        """Return the verdict on the errors. A pass stays one, as long as what comes later is no failure."""
        self._passed = self._passed or self.judge.verdict == PASS
        found = FAIL if self.sick else self.judge.verdict
        return PASS if self._passed and found != FAIL else found

    @property
    def verdict(self) -> str:
        """Return the verdict on errors and latency."""
        return worst([self.errors, self.slow.latency.verdict]) if self.slow else self.errors

    def down(self, names: Iterable[str]) -> list[str]:
        """Return those that the balancer's own check has found down."""
        return [name for name in names if self.servers[name].state == READY
                and self.servers[name].operational == _STOPPED]

    @property
    def sick(self) -> str:
        """Say that the balancer took the new release out while the old one is up; empty otherwise."""
        down = self.down(self.new)
        if not down or self.down(self.old):
            return ""
        return f"the load balancer's check found {down[0]} down: {self.servers[down[0]].check}"


def judge_release(watch: Watch, deadline_s: float, interval_s: float) -> dict[str, Any]:
    """Watch until there is a verdict, at most ``deadline_s`` seconds; return it as a gate reads it.

    :arg interval_s: seconds between two readings.
    """
    started_at, deadline = utc_now(), Deadline(deadline_s)
    judge = watch.judge
    begun_s, had = None, judge.new.requests
    while watch.verdict == INCONCLUSIVE and not deadline.expired:
        time.sleep(min(interval_s, deadline.remaining_s))
        watch.look()
        if begun_s is None and judge.new.requests > had:
            begun_s = deadline.elapsed_s
    duration_s = round(deadline.elapsed_s, 3)
    traffic_s = 0.0 if begun_s is None else round(duration_s - begun_s, 3)
    latency = watch.slow.latency if watch.slow else None
    metrics = {**_metrics(judge), "traffic_s": traffic_s, **(latency.metrics if latency else {})}
    samples = {"servers": watch.new, "baseline": watch.old, "restarts": watch.restarts,
               "first_request_s": None if begun_s is None else round(begun_s, 3),
               **({"latency": latency.to_dict()} if latency else {})}
    thresholds = [*_thresholds(judge), *(latency.thresholds() if latency else [])]
    result = Verdict(watch.verdict, _reasons(watch, duration_s), thresholds, metrics, samples, started_at, duration_s)
    return {"changed": False, **result.to_result()}


def continued(rules: Rules, metrics: Mapping[str, Any]) -> Judge:
    """Return a judge with the evidence that an earlier one left in its metrics.

    :raises InputError: when they are not those of a judge.
    """
    if not metrics:
        return Judge(rules)
    try:
        return Judge(rules, Counts(int(metrics["requests"]), int(metrics["errors"])),
                     Counts(int(metrics["baseline_requests"]), int(metrics["baseline_errors"])),
                     float(metrics["evidence_baseline"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("before", dict(metrics), "the metrics of an earlier verdict", "judged.metrics") from error


def _metrics(judge: Judge) -> dict[str, Any]:
    return {
        "requests": judge.new.requests, "errors": judge.new.errors, "error_rate": judge.new.rate,
        "baseline_requests": judge.old.requests, "baseline_errors": judge.old.errors,
        "baseline_error_rate": judge.old.rate,
        "evidence_limit": round(judge.limit, 3), "evidence_baseline": round(judge.baseline, 3),
    }


def _thresholds(judge: Judge) -> list[dict[str, Any]]:
    """Return both tests; ``ok`` is None while a test has not decided."""
    rules = judge.rules
    harmless = True if judge.limit <= rules.accept else False if judge.harmful else None
    return [
        {"threshold": f"error_rate < {rules.max_error_rate:.4g}", "metric": "error_rate",
         "limit": rules.max_error_rate, "measured": judge.new.rate, "ok": harmless},
        {"threshold": f"error_rate < {rules.ratio:g} x baseline_error_rate", "metric": "evidence_baseline",
         "limit": round(rules.reject, 3), "measured": round(judge.baseline, 3), "ok": False if judge.worse else None},
    ]


def _reasons(watch: Watch, duration_s: float) -> list[str]:
    latency = watch.slow.latency if watch.slow else None
    new, old = _said("the new release", watch.judge.new), _said("the old one beside it", watch.judge.old)
    if watch.verdict == PASS:
        return []
    if watch.verdict == FAIL:
        return ([watch.sick or f"{new}, {old}"] if watch.errors == FAIL else []) + (
            latency.reasons if latency and latency.verdict == FAIL else [])
    missing = [_missing(watch, new, old)] if watch.errors != PASS else []
    missing += latency.reasons if latency and latency.verdict != PASS else []
    reasons = [f"no verdict in {duration_s:.0f} s: {'; '.join(missing)}"]
    if watch.silent:
        reasons.append("HAProxy's runtime API did not answer in the end")
    if watch.restarts:
        reasons.append(f"HAProxy's counters began anew {watch.restarts} time(s); those intervals do not count")
    return reasons


def _said(name: str, part: Counts) -> str:
    return f"{name} failed {part.errors} of {part.requests} requests"


def _missing(watch: Watch, new: str, old: str) -> str:
    judge = watch.judge
    down = watch.down([*watch.new, *watch.old])
    if down:
        return f"the load balancer's check found {', '.join(down)} down, of the old release as well"
    if not judge.new.requests:
        return (f"no request reached {', '.join(watch.new)}. See that the service has traffic and that "
                "the servers are ready with a weight above 0")
    if judge.harmful and not judge.old.requests:
        return f"{new}, and no request reached the old one, with which it has to be compared"
    if judge.harmful:
        return (f"{new}, {old}: too often, and not the new release alone. Find what fails in both, or raise "
                f"max_error_rate to {judge.rules.ratio:g} times what is usual")
    return (f"{new}, {old}: too little traffic. About {judge.wanted} more requests without an error would make it "
            "pass")


def run(socket: str, backend: str, servers: Sequence[str], baseline: Sequence[str], rules: Mapping[str, Any],
        deadline_s: float, interval_s: float, before: Mapping[str, Any], withdraw: bool, state_file: str,
        check_mode: bool, warn: Callable[[str], None], latency: Mapping[str, Any] | None = None,
        before_latency: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Do what the module does; in check mode nobody waits and nothing is known.

    :arg before: ``metrics`` of an earlier look at the same release, whose evidence goes on; empty begins anew.
    :arg withdraw: when the verdict is fail, drain the servers of the new release before anything else happens.
    :arg state_file: where HAProxy's states are saved after that; empty does not save.
    :arg latency: see :class:`.latency.LatencyRules`; None leaves it alone.
    :arg before_latency: ``samples.latency`` of the earlier look.
    """
    made = check(rules)
    slower = None if latency is None else LatencyRules.parse(latency, made.alpha)
    for name, value in (("deadline_s", deadline_s), ("interval_s", interval_s)):
        if value <= 0:
            raise InputError(name, value, "more than 0 seconds", "60")
    if check_mode:
        return {"changed": False, **Verdict(reasons=["check mode: nothing was watched"]).to_result()}
    asked = RuntimeSocket(socket)
    watch = Watch(continued(made, before), HAProxy(asked), backend, servers, baseline)
    if slower:
        watch.slow = LatencyWatch(Latency(slower, before_latency), asked, backend, watch.new, watch.old)
    try:
        result = judge_release(watch, deadline_s, interval_s)
    finally:
        if watch.slow:
            watch.slow.close()
    if withdraw and result["verdict"] == FAIL:
        wishes = [{"name": name, "state": DRAIN} for name in servers]
        drained = change_servers(socket, backend, wishes, False, 0, 0, None, state_file, False, warn)
        result["changed"] = drained["changed"]
    return result
