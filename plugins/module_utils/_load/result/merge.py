# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One result of many: what several hosts measured at the same time, added and judged anew.

Counts and histograms are added, so metrics are the same to the last bit as if one host had sent everything.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Iterable, Mapping, Sequence

from ..._core.clock import epoch_s
from ..._core.errors import FleetError
from ..._core.verdict import INCONCLUSIVE, Verdict, worst
from ..statistics.grade import grade
from ..statistics.histogram import Histogram
from .merge_shapes import conclude
from .metrics import Part, percentiles_of, row_of
from .rules import judge_rules, parse_rules
from .tally import EXAMPLES
from .truth import doubt

Results = Mapping[str, Mapping[str, Any]]

#: Hosts that began further apart than this did not measure the same thing, in seconds …
APART_S = 0.05
#: … and when it is not known how far their clocks are apart.
APART_BY_OWN_CLOCKS_S = 1.0

#: What the generators of several hosts say about themselves and what can be added; of the rest the largest counts.
_ADDED = ("processes", "intended_rps", "dispatched_rps", "waited_for_connection", "retried_stale")


def merge_results(results: Results, thresholds: Sequence[str] = ("error_rate < 1%",),
                  expected: Iterable[str] = ()) -> dict[str, Any]:
    """Merge the results of several hosts, each of which was asked with ``mergeable``.

    :arg results: by host. What has no metrics (a failed task, check mode) counts as missing.
    :arg thresholds: for the merged numbers.
    :arg expected: hosts that have to be there; without one of them the verdict is inconclusive, or fail.
    :returns: a result, with ``hosts`` in its samples: per host its verdict, metrics, generator,
        share and clock, and ``began_ms``, by how much it began after the first one.
    :raises FleetError: when a result was not made with ``mergeable``.
    """
    there = {host: result for host, result in results.items() if result.get("metrics")}
    missing = [f"no result of {host}{_why(results.get(host) or {})}"
               for host in sorted({*expected, *results} - {*there})]
    if not there:
        return {"changed": False, "scenarios": {}, "steps": {}, "phases": [], "grade": None,
                **Verdict(reasons=missing or ["no host measured"]).to_result()}
    for host, result in there.items():
        if "step_histograms" not in result["samples"]:
            raise FleetError(f"{host}: expected a result that can be merged, found one without all histograms.",
                             "Call load_probe with mergeable: true on every host.")
    scenarios = _parts(there, lambda result: (result["scenarios"], result["samples"]["histograms"]))
    steps = _parts(there, lambda result: (result["steps"], result["samples"]["step_histograms"]))
    tags = _parts(there, lambda result: (result["samples"]["tags"], result["samples"]["tag_histograms"]))
    overall = Part()
    for part in scenarios.values():
        overall.merge(part)
    overall.rps = sum(result["metrics"]["rps"] or 0.0 for result in there.values())
    rules = parse_rules(thresholds, [*scenarios, *steps])
    percentiles = percentiles_of([rule.threshold.metric for rule in rules])
    by_scenario = {name: part.metrics(percentiles) for name, part in scenarios.items()}
    by_step = {name: part.metrics(percentiles) for name, part in steps.items()}
    samples = _samples([result["samples"] for result in there.values()])
    phases = _phases([result.get("phases") or [] for result in there.values()], percentiles)
    conclusion = conclude(list(there.values()), phases, samples["series"])
    for row, more in zip(phases, conclusion.rows):
        row.update(more)
    verdict = judge_rules(rules, {**overall.metrics(percentiles), **conclusion.metrics}, {**by_scenario, **by_step})
    verdict.samples = samples
    verdict.verdict = worst([verdict.verdict, conclusion.verdict])
    verdict.reasons += conclusion.reasons
    verdict.samples["tags"] = {name: part.metrics(percentiles) for name, part in sorted(tags.items())}
    verdict.samples["histograms"] = {name: part.latency.to_dict() for name, part in scenarios.items()}
    verdict.samples["step_histograms"] = {name: part.latency.to_dict() for name, part in steps.items()}
    verdict.samples["tag_histograms"] = {name: part.latency.to_dict() for name, part in tags.items()}
    first_s = min(began_s(result["samples"]) for result in there.values())
    verdict.samples["hosts"] = {
        host: {**{key: result[key] for key in ("verdict", "reasons", "metrics", "started_at", "duration_s")},
               **{key: result["samples"][key] for key in ("measured_from", "generator")},
               **{key: result["samples"][key] for key in ("share", "clock") if key in result["samples"]},
               "began_ms": round((began_s(result["samples"]) - first_s) * 1000, 3)}
        for host, result in there.items()}
    doubt(verdict)
    _doubt_together(verdict, there, missing)
    verdict.started_at = min(result["started_at"] for result in there.values())
    verdict.duration_s = max(result["duration_s"] for result in there.values())
    return {"changed": False, "scenarios": by_scenario, "steps": by_step, "phases": phases,
            **conclusion.blocks, "grade": grade(verdict.verdict, verdict.metrics), **verdict.to_result()}


def began_s(sample: Mapping[str, Any]) -> float:
    """Return when a host began to measure, in seconds since 1970 on the controller's clock where that was compared."""
    return epoch_s(sample["measured_from"]) - float(sample.get("clock", {}).get("offset_ms", 0.0)) / 1000


def _why(result: Mapping[str, Any]) -> str:
    return f": {result['msg']}" if result.get("msg") else ""


def _doubt_together(verdict: Verdict, results: Results, missing: Sequence[str]) -> None:
    """Take back a verdict when a host is missing or when they did not measure at the same time."""
    samples = [result["samples"] for result in results.values()]
    starts = [began_s(sample) for sample in samples]
    reasons = [*missing]
    measured = all("clock" in sample for sample in samples)
    if max(starts) - min(starts) > (APART_S if measured else APART_BY_OWN_CLOCKS_S):
        reasons.append(f"the hosts began {max(starts) - min(starts):.3f} s apart: "
                       + ("give them more time to get ready before start_at" if measured else "compare their clocks"))
    if reasons:
        verdict.reasons += reasons
        verdict.verdict = worst([verdict.verdict, INCONCLUSIVE])


def _parts(results: Results, look: Any) -> dict[str, Part]:
    """Add the parts of all hosts; ``look`` returns metrics and histograms by name."""
    parts: dict[str, Part] = {}
    for result in results.values():
        metrics, histograms = look(result)
        for name, found in metrics.items():
            parts.setdefault(name, Part()).merge(Part.from_result(found, histograms[name]))
    return parts


def _phases(hosts: Sequence[Sequence[Mapping[str, Any]]], percentiles: Sequence[float]) -> list[dict[str, Any]]:
    """Add the rows of the phases that all hosts had, in their order; each row has the worst verdict of the hosts."""
    merged = []
    for rows in zip(*hosts):
        part = Part()
        for row in rows:
            part.merge(Part.from_result(row, row["histogram"]))
        offered = {key: sum(row["offered"][key] for row in rows) for key in rows[0]["offered"]}
        merged.append({"name": rows[0]["name"], "offered": offered,
                       "measured_s": max(row["measured_s"] for row in rows), **part.metrics(percentiles),
                       "verdict": worst(row["verdict"] for row in rows), "histogram": part.latency.to_dict()})
    return merged


def _samples(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Add what can be added, and keep the worst of what the generators say about themselves."""
    examples: Counter[str] = Counter()
    kept = []
    for example in sorted((one for sample in samples for one in sample["error_examples"]),
                          key=lambda one: (str(one["class"]), float(one["t_s"]))):
        examples[example["class"]] += 1
        if examples[example["class"]] <= EXAMPLES:
            kept.append(example)
    generators = [sample["generator"] for sample in samples]
    busiest = max(generators, key=lambda one: float(one["cpu_share"] + one["cpu_wait_share"]))
    return {
        **({"journeys": _journeys(samples)} if any("journeys" in sample for sample in samples) else {}),
        **{key: _sum(sample[key] for sample in samples) for key in ("errors", "statuses", "header_counts")},
        "error_examples": kept,
        "series": _series(samples),
        "measured_from": min(sample["measured_from"] for sample in samples),
        "generator": {
            **{key: _most(one.get(key) for one in generators) for key in generators[0]},
            **{key: busiest[key] for key in ("cpu_share", "cpu_wait_share")},
            **{key: sum(one.get(key) or 0 for one in generators) for key in _ADDED},
        },
        "target": samples[0]["target"],
        "stopped": next((sample["stopped"] for sample in samples if sample["stopped"]), ""),
    }


def _journeys(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found = [sample.get("journeys") or {} for sample in samples]
    together = {}
    for scenario in sorted({name for one in found for name in one}):
        ends = [one[scenario] for one in found if scenario in one]
        together[scenario] = {**{key: sum(end[key] for end in ends) for key in ("begun", "completed", "failed")},
                              "skipped": _sum(end["skipped"] for end in ends)}
    return together


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _most(values: Iterable[Any]) -> Any:
    return max((value for value in values if value is not None), default=None)


def _series(samples: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add the rows of the same time, counted from the earliest start; of different widths, the widest is taken."""
    zero = min(map(began_s, samples))
    width_s = max(rows[1]["t_s"] if len(rows) > 1 else 1 for rows in (sample["series"] for sample in samples))
    seconds: dict[int, Part] = {}
    for sample in samples:
        shift = round(began_s(sample) - zero)
        for row in sample["series"]:
            part = Part(row["requests"], row["errors"], None, Histogram.from_dict(row["histogram"])
                        if "histogram" in row else Histogram())
            seconds.setdefault((row["t_s"] + shift) // width_s * width_s, Part()).merge(part)
    rows = []
    for number in range(0, max(seconds, default=-1) + 1, width_s):
        part = seconds.get(number, Part())
        rows.append({**row_of(number, part.requests, part.errors, part.latency), "histogram": part.latency.to_dict()})
    return rows
