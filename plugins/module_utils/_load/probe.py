# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One load probe: check the request, send the load, judge what came of it."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from .._core.clock import Deadline, utc_now
from .._core.verdict import Verdict, worst
from .engine.access import Access
from .engine.contract import Plan
from .engine.target import Target
from .result.assessor import Assessor
from .result.rules import parse_rules
from .run import run
from .scenario.parse import parse_scenarios
from .shapes.parse import Options
from .spread import parse_load
from .watch import Tell, Watch


def probe(*, target: str, scenarios: Sequence[Mapping[str, Any]] | None = None,
          headers: Mapping[str, Any] | None = None, feeders: Sequence[Mapping[str, Any]] | None = None, seed: int = 0,
          executor: str = "constant_vus", vus: int = 10,
          rate_rps: float | None = None, duration_s: float = 10.0, warmup_s: float = 0.0,
          stages: Sequence[Mapping[str, Any]] | None = None, levels: Sequence[int] | None = None,
          spike: Mapping[str, Any] | None = None, capacity: Mapping[str, Any] | None = None,
          iterations: int | None = None, timeout_s: float = 10.0,
          deadline_s: float | None = None, processes: int = 1, thresholds: Sequence[str] = ("error_rate < 1%",),
          allowed_targets: Sequence[str] = (), stop_path: str = "", count_header: str = "",
          mergeable: bool = False, share: str = "1/1", start_at: float = 0.0, check_mode: bool = False,
          watched: Sequence[int] = (), tell: Tell | None = None,
          **access: Any) -> dict[str, Any]:
    """Probe a target; the options are those of the module ``load_probe``.

    :arg check_mode: check everything but send nothing.
    :arg watched: file descriptors of pipes to whoever started the probe; it stops when they close.
    :arg tell: gets how it is going once a second, see :class:`Watch`.
    :arg access: the fields of :class:`Access`.
    :raises InputError: before any traffic, when an option is wrong.
    """
    goal = Target.parse(target)
    entry = Access(**access)
    goal.require_allowed(allowed_targets, entry.unix_socket)
    dialect = entry.dialect(goal, headers)
    requests = parse_scenarios(scenarios, dialect, feeders)
    scopes = [request.scenario for request in requests]
    scopes += [f"{request.scenario}/{request.step}" for request in requests if request.step]
    rules = parse_rules(thresholds, scopes)
    shape = Options(executor, vus, rate_rps, duration_s, warmup_s, stages, levels, spike, capacity, iterations).shape()
    load = parse_load(shape, timeout_s, deadline_s, processes, share, start_at)
    tls = entry.tls_of(goal)
    started_at, clock = utc_now(), Deadline(0)
    if check_mode:
        return {"changed": False, "scenarios": {}, "steps": {},
                **Verdict(reasons=["check mode: no traffic was sent"], started_at=started_at).to_result()}
    family, address = entry.address(goal, timeout_s)
    watch = Watch(requests, rules, tell)
    assessor = Assessor(requests, rules, processes, mergeable, load.share[1])
    done = run(Plan(requests, dialect, family, address, entry.server_name or goal.host, tls, timeout_s,
                    count_header.lower(), stop_path, entry.reuse, seed), load, shape.batches(assessor.part), watched,
               watch if watch.needed else None)
    conclusion = shape.conclude(done, assessor.part)
    assessment = assessor.whole(shape.whole(done), shape.measured_s, conclusion.metrics)
    verdict = assessment.verdict
    verdict.verdict = worst([verdict.verdict, conclusion.verdict])
    verdict.reasons += conclusion.reasons
    verdict.samples["share"], verdict.samples["start_late_ms"] = share, round(done.late_s * 1000, 3)
    verdict.samples["target"] = {"url": target, "address": entry.unix_socket or str(address[0]), "port": goal.port}
    verdict.started_at, verdict.duration_s = started_at, round(clock.elapsed_s, 3)
    phases = assessor.phases(done)
    for row, more in zip(phases, conclusion.rows):
        row.update(more)
    return {"changed": False, "scenarios": assessment.scenarios, "steps": assessment.steps, "phases": phases,
            **conclusion.blocks, **verdict.to_result()}
