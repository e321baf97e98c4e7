# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the stages of the tests in two lanes at once and end with a table.

``stages.py [GROUP...]`` runs the stages of these groups, or all. One lane needs the lab, the other one only computes
or brings its own servers. A stage that fails does not stop the others. Exit status 77 of a stage means "not tested",
with the reason in its last line. Output goes to ``.cache/logs/<stage>.log``; the end of it is shown when the stage
fails.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

LOGS = Path(".cache/logs")
NOT_TESTED = 77
TAIL_LINES = 60
LINE_WIDTH = 200
#: How pytest names in its summary what failed.
FAILURES = ("FAILED ", "ERROR ")
PLAIN = {**os.environ, "NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", "PY_COLORS": "0"}

COMPUTE, LAB = "compute", "lab"

#: The tests that run without being asked for: as in ``addopts`` of pyproject.toml.
BY_DEFAULT = "not faults and not kubernetes"

#: group, lane, name, command. The order within a lane is the order of the run.
STAGES = [
    ("lint", COMPUTE, "ruff", "ruff check ."),
    ("lint", COMPUTE, "mypy", "mypy"),
    ("lint", COMPUTE, "shellcheck", "scripts/check/shell"),
    ("lint", COMPUTE, "yamllint", "yamllint --strict ."),
    ("lint", COMPUTE, "specs", "python scripts/check/specs.py"),
    ("lint", COMPUTE, "changelog", "antsibull-changelog lint"),
    ("lint", COMPUTE, "docs", "scripts/check/docs"),
    ("lint", COMPUTE, "ansible-lint", "ansible-lint"),
    ("unit", COMPUTE, "unit", "pytest -q tests/unit tests/fuzz"),
    ("unit", COMPUTE, "unit-python-3.9", "scripts/check/unit-target 3.9"),
    ("unit", COMPUTE, "unit-python-3.13", "scripts/check/unit-target 3.13"),
    ("integration", COMPUTE, "kubernetes-build", "tests/lab/kubernetes/build"),
    ("fuzz", COMPUTE, "fuzz", "scripts/check/fuzz"),
    ("artifact", COMPUTE, "build", "scripts/check/build"),
    ("artifact", COMPUTE, "galaxy-importer", "scripts/check/galaxy-importer"),
    ("sanity", COMPUTE, "sanity-core-2.19", "scripts/check/sanity 2.19"),
    ("sanity", COMPUTE, "sanity-core-2.21", "scripts/check/sanity 2.21"),
    ("lab", LAB, "lab", "tests/lab/up --fresh"),
    ("molecule", LAB, "molecule", "scripts/check/molecule"),
    ("integration", COMPUTE, "integration", f"pytest -q tests/integration -m 'not lab and {BY_DEFAULT}'"),
    ("integration", LAB, "integration-lab", f"pytest -q tests/integration -m 'lab and {BY_DEFAULT}'"),
    ("integration", LAB, "kubernetes", "scripts/check/kubernetes"),
    ("installed", LAB, "installed", "scripts/check/installed"),
]


@dataclass
class Result:
    """What became of a stage."""

    name: str
    code: int
    seconds: float
    last_line: str

    @property
    def outcome(self) -> str:
        """Return passed, FAILED or not tested."""
        return {0: "passed", NOT_TESTED: "not tested"}.get(self.code, "FAILED")


def run(name: str, command: str, say: threading.Lock) -> Result:
    """Run one stage with its output in its log."""
    log = LOGS / f"{name}.log"
    started = time.monotonic()
    with say:
        print(f"                started     {name}", flush=True)
    with log.open("wb") as output:
        code = subprocess.run(
            shlex.split(command), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=PLAIN,
            check=False).returncode
    lines = log.read_text(errors="replace").splitlines()
    result = Result(name, code, time.monotonic() - started, lines[-1].strip() if lines else "")
    with say:
        print(f"    {result.seconds:9.1f} s  {result.outcome:10}  {name}", flush=True)
        if result.outcome == "FAILED":
            print(f"--- the end of {log}", *lines[-TAIL_LINES:], "--- what failed in it",
                  *(line[:LINE_WIDTH] for line in lines if line.startswith(FAILURES)), "---", sep="\n", flush=True)
    return result


def main(groups: list[str]) -> int:
    """Run the stages of the groups, or all; return 1 when one of them failed."""
    chosen = [stage for stage in STAGES if not groups or stage[0] in groups]
    unknown = set(groups) - {stage[0] for stage in STAGES}
    if unknown:
        print(f"stages.py: no such group: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    say = threading.Lock()
    results: dict[str, Result] = {}

    interrupted = threading.Event()

    def lane(which: str) -> None:
        for _group, stage_lane, name, command in chosen:
            if stage_lane == which and not interrupted.is_set():
                # What only computes gives way to what measures.
                measures = which == LAB or name == "integration"
                results[name] = run(name, command if measures else f"nice {command}", say)

    started = time.monotonic()
    print(f"==> {len(chosen)} stages; logs are in {LOGS}", flush=True)
    lanes = [threading.Thread(target=lane, args=(which,)) for which in (COMPUTE, LAB)]
    for thread in lanes:
        thread.start()
    try:
        for thread in lanes:
            thread.join()
    except KeyboardInterrupt:
        interrupted.set()
        print("interrupted: run the same command again to start over", file=sys.stderr)
        return 130

    ordered = [results[name] for _group, _lane, name, _command in chosen]
    print(f"\n{'stage':20} {'result':10} {'seconds':>8}")
    for result in ordered:
        note = f"  {result.last_line}" if result.outcome == "not tested" else ""
        print(f"{result.name:20} {result.outcome:10} {result.seconds:8.1f}{note}")
    print(f"{'in all':20} {'':10} {time.monotonic() - started:8.1f}\n")
    outcomes = [result.outcome for result in ordered]
    skipped = outcomes.count("not tested")
    failed = outcomes.count("FAILED")
    print(f"{outcomes.count('passed')} passed, {failed} failed" + f", {skipped} skipped" * bool(skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[1])
    sys.exit(main(sys.argv[1:]))
