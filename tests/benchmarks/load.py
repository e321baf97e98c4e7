# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load probe against wrk: nginx with one worker, keep-alive, 200 bytes of JSON, one process each.

Both send the same 3:1 mix of two pages. Ours also checks the content, which wrk does not.
"""

from __future__ import annotations

import json
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.common import figure, measured_run, nginx, paired, ratios, require

DURATION_S = 5
CONNECTIONS = (50, 200)
LOCATIONS = "location / { default_type application/json; return 200 '{\"data\": \"%s\"}'; }" % ("x" * 188)
PATHS = ["/a", "/a", "/a", "/b"]

_COLLECTIONS = Path(__file__).resolve().parents[2] / ".cache" / "collections"
_PROBE = """
import json, sys
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.probe import probe
result = probe(**json.loads(sys.argv[1]))
print(json.dumps([result["metrics"], result["samples"]["errors"]]))
"""
_LUA = """
local paths, number = {%s}, 0
request = function() number = number + 1; return wrk.format("GET", paths[number %% #paths + 1]) end
"""


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return requests per second and CPU time per request, ours against wrk's."""
    wrk = require("wrk", "wrk")
    results = []
    with nginx(LOCATIONS) as (port, directory):
        script = directory / "mix.lua"
        script.write_text(_LUA % ", ".join(f'"{path}"' for path in PATHS), encoding="utf-8")
        url = f"http://127.0.0.1:{port}"
        for connections in CONNECTIONS:
            pairs = paired(rounds, partial(ours, url, connections), partial(peer, wrk, url, connections, script))
            results += [
                figure(f"requests per second against wrk, {connections} connections", ">= 0.95", ratios(pairs, "rps")),
                figure(f"CPU per request against wrk, {connections} connections", "<= 1.1", ratios(pairs, "cpu_us"))]
    return results


def ours(url: str, connections: int) -> dict[str, float]:
    """Run the probe as a module runs it: a fresh interpreter."""
    weights = {path: PATHS.count(path) for path in PATHS}
    options = {"target": url, "vus": connections, "duration_s": DURATION_S, "scenarios": [{
        "name": "mix", "requests": [{"path": path, "weight": weight, "checks": {"contains": '"data"'}}
                                    for path, weight in weights.items()]}]}
    done, _, cpu_s = measured_run([sys.executable, "-c", _PROBE, json.dumps(options)],
                                  env={**os.environ, "PYTHONPATH": str(_COLLECTIONS)})
    metrics, errors = json.loads(done.stdout)
    if errors:
        raise RuntimeError(f"the probe counted errors: {errors}")
    return {"rps": metrics["rps"], "cpu_us": cpu_s / metrics["requests"] * 1e6}


def peer(wrk: str, url: str, connections: int, script: Path) -> dict[str, float]:
    """Run wrk with one thread."""
    done, _, cpu_s = measured_run([wrk, "-t1", f"-c{connections}", f"-d{DURATION_S}s", "-s", str(script), url])
    requests, rps = re.search(r"(\d+) requests in", done.stdout), re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    if not requests or not rps:
        raise RuntimeError(f"wrk printed no numbers: {done.stdout}")
    return {"rps": float(rps.group(1)), "cpu_us": cpu_s / int(requests.group(1)) * 1e6}
