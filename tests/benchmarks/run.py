#!/usr/bin/env python3
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one runner of all benchmarks: measure, print a table, write reports/bench/<name>.json.

Exit status 1 when a figure misses its goal.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NOT_BENCHMARKS = {"__init__", "common", "run"}

# The package is `benchmarks`, not this directory: a benchmark may have the name of a library, such as redis.
sys.path[0] = str(HERE.parent)
sys.path.insert(1, str(ROOT / ".cache" / "collections"))


def names() -> list[str]:
    """Return all benchmarks there are: files, and packages of several families."""
    packages = [path.parent for path in HERE.glob("*/__init__.py")]
    return sorted(path.stem for path in (*HERE.glob("*.py"), *packages) if path.stem not in NOT_BENCHMARKS)


def families() -> list[str]:
    """Return the parts of packages that run alone, such as ``load.http``."""
    return sorted(f"{path.parent.name}.{path.stem}" for path in HERE.glob("*/*.py")
                  if "\ndef figures(" in path.read_text(encoding="utf-8") and path.stem != "__init__")


def machine() -> dict[str, Any]:
    """Return what the numbers depend on."""
    model = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
             if line.startswith("model name")]
    return {"cpus": os.cpu_count(), "cpu": model[0] if model else platform.machine(),
            "kernel": platform.release(), "python": platform.python_version()}


def cells(figures: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of a table of figures, its head first."""
    def number(value: float) -> str:
        return f"{value:.4g}"

    met = {True: "yes", False: "NO", None: ""}
    rows = [["figure", "goal", "measured", "spread", "rounds", "met"]]
    return rows + [[one["figure"], one["goal"], f"{number(one['measured'])} {one['unit']}".strip(),
                    "–".join(number(value) for value in one["spread"]), str(one["rounds"]), met[one["met"]]]
                   for one in figures]


def table(figures: list[dict[str, Any]]) -> str:
    """Return the figures as aligned text."""
    rows = cells(figures)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def page(result: dict[str, Any]) -> str:
    """Return a result as a page of the docs."""
    head, *rows = [f"| {' | '.join(row)} |" for row in cells(result["figures"])]
    on = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    return "\n".join([f"# Benchmark {result['benchmark']}", "",
                      f"Written by `tests/benchmarks/run.py --docs {result['benchmark']}` from the last run; how it is "
                      "measured: [benchmarks](../benchmarks.md).", "", f"Machine: {on}. "
                      f"The run took {result['duration_s']:.0f} s.", "", head, "|---|---|---|---|---|---|", *rows, ""])


def kept(name: str) -> Path:
    """Return where a benchmark's last result is."""
    return ROOT / "reports" / "bench" / f"{name}.json"


def write(path: Path, text: str) -> None:
    """Write a file and say so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"written to {path.relative_to(ROOT)}\n")


def main() -> int:
    """Run the benchmarks named on the command line, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())} (default: all of these), or "
                        f"a part: {', '.join(families())}")
    parser.add_argument("--rounds", type=int, default=5, help="paired rounds (default 5; fewer is a smoke run)")
    parser.add_argument("--docs", action="store_true", help="only write docs/benchmarks/NAME.md from the last results")
    arguments = parser.parse_args()
    known = names() + families()
    unknown = sorted(set(arguments.names) - set(known))
    if unknown:
        parser.error(f"unknown benchmark {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = arguments.names or names()
    if arguments.docs:
        for name in chosen:
            write(ROOT / "docs" / "benchmarks" / f"{name}.md", page(json.loads(kept(name).read_text(encoding="utf-8"))))
        return 0
    missed = 0
    for name in chosen:
        print(f"== {name}: {arguments.rounds} rounds", file=sys.stderr, flush=True)
        started = time.monotonic()
        figures = importlib.import_module(f"benchmarks.{name}").figures(arguments.rounds)
        missed += sum(one["met"] is False for one in figures)
        print(f"\n{table(figures)}\n")
        result = {"benchmark": name, "machine": machine(), "figures": figures,
                  "duration_s": round(time.monotonic() - started, 1)}
        write(kept(name), json.dumps(result, indent=2) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
