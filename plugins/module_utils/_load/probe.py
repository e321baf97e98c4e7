# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One load probe: check the request, send the load, judge what came of it."""

from __future__ import annotations

import time
from typing import Any, Mapping, Sequence

from .._core.clock import Deadline, utc, utc_now
from .._core.verdict import Verdict
from .access import Access
from .contract import Plan
from .metrics import percentiles_of
from .parts import take_apart
from .report import Report
from .rules import judge_rules, parse_rules
from .run import Load, run
from .scenario import parse_scenarios
from .shapes.base import Shape
from .shapes.parse import Options
from .spread import parse_load
from .summary import samples
from .target import Target
from .truth import doubt


def probe(*, target: str, scenarios: Sequence[Mapping[str, Any]] | None = None,
          headers: Mapping[str, Any] | None = None, executor: str = "constant_vus", vus: int = 10,
          rate_rps: float | None = None, duration_s: float = 10.0, warmup_s: float = 0.0,
          stages: Sequence[Mapping[str, Any]] | None = None, iterations: int | None = None, timeout_s: float = 10.0,
          deadline_s: float | None = None, processes: int = 1, thresholds: Sequence[str] = ("error_rate < 1%",),
          allowed_targets: Sequence[str] = (), stop_path: str = "", count_header: str = "",
          mergeable: bool = False, check_mode: bool = False, watched: Sequence[int] = (),
          **access: Any) -> dict[str, Any]:
    """Probe a target; the options are those of the module ``load_probe``.

    :arg check_mode: check everything but send nothing.
    :arg watched: file descriptors of pipes to whoever started the probe; it stops when they close.
    :arg access: the fields of :class:`Access`.
    :raises InputError: before any traffic, when an option is wrong.
    """
    goal = Target.parse(target)
    entry = Access(**access)
    goal.require_allowed(allowed_targets, entry.unix_socket)
    dialect = entry.dialect(goal, headers)
    requests = parse_scenarios(scenarios, dialect)
    scopes = [request.scenario for request in requests]
    scopes += [f"{request.scenario}/{request.step}" for request in requests if request.step]
    rules = parse_rules(thresholds, scopes)
    shape = Options(executor, vus, rate_rps, duration_s, warmup_s, stages=stages, iterations=iterations).shape()
    load = parse_load(shape, timeout_s, deadline_s, processes)
    tls = entry.context(goal)
    started_at, clock = utc_now(), Deadline(0)
    if check_mode:
        return {"changed": False, "scenarios": {}, "steps": {},
                **Verdict(reasons=["check mode: no traffic was sent"], started_at=started_at).to_result()}
    family, address = entry.address(goal, timeout_s)
    result = run(Plan(requests, dialect, family, address, entry.server_name or goal.host, tls, timeout_s,
                      count_header.lower(), stop_path, entry.reuse), load, shape.batches(), watched)
    report = shape.whole(result)
    percentiles = percentiles_of([rule.threshold.metric for rule in rules])
    parts = take_apart(report.tally, requests, report.measured_s)
    by_scenario = {name: part.metrics(percentiles) for name, part in parts.scenarios.items()}
    by_step = {name: part.metrics(percentiles) for name, part in parts.steps.items()}
    verdict = judge_rules(rules, parts.overall.metrics(percentiles), {**by_scenario, **by_step})
    verdict.samples = samples(report, requests, parts, percentiles, mergeable)
    verdict.samples["measured_from"] = utc(time.time() - (time.monotonic_ns() - report.tally.started_ns) / 1e9)
    verdict.samples["generator"] = _generator(report, load, shape)
    verdict.samples["target"] = {"url": target, "address": entry.unix_socket or str(address[0]), "port": goal.port}
    verdict.samples["stopped"] = report.stopped
    doubt(verdict)
    verdict.started_at, verdict.duration_s = started_at, round(clock.elapsed_s, 3)
    return {"changed": False, "scenarios": by_scenario, "steps": by_step, **verdict.to_result()}


def _generator(report: Report, load: Load, shape: Shape) -> dict[str, Any]:
    """Return what the generator says about itself."""
    return {
        "processes": load.processes,
        "measured_s": round(report.measured_s, 3),
        "intended_s": shape.measured_s,
        "cpu_share": round(report.cpu_share, 4),
        "cpu_wait_share": round(report.cpu_wait_share, 4),
        "intended_rps": round(report.due / report.measured_s, 3) if report.due else None,
        "lateness_p99_ms": report.lateness.percentile_ms(99),
        "lateness_max_ms": None if report.lateness.max_us is None else report.lateness.max_us / 1000,
        "waited_for_connection": report.waited,
        "retried_stale": report.retried,
    }
