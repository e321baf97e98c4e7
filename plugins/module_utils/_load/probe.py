# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One load probe: check the request, send the load, judge what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from .._core.clock import Deadline, utc_now
from .._core.errors import InputError
from .._core.threshold import EXAMPLE
from .._core.verdict import Verdict, worst
from .engine.access import Access
from .engine.contract import Plan
from .engine.target import Target
from .result.assessor import OF_THE_WHOLE, Assessor
from .result.rules import Rule, parse_rules
from .run import run
from .scenario.parse import parse_scenarios
from .shapes.parse import Options
from .spread import parse_load
from .watch import Tell, Watch

if TYPE_CHECKING:
    from .protocol.base import Dialect
    from .scenario.request import Request
    from .shapes.base import Shape


@dataclass(frozen=True)
class Asked:
    """What was asked for, taken apart: where to, what, by which rules, how much of it."""

    goal: Target
    access: Access
    dialect: Dialect
    requests: Sequence[Request]
    rules: Sequence[Rule]
    shape: Shape


def prepare(*, target: str, scenarios: Sequence[Mapping[str, Any]] | None = None,
            headers: Mapping[str, Any] | None = None, feeders: Sequence[Mapping[str, Any]] | None = None,
            executor: str = "constant_vus", vus: int | None = None,
            rate_rps: float | None = None, duration_s: float = 10.0, warmup_s: float = 0.0,
            stages: Sequence[Mapping[str, Any]] | None = None, levels: Sequence[int] | None = None,
            spike: Mapping[str, Any] | None = None, capacity: Mapping[str, Any] | None = None,
            iterations: int | None = None, thresholds: Sequence[str] = ("error_rate < 1%",),
            allowed_targets: Sequence[str] = (), **access: Any) -> Asked:
    """Check a request, without a look at this host but for the files of feeders.

    :arg access: the fields of :class:`Access`.
    :raises InputError: when an option is wrong, or does not fit the others.
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
    for rule in rules:
        metric = rule.threshold.metric
        if metric in OF_THE_WHOLE and metric not in shape.metrics:
            raise InputError("thresholds", rule.text, f"no {metric} with the executor {executor}", EXAMPLE)
        if metric in OF_THE_WHOLE and rule.scope:
            raise InputError("thresholds", rule.text, f"{metric} of the whole run, of no scenario", rule.threshold.text)
    return Asked(goal, entry, dialect, requests, rules, shape)


def probe(*, timeout_s: float = 10.0, deadline_s: float | None = None, processes: int = 1, stop_path: str = "",
          count_header: str = "", mergeable: bool = False, share: str = "1/1", start_at: float = 0.0, seed: int = 0,
          check_mode: bool = False, watched: Sequence[int] = (), tell: Tell | None = None,
          **options: Any) -> dict[str, Any]:
    """Probe a target; the options are those of the module ``load_probe``.

    :arg check_mode: check everything but send nothing.
    :arg watched: file descriptors of pipes to whoever started the probe; it stops when they close.
    :arg tell: gets how it is going once a second, see :class:`Watch`.
    :arg options: those of :func:`prepare`.
    :raises InputError: before any traffic, when an option is wrong.
    """
    asked = prepare(**options)
    goal, entry, requests, rules, shape = asked.goal, asked.access, asked.requests, asked.rules, asked.shape
    load = parse_load(shape, timeout_s, deadline_s, processes, share, start_at)
    tls = entry.tls_of(goal)
    started_at, clock = utc_now(), Deadline(0)
    if check_mode:
        return {"changed": False, "scenarios": {}, "steps": {},
                **Verdict(reasons=["check mode: no traffic was sent"], started_at=started_at).to_result()}
    family, address = entry.address(goal, timeout_s)
    watch = Watch(requests, rules, tell)
    assessor = Assessor(requests, rules, processes, mergeable, load.share[1])
    done = run(Plan(requests, asked.dialect, family, address, entry.server_name or goal.host, tls, timeout_s,
                    count_header.lower(), stop_path, entry.reuse, seed), load, shape.batches(assessor.part), watched,
               watch if watch.needed else None)
    conclusion = shape.conclude(done, assessor.part)
    assessment = assessor.whole(shape.whole(done), shape.measured_s, conclusion.metrics)
    verdict = assessment.verdict
    verdict.verdict = worst([verdict.verdict, conclusion.verdict])
    verdict.reasons += conclusion.reasons
    verdict.samples["share"], verdict.samples["start_late_ms"] = share, round(done.late_s * 1000, 3)
    verdict.samples["target"] = {"url": goal.url, "address": entry.unix_socket or str(address[0]), "port": goal.port}
    verdict.started_at, verdict.duration_s = started_at, round(clock.elapsed_s, 3)
    phases = assessor.phases(done)
    for row, more in zip(phases, conclusion.rows):
        row.update(more)
    return {"changed": False, "scenarios": assessment.scenarios, "steps": assessment.steps, "phases": phases,
            **conclusion.blocks, **verdict.to_result()}
