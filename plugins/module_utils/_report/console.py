# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report for the console: what a person wants to know before opening the page."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

from .._core.verdict import FAIL, INCONCLUSIVE, PASS
from .compare import METRICS
from .story import story
from .wording import metric, seconds

_HEADINGS = {"p50_ms": "p50 ms", "p95_ms": "p95 ms", "p99_ms": "p99 ms", "rps": "rps", "error_rate": "errors"}


def summary(report: Mapping[str, Any]) -> list[str]:
    """Return the lines: the steps with their verdicts, the comparison, what each rollout came to.

    Tables stay below 80 columns, where Ansible's YAML output would break them.
    """
    lines = [f"{report['title']}: {report['verdict']} ({report['run']}, {seconds(report['duration_s'])})", ""]
    lines += table(["step", "host", "verdict", "took"], list(_steps(report["steps"])))
    if report["comparison"]:
        lines += ["", *_comparison(report["comparison"])]
    for step in report["steps"]:
        if step["kind"] in ("rollout", "rollback"):
            lines += ["", *_rollout(step)]
    return lines


def _rollout(step: Mapping[str, Any]) -> Iterator[str]:
    """The outcome; of one that did not go well the whole story."""
    told = [str(line) for line in step["data"].get("lines") or []]
    if step["verdict"] == PASS or not step["data"].get("hosts"):
        yield from told
        return
    yield from told[:1]
    yield from story(step)
    by = [f"{name} {value}" for name, value in (("by", step["data"].get("operator")), *(
        step["data"].get("audit") or {}).items()) if value]
    if by:
        yield ", ".join(by)


def _steps(steps: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    """One row per step; preflight has one per verdict."""
    for verdict in (PASS, INCONCLUSIVE, FAIL):
        hosts = [step["host"] for step in steps if step["kind"] == "preflight" and step["verdict"] == verdict]
        if hosts:
            yield ["Preflight", f"{len(hosts)} host(s)", verdict, ""]
    for step in steps:
        if step["kind"] != "preflight":
            yield [step["title"], step["host"], step["verdict"], seconds(step["duration_s"] or None)]


def _comparison(comparison: Mapping[str, Any]) -> list[str]:
    heads = [f"{comparison['before']}→{comparison['after']}", *_HEADINGS.values()]
    rows = [[row["scenario"], *(_pair(name, row[name]) for name in METRICS)] for row in comparison["rows"]]
    return table(heads, rows)


def _pair(name: str, pair: Mapping[str, Any]) -> str:
    return "→".join(metric(name, pair[side]).replace(" %", "%") for side in ("before", "after"))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return an aligned table with a line under its head."""
    cells = [list(heads), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]
    return [text[0], "  ".join("-" * width for width in widths), *text[1:]]
