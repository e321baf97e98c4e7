# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How each generator is told to send the same: N connections, 3:1 of two paths, one core, until it is stopped.

k6 and our probe check the content of each answer; wrk, hey and h2load cannot. hey has one path only. All keep their
connections alive, have one request under way on each, and get the bytes of the same answers.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Sequence

from benchmarks.common import ROOT, require

#: Long enough for every window; everyone is stopped before.
LONG_S = 900

PATHS = ["/a", "/a", "/a", "/b"]
CONTAINS = '"data"'

_PROBE = """
import json, sys
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.probe import probe
print(json.dumps(probe(**json.loads(sys.argv[1]))))
"""
#: What our probe sends with each request. wrk sends none of it by itself, and the server would have less to read.
HEADERS = ("User-Agent: evenkeel-probe", "Accept: */*")
_LUA = """
local paths, requests, number = {%s}, {}, 0
init = function() for place, path in ipairs(paths) do requests[place] = wrk.format("GET", path) end end
request = function() number = number + 1; return requests[number %% #requests + 1] end
"""
_K6 = """
import http from 'k6/http';
import { check } from 'k6';
export const options = Object.assign({ discardResponseBodies: false }, %s);
const paths = %s;
let number = 0;
export default function () {
  const answer = http.get('%s' + paths[number++ %% paths.length]);
  check(answer, { content: (one) => one.body.includes(%s) });
}
"""


def probe(**options: Any) -> list[str]:
    """Run our probe as a module runs it: an interpreter of its own; its result is printed as JSON."""
    environment = ["env", f"PYTHONPATH={ROOT}/.cache/collections"]
    return [*environment, sys.executable, "-c", _PROBE, json.dumps(options)]


def is_ours(command: Sequence[str]) -> bool:
    """Whether a command runs our probe."""
    return _PROBE in command


def mix(url: str, connections: int, **options: Any) -> list[str]:
    """Run our probe with the mix."""
    requests = [{"path": path, "weight": PATHS.count(path), "checks": {"contains": CONTAINS}} for path in set(PATHS)]
    return probe(target=url, vus=connections, duration_s=LONG_S,
                 scenarios=[{"name": "mix", "requests": requests}], **options)


def wrk(url: str, connections: int, directory: Path, *headers: str) -> list[str]:
    """Run wrk on one thread with the mix, made up once, and with the headers that ours sends."""
    script = directory / "mix.lua"
    script.write_text(_LUA % ", ".join(f'"{path}"' for path in PATHS), encoding="utf-8")
    more = [word for header in (*HEADERS, *headers) for word in ("-H", header)]
    return [require("wrk"), "-t1", f"-c{connections}", f"-d{LONG_S}s", "-s", str(script), *more, url]


def hey(url: str, connections: int) -> list[str]:
    """Run hey with the first path."""
    return [require("hey"), "-z", f"{LONG_S}s", "-c", str(connections), "-cpus", "1", url + PATHS[0]]


def h2load(url: str, connections: int) -> list[str]:
    """Run h2load with the mix, over HTTP/1.1 on one thread."""
    return [require("h2load"), "--h1", "-t1", f"-c{connections}", "-D", str(LONG_S), *(url + path for path in PATHS)]


def k6(directory: Path, url: str, options: dict[str, Any]) -> list[str]:
    """Run k6 with the mix; Go sees the one core that it may use."""
    script = directory / "mix.js"
    script.write_text(_K6 % (json.dumps(options), json.dumps(PATHS), url, json.dumps(CONTAINS)), encoding="utf-8")
    return k6_run(script)


def k6_run(script: Path) -> list[str]:
    """Run k6 with a script."""
    return [require("k6"), "run", "--quiet", "--no-color", "--no-usage-report", "--address", "", str(script)]
