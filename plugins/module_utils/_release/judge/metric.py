# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers that somebody else counts, judged by thresholds: Prometheus, HAProxy's counters, a load probe that runs."""

from __future__ import annotations

import json
import math
import time
from typing import Any, Callable, Mapping, Sequence
from urllib.parse import quote

from ..._core.clock import Deadline, epoch_s, utc_now
from ..._core.errors import FleetError, InputError
from ..._core.threshold import Threshold
from ..._core.verdict import INCONCLUSIVE, Verdict, judge, worst

#: A load probe says each second how it is going; what is older than this is not true any more.
STALE_S = 10.0

_TIMEOUT_S = 10.0
_OK, _BAD_REQUEST, _UNPROCESSABLE = 200, 400, 422


class NoData(FleetError):
    """There is nothing to judge, and there may be later."""


#: Returns the metrics to judge, one dict per series, or raises :class:`NoData`.
Source = Callable[[], Sequence[Mapping[str, Any]]]


def probe(*, thresholds: Sequence[str], prometheus: Mapping[str, Any] | None = None,
          balancer: Mapping[str, Any] | None = None, load_probe: Mapping[str, Any] | None = None, wait_s: float = 0.0,
          deadline_s: float = 30.0, interval_s: float = 2.0, check_mode: bool = False) -> dict[str, Any]:
    """Read one source and judge it.

    :arg thresholds: at least one.
    :arg wait_s: wait that long before the first look, so that the numbers are about what was just changed.
    :arg deadline_s: without data look again until that many seconds after the wait have passed; then the verdict is
        inconclusive.
    :raises InputError: when an option is wrong, before anything was asked.
    """
    rules, source = prepare(thresholds, prometheus, balancer, load_probe, wait_s, deadline_s, interval_s)
    started_at, clock = utc_now(), Deadline(wait_s + deadline_s)
    if check_mode:
        verdict = Verdict(reasons=["check mode: nothing was read"])
    else:
        time.sleep(wait_s)
        verdict = _judge(source, rules, clock, interval_s)
    verdict.started_at, verdict.duration_s = started_at, round(clock.elapsed_s, 3)
    return {"changed": False, **verdict.to_result()}


def prepare(thresholds: Sequence[str], prometheus: Mapping[str, Any] | None, balancer: Mapping[str, Any] | None,
            load_probe: Mapping[str, Any] | None, wait_s: float, deadline_s: float,
            interval_s: float) -> tuple[list[Threshold], Source]:
    """Return what is judged by what; nothing is asked.

    :raises InputError: names the option that is wrong.
    """
    rules = [Threshold.parse(text) for text in thresholds]
    if not rules:
        raise InputError("thresholds", thresholds, "at least one threshold", "[value < 0.01]")
    for name, value in (("wait_s", wait_s), ("deadline_s", deadline_s)):
        if not value >= 0:
            raise InputError(name, value, "0 or more seconds", "30")
    if not interval_s > 0:
        raise InputError("interval_s", interval_s, "more than 0 seconds", "2")
    return rules, _source(prometheus, balancer, load_probe)


def _judge(source: Source, rules: Sequence[Threshold], clock: Deadline, interval_s: float) -> Verdict:
    """Look until there is data or time is up; of several series each has to keep all rules."""
    while True:
        try:
            found = source()
            verdicts = [judge(metrics, rules, 1) for metrics in found]
            verdict = worst(one.verdict for one in verdicts)
            told = next(one for one in verdicts if one.verdict == verdict)
            told.reasons = [reason for one in verdicts for reason in one.reasons]
            told.samples = {"series": [dict(metrics) for metrics in found]}
        except NoData as error:
            verdict, told = INCONCLUSIVE, Verdict(reasons=[str(error)])
        if verdict != INCONCLUSIVE or clock.remaining_s <= interval_s:
            return told
        time.sleep(interval_s)


def _source(prometheus: Mapping[str, Any] | None, balancer: Mapping[str, Any] | None,
            load_probe: Mapping[str, Any] | None) -> Source:
    given = [one for one in (prometheus, balancer, load_probe) if one]
    if len(given) != 1:
        raise InputError("prometheus, balancer, load_probe", len(given), "exactly one source of numbers",
                         "prometheus: {url: http://prometheus:9090, query: up}")
    if prometheus:
        check = _request(prometheus)
        return lambda: _ask_prometheus(check)
    if balancer:
        if not balancer["duration_s"] > 0:
            raise InputError("balancer.duration_s", balancer["duration_s"], "more than 0 seconds", "10")
        return lambda: [_count(**balancer)]
    return lambda: [_look(**(load_probe or {}))]


def _request(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the HTTP request of an instant query, as the health checks send theirs."""
    from ..._health.network import validate_request, validate_url

    url = str(options["url"]).rstrip("/")
    validate_url("prometheus.url", url, "http://prometheus:9090")
    url += f"/api/v1/query?query={quote(options['query'], safe='')}"
    check = {"name": "prometheus", "method": "GET", "url": url,
             "headers": options.get("headers") or {}, "body": "", "host": None, "port": None, "unix_socket": None,
             "validate_certs": options.get("validate_certs", True), "ca_file": options.get("ca_file"),
             "client_cert": None, "client_key": None}
    validate_request("prometheus.", check)
    return check


def _ask_prometheus(check: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return ``value`` and ``labels`` of each series of the answer.

    Source: Prometheus' HTTP API, "Instant queries" and "Expression query result formats".
    """
    from ..._client.dial import DialError
    from ..._health.network import exchange

    try:
        status, body, dummy = exchange(check, _TIMEOUT_S)
    except DialError as error:
        raise NoData(f"Prometheus gave no answer: {error.msg}") from error
    try:
        answer = json.loads(body)
        if status in (_BAD_REQUEST, _UNPROCESSABLE):
            raise InputError("prometheus.query", answer["error"], "a query that Prometheus can evaluate", "up")
        if status != _OK or answer["status"] != "success":
            raise NoData(f"Prometheus answered {status}: {answer.get('error', '')}")
        kind, result = answer["data"]["resultType"], answer["data"]["result"]
        if kind == "scalar":
            return [{"value": _number(result[1]), "labels": {}}]
        if kind != "vector":
            raise InputError("prometheus.query", kind, "a query whose result is a scalar or an instant vector", "up")
        rows = [{"value": _number(row["value"][1]), "labels": row["metric"]} for row in result]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise NoData(f"Prometheus answered {status} with what is no result of a query.") from error
    if not rows:
        raise NoData("Prometheus has no data for this query.")
    return rows


def _number(text: str) -> float | None:
    """NaN, the result of 0/0, is no number to judge and cannot be JSON."""
    number = float(text)
    return None if math.isnan(number) or math.isinf(number) else number


def _count(backend: str, server: str = "", duration_s: float = 5.0, socket: str = "") -> dict[str, Any]:
    """Return what HAProxy counted of a backend, or of one server, within ``duration_s`` seconds.

    Every counter of ``show stat`` has its growth, gauges such as ``scur`` their last value; ``requests`` are the
    answers, ``errors`` those with a status of 500 to 599, ``error_rate`` their share.
    """
    from ..._balancer.haproxy import HAProxy
    from ..._balancer.runtime_socket import RuntimeSocket
    from .budget_run import ANSWERS

    balancer = HAProxy(RuntimeSocket(socket))
    before = _counters(balancer, backend, server)
    time.sleep(duration_s)
    after = _counters(balancer, backend, server)
    grown = {name: value - before.get(name, 0) for name, value in after.items()
             if isinstance(value, int) and name not in _GAUGES}
    if any(value < 0 for value in grown.values()):
        raise NoData("HAProxy's counters began anew while they were read.")
    requests, errors = sum(grown.get(name, 0) for name in ANSWERS), grown.get("hrsp_5xx", 0)
    if not requests:
        raise NoData(f"HAProxy's {server or backend} had no request in {duration_s:g} s.")
    gauges = {name: after[name] for name in _GAUGES if name in after}
    return {**gauges, **grown, "requests": requests, "errors": errors, "error_rate": errors / requests,
            "rps": round(requests / duration_s, 3)}


#: What goes up and down in ``show stat``. Source: HAProxy 2.6 management guide, 9.1.
_GAUGES = ("scur", "smax", "qcur", "qmax", "rate", "rate_max", "lastchg", "qtime", "ctime", "rtime", "ttime")


def _counters(balancer: Any, backend: str, server: str) -> Mapping[str, Any]:
    from ..._balancer.haproxy import pick

    if not server:
        counters: Mapping[str, Any] = pick(balancer.totals(), backend)
        return counters
    servers = balancer.servers(backend)
    if server not in servers:
        raise InputError("balancer.server", server, f"one of {', '.join(servers)}", next(iter(servers), "app1-blue"))
    return dict(servers[server].counters)


def _look(name: str, directory: str) -> dict[str, Any]:
    """Return what a load probe that runs has counted until now."""
    from ..._load.result.store import RUNNING, Store

    status = Store(directory).read_status(name)
    if status["state"] != RUNNING:
        raise NoData(f"the load probe {name} does not run: it is {status['state']}. {status.get('msg', '')}".strip())
    age_s = epoch_s(utc_now()) - epoch_s(status["updated_at"]) if "updated_at" in status else STALE_S
    requests, errors = status.get("requests", 0), status.get("errors", 0)
    if not requests or age_s >= STALE_S:
        raise NoData(f"the load probe {name} has not said anything for {age_s:.0f} s." if requests
                     else f"the load probe {name} has no request yet.")
    return {"requests": requests, "errors": errors, "error_rate": errors / requests,
            **{key: status[key] for key in ("rps", "p95_ms") if status.get(key) is not None}}
