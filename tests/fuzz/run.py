# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzz the targets, guided by coverage, for a bounded time: ``run.py [SECONDS [TARGET...]]``; by default 40 s in all.
The inputs are the same every time, so that no run of the tests fails by chance; FUZZ_SEED=0 draws others.

Runs on the Python of ``.venv-fuzz``. Each target is a process of its own, which begins with its corpus in the
repository and with what earlier runs found on this machine (``.cache/fuzz``). A finding is written to
``.cache/fuzz/findings``: repair the parser, then keep the bytes in the corpus.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache" / "fuzz"
FINDINGS = CACHE / "findings"

#: The longest input in bytes, and the longest time for one, in seconds.
LONGEST, SLOWEST_S = 512, 5

sys.path[:0] = [str(HERE.parent), str(ROOT / ".cache" / "collections")]


def main() -> int:
    """Fuzz one target after the other; return 1 when something was found."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 40.0
    names = sys.argv[2:] or known()
    FINDINGS.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name in names:
        own = CACHE / name
        own.mkdir(exist_ok=True)
        options = [f"-max_total_time={max(1, round(seconds / len(names)))}", f"-max_len={LONGEST}",
                   f"-seed={os.environ.get('FUZZ_SEED', '1')}", f"-timeout={SLOWEST_S}", "-rss_limit_mb=1024",
                   f"-artifact_prefix={FINDINGS}/{name}-"]
        done = subprocess.run([sys.executable, __file__, "--one", name, *options, str(own),
                               str(HERE / "corpus" / name)], check=False, text=True, capture_output=True)
        lines = (done.stdout + done.stderr).splitlines()
        if done.returncode:
            failed += 1
            print(f"{name}: FAILED", *lines[-40:], sep="\n")
        else:
            print(f"{name}: {next((line for line in reversed(lines) if line.startswith('Done ')), 'no run')}")
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


def known() -> list[str]:
    """Return the names of all targets, each of which has a corpus."""
    return sorted(path.name for path in (HERE / "corpus").iterdir())


def one(name: str, options: list[str]) -> None:
    """Fuzz one target in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["ansible_collections", "fuzz"]):
        from fuzz.targets import TARGETS

    atheris.Setup([name, *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main())
