# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""20 Redis settings: one task of ours against a loop of community.general.redis, on the same kind of server.

Whole runs of ansible-playbook over the local connection, which favours the loop: no network in between.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from ansible_collections.evenkeel.fleet.plugins.module_utils._client.redis import RedisClient

from benchmarks.common import figure, measured_run, paired, ratios, require, server

ROOT = Path(__file__).parents[2]
WISH = {
    "maxmemory": "268435456",
    "maxmemory-policy": "allkeys-lfu",
    "maxmemory-samples": "10",
    "maxmemory-eviction-tenacity": "20",
    "lazyfree-lazy-eviction": "yes",
    "lazyfree-lazy-expire": "yes",
    "lazyfree-lazy-server-del": "yes",
    "lazyfree-lazy-user-del": "yes",
    "lazyfree-lazy-user-flush": "yes",
    "replica-lazy-flush": "yes",
    "hash-max-listpack-entries": "256",
    "hash-max-listpack-value": "128",
    "set-max-intset-entries": "1024",
    "zset-max-listpack-entries": "256",
    "zset-max-listpack-value": "128",
    "slowlog-log-slower-than": "5000",
    "slowlog-max-len": "1024",
    "latency-monitor-threshold": "100",
    "tcp-keepalive": "60",
    "hz": "20",
}
PEER = {
    "community.general.redis": {
        "command": "config", "login_port": "{{ port }}", "name": "{{ item.key }}", "value": "{{ item.value }}",
    },
    "loop": "{{ wish | dict2items }}",
}
OURS = {"evenkeel.fleet.redis_settings": {"login_port": "{{ port }}", "settings": "{{ wish }}"}}


def figures(rounds: int) -> list[dict[str, Any]]:
    program = require("redis-server", "redis-server")
    ends: dict[str, list[frozenset[tuple[str, str]]]] = {"ours": [], "peer": []}
    pairs = paired(
        rounds,
        ours=lambda: measure(program, OURS, ends["ours"]),
        peer=lambda: measure(program, PEER, ends["peer"]),
    )
    return [
        figure("20 settings changed: wall time against a loop of community.general.redis", "< 0.3",
               ratios(pairs, "change_s")),
        figure("20 settings unchanged: wall time against the loop", "< 0.3", ratios(pairs, "repeat_s")),
        figure("20 settings changed, ours", "< 10", [ours["change_s"] for ours, _ in pairs], "s"),
        figure("parameters that differ from the loop's result", "== 0",
               [len(ours ^ peer) for ours, peer in zip(ends["ours"], ends["peer"])]),
    ]


def measure(program: str, task: dict[str, Any], ends: list[frozenset[tuple[str, str]]]) -> dict[str, float]:
    """Apply twice to a fresh server; return both wall times in seconds, add what the server then runs with."""
    with server(lambda directory, port: [program, "--port", str(port), "--save", "", "--dir", str(directory)]) as (
        port, directory
    ):
        playbook = directory / "play.yml"
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
        command = [
            f"{sys.prefix}/bin/ansible-playbook", "-i", "localhost,", "-c", "local", playbook,
            "-e", json.dumps({"port": port, "wish": WISH, "ansible_python_interpreter": sys.executable}),
        ]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
        walls = [measured_run(command, cwd=ROOT, env=environment)[1] for _ in range(2)]
        with RedisClient(port=port) as client:
            flat = client.call("CONFIG", "GET", "*")
    own = {"port", "dir"}
    ends.append(frozenset((name, value) for name, value in zip(flat[::2], flat[1::2]) if name not in own))
    return {"change_s": walls[0], "repeat_s": walls[1]}
