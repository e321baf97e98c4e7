# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operators who start in the same moment: one gets the lock, the others get a name and an age."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

from ansible_collections.evenkeel.fleet.plugins.module_utils._release.control.lock import Lock

ROOT = Path(__file__).parents[3]

OPERATOR = f"""
import json, sys
sys.path.insert(0, {str(ROOT / '.cache/collections')!r})
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.control.lock import Lock, LockHeld
directory, name = sys.argv[1:]
for number in range(100):
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        found = Lock(f"service{{number}}", directory).acquire(name, f"run of {{name}}", 60)
        print(json.dumps({{"won": True, "token": found["token"]}}), flush=True)
    except LockHeld as error:
        print(json.dumps({{"won": False, "text": str(error)}}), flush=True)
"""


def test_one_winner_in_every_race(tmp_path):
    names = ["alice", "bob", "carol", "dave"]
    with contextlib.ExitStack() as stack:
        operators = {name: stack.enter_context(subprocess.Popen(
            [sys.executable, "-c", OPERATOR, str(tmp_path), name], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)) for name in names}
        for number in range(100):
            for process in operators.values():
                assert process.stdout.readline() == "ready\n"
            for process in operators.values():
                process.stdin.write("go\n")
                process.stdin.flush()
            results = {name: json.loads(process.stdout.readline()) for name, process in operators.items()}
            winners = [name for name, result in results.items() if result["won"]]
            assert len(winners) == 1
            lock = Lock(f"service{number}", str(tmp_path)).read()
            assert (lock["holder"], lock["token"]) == (winners[0], 1)
            for result in results.values():
                assert result["won"] or f"held by {winners[0]} (run run of {winners[0]}) since " in result["text"]
