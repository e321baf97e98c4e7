# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One load probe: check the request, send the load, judge what came of it."""

from __future__ import annotations

import re
import resource
from typing import Any, Mapping, Sequence

from .._core.clock import Deadline, utc_now
from .._core.errors import InputError
from .._core.threshold import EXAMPLE as THRESHOLD_EXAMPLE
from .._core.threshold import Threshold
from .._core.verdict import FAIL, INCONCLUSIVE, Verdict, judge, worst
from .engine import Plan
from .run import Load, Report, run
from .scenario import parse_scenarios
from .summary import metrics, percentiles_of, samples
from .target import Target

CONSTANT_VUS, CONSTANT_ARRIVAL_RATE = "constant_vus", "constant_arrival_rate"

#: From this share of a core on, running or waiting for one, the generator is the limit.
SATURATED = 0.95

#: A late generator explains a slow target when it adds more than this to the 99th percentile, in ms …
LATE_MS = 10.0
#: … and this share of it.
LATE_SHARE = 0.5

#: Descriptors that are kept for other things than connections.
_SPARE_DESCRIPTORS = 64

_SCOPED = re.compile(r"^\s*([^:]+?)\s*:\s*(\S.*)$")


def probe(*, target: str, scenarios: Sequence[Mapping[str, Any]] | None = None,
          headers: Mapping[str, Any] | None = None, executor: str = CONSTANT_VUS, vus: int = 10,
          rate_rps: float | None = None, duration_s: float = 10.0, warmup_s: float = 0.0, timeout_s: float = 10.0,
          deadline_s: float | None = None, processes: int = 1, thresholds: Sequence[str] = ("error_rate < 1%",),
          allowed_targets: Sequence[str] = (), stop_path: str = "", count_header: str = "",
          validate_certs: bool = True, ca_path: str | None = None, check_mode: bool = False,
          watched: Sequence[int] = ()) -> dict[str, Any]:
    """Probe a target; the options are those of the module ``load_probe``.

    :arg check_mode: check everything but send nothing.
    :arg watched: file descriptors of pipes to whoever started the probe; it stops when they close.
    :raises InputError: before any traffic, when an option is wrong.
    """
    goal = Target.parse(target)
    goal.require_allowed(allowed_targets)
    requests = parse_scenarios(scenarios, goal, headers)
    rules = parse_thresholds(thresholds, [request.scenario for request in requests])
    load = parse_load(executor, vus, rate_rps, duration_s, warmup_s, timeout_s, deadline_s, processes)
    tls = goal.tls(validate_certs, ca_path)
    started_at, clock = utc_now(), Deadline(0)
    if check_mode:
        return {"changed": False, "scenarios": {},
                **Verdict(reasons=["check mode: no traffic was sent"], started_at=started_at).to_result()}
    family, address = goal.resolve(timeout_s)
    report = run(Plan(requests, family, address, goal.host, tls, timeout_s, count_header.lower(), stop_path), load,
                 watched)
    percentiles = percentiles_of([rule.metric for group in rules.values() for rule in group])
    by_scenario = {
        name: metrics(report.tally, report.measured_s, percentiles,
                      lambda outcome, name=name: requests[outcome.kind].scenario == name)  # type: ignore[misc]
        for name in dict.fromkeys(request.scenario for request in requests)}
    overall = metrics(report.tally, report.measured_s, percentiles)
    verdict = _judge(overall, by_scenario, rules)
    verdict.samples = samples(report, requests, percentiles)
    verdict.samples["generator"] = _generator(report, load)
    verdict.samples["target"] = {"url": target, "address": str(address[0]), "port": goal.port}
    verdict.samples["stopped"] = report.stopped
    _doubt(verdict, report, load)
    verdict.started_at, verdict.duration_s = started_at, round(clock.elapsed_s, 3)
    return {"changed": False, "scenarios": by_scenario, **verdict.to_result()}


def parse_load(executor: str, vus: int, rate_rps: float | None, duration_s: float, warmup_s: float,
               timeout_s: float, deadline_s: float | None, processes: int) -> Load:
    """Check the numbers; raise this process' limit of open files when it has to be.

    :raises InputError: when one is out of range, or two contradict.
    """
    if executor not in (CONSTANT_VUS, CONSTANT_ARRIVAL_RATE):
        raise InputError("executor", executor, f"{CONSTANT_VUS} or {CONSTANT_ARRIVAL_RATE}", CONSTANT_VUS)
    if executor == CONSTANT_ARRIVAL_RATE and not (rate_rps and rate_rps > 0):
        raise InputError("rate_rps", rate_rps, f"requests per second above 0 with {CONSTANT_ARRIVAL_RATE}", "200")
    if executor == CONSTANT_VUS and rate_rps is not None:
        raise InputError("rate_rps", rate_rps, f"nothing with {CONSTANT_VUS}, whose rate is up to the target",
                         f"executor: {CONSTANT_ARRIVAL_RATE}")
    for name, number, least, example in (("duration_s", duration_s, 0.1, "10"), ("warmup_s", warmup_s, 0, "2"),
                                         ("timeout_s", timeout_s, 0.001, "10"), ("processes", processes, 1, "2")):
        if not number >= least:
            raise InputError(name, number, f"{least} or more", example)
    if not vus >= processes:
        raise InputError("vus", vus, f"at least one for each of the {processes} processes", str(max(10, processes)))
    needed = vus // processes + _SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise InputError("vus", vus, f"no more than {(hard - _SPARE_DESCRIPTORS) * processes}, for which this host's "
                         f"limit of open files ({hard}) is enough", "more processes, or a higher LimitNOFILE")
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    whole = warmup_s + duration_s
    if deadline_s is not None and deadline_s < whole:
        raise InputError("deadline_s", deadline_s, f"at least warmup_s + duration_s = {whole:g}", f"{whole + 30:g}")
    return Load(vus, rate_rps or 0.0, duration_s, warmup_s, deadline_s or whole + 2 * timeout_s + 5, processes)


def parse_thresholds(texts: Sequence[str], scenarios: Sequence[str]) -> dict[str, list[Threshold]]:
    """Return thresholds by scenario, under ``""`` those of the whole run.

    :arg texts: ``p95 < 50ms`` for the whole run, ``browse: p95 < 50ms`` for one scenario.
    :raises InputError: when a text is malformed or its scenario is not there.
    """
    rules: dict[str, list[Threshold]] = {}
    for text in texts:
        match = _SCOPED.match(str(text))
        scope, rule = match.groups() if match else ("", str(text))
        if scope and scope not in scenarios:
            raise InputError("thresholds", text, f"one of the scenarios {', '.join(dict.fromkeys(scenarios))} "
                             "before the colon", f"{scenarios[0]}: {THRESHOLD_EXAMPLE}")
        rules.setdefault(scope, []).append(Threshold.parse(rule))
    return rules


def _judge(overall: Mapping[str, Any], by_scenario: Mapping[str, Mapping[str, Any]],
           rules: Mapping[str, Sequence[Threshold]]) -> Verdict:
    """Judge the whole run and each scenario that has rules of its own."""
    verdict = judge(overall, rules.get("", ()), overall["requests"])
    for scope, thresholds in rules.items():
        if scope:
            part = judge(by_scenario[scope], thresholds, by_scenario[scope]["requests"])
            verdict.verdict = worst([verdict.verdict, part.verdict])
            verdict.reasons += [f"{scope}: {reason}" for reason in part.reasons]
            verdict.thresholds += [{**row, "threshold": f"{scope}: {row['threshold']}"} for row in part.thresholds]
    return verdict


def _generator(report: Report, load: Load) -> dict[str, Any]:
    """Return what the generator says about itself."""
    return {
        "processes": load.processes,
        "measured_s": round(report.measured_s, 3),
        "cpu_share": round(report.cpu_share, 4),
        "cpu_wait_share": round(report.cpu_wait_share, 4),
        "intended_rps": load.rate_rps or None,
        "lateness_p99_ms": report.lateness.percentile_ms(99),
        "lateness_max_ms": None if report.lateness.max_us is None else report.lateness.max_us / 1000,
        "waited_for_connection": report.waited,
        "retried_stale": report.retried,
    }


def _doubt(verdict: Verdict, report: Report, load: Load) -> None:
    """Take back a verdict that the generator, or an early end, may have caused.

    Too many errors stay a failure: a busy generator does not make wrong answers. A late generator can only make
    latencies longer, so it takes back a failure and not a pass.
    """
    if report.stopped not in ("", "stop_path"):
        verdict.reasons.append(f"stopped early, after {report.measured_s:.1f} s of {load.duration_s:g} s: "
                               f"{report.stopped}")
        verdict.verdict = worst([verdict.verdict, INCONCLUSIVE])
    own = verdict.samples["errors"].get("generator", 0)
    if own:
        verdict.reasons.append(f"{own} requests failed for lack of ports, descriptors or memory on the load host")
        verdict.verdict = INCONCLUSIVE
    if any(row["ok"] is False and row["metric"] in ("errors", "error_rate") for row in verdict.thresholds):
        return
    runnable = report.cpu_share + report.cpu_wait_share
    if runnable >= SATURATED:
        verdict.reasons.append(f"the load generator was the limit: it needed {runnable:.0%} of a core; "
                               "use more processes or fewer vus")
        verdict.verdict = INCONCLUSIVE
    late, slow = report.lateness.percentile_ms(99) or 0.0, verdict.metrics.get("p99_ms") or 0.0
    if verdict.verdict == FAIL and late > LATE_MS and late > LATE_SHARE * slow:
        verdict.reasons.append(f"the load generator was late: {late:.1f} ms of the 99th percentile are its own")
        verdict.verdict = INCONCLUSIVE
