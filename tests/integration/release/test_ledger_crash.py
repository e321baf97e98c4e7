# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A writer that is killed at any moment leaves a ledger with every record that it confirmed, and a usable one."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.records import Ledger

ROOT = Path(__file__).parents[3]
COMMON = {"run": "r1", "release": "v1", "host": "here", "operator": "test"}

WRITER = f"""
import sys
sys.path.insert(0, {str(ROOT / '.cache/collections')!r})
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.records import Ledger
ledger = Ledger("shop", sys.argv[1])
while True:
    written = ledger.append([{{"state": state, "phase": "result", "data": {{"filler": "x" * 3000}}}}
                             for state in ("ABORTING", "ABORTING", "ABORTING")], token=1, **{COMMON!r})
    print(written[-1]["seq"], flush=True)
"""


def test_kill_9_in_the_middle_of_writes(tmp_path):
    ledger = Ledger("shop", str(tmp_path))
    begin = [{"state": "PLANNED", "phase": "result"}, {"state": "ABORTING", "phase": "intent"}]
    ledger.append(begin, token=1, **COMMON)
    for _ in range(12):
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            first = writer.stdout.readline()
            time.sleep(random.uniform(0, 0.05))
            writer.kill()
            confirmed = int((first + writer.stdout.read()).split()[-1])
        reading = ledger.read()
        assert len(reading.records) >= confirmed
        assert [record["seq"] for record in reading.records] == list(range(1, len(reading.records) + 1))
        ledger.append([{"state": "ABORTING", "phase": "result"}], token=1, **COMMON)
        assert ledger.read().torn_bytes == 0
