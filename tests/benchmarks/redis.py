# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""20 Redis settings: one task of ours against a loop of community.general.redis, on the same kind of server.

Whole runs of ansible-playbook over the local connection, which favours the loop: no network in between. The run of a
playbook that does nothing, which is the same for both, is taken off.

The goal is that of the design for all batches: one task in place of N is at least 20 times faster (the prototype:
0.9 s against 19.3 s for 20 settings).
"""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.evenkeel.fleet.plugins.module_utils._client.redis import RedisClient

from benchmarks.common import ROOT, figure, interleaved, measured_run, playbook, ratios, redis, server

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
LOOP = {
    "community.general.redis": {
        "command": "config", "login_port": "{{ port }}", "name": "{{ item.key }}", "value": "{{ item.value }}",
    },
    "loop": "{{ wish | dict2items }}",
}
OURS = {"evenkeel.fleet.redis_settings": {"login_port": "{{ port }}", "settings": "{{ wish }}"}}


def figures(rounds: int) -> list[dict[str, Any]]:
    ends: dict[str, list[frozenset[tuple[str, str]]]] = {"ours": [], "loop": []}
    rows = interleaved(rounds, ours=lambda: measure(OURS, ends["ours"]), loop=lambda: measure(LOOP, ends["loop"]))
    against = "wall time against a loop of community.general.redis"
    return [
        figure(f"20 settings changed: {against}", "<= 0.05", ratios(rows, "loop", "change_s")),
        figure(f"20 settings unchanged: {against}", "<= 0.05", ratios(rows, "loop", "repeat_s")),
        figure("parameters that differ from the loop's result", "== 0",
               [len(ours ^ loop) for ours, loop in zip(ends["ours"], ends["loop"])]),
    ]


def measure(task: dict[str, Any], ends: list[frozenset[tuple[str, str]]]) -> dict[str, float]:
    """Apply twice to a fresh server; return both wall times in seconds, add what the server then runs with."""
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    with server(redis) as (port, directory):
        nothing = playbook(directory / "nothing.yml", {"ansible.builtin.meta": "noop"})
        command = playbook(directory / "play.yml", task, port=port, wish=WISH)
        start_s, change_s, repeat_s = [measured_run(one, cwd=ROOT, env=environment)[1]
                                       for one in (nothing, command, command)]
        with RedisClient(port=port) as client:
            flat = client.call("CONFIG", "GET", "*")
    own = {"port", "dir"}
    ends.append(frozenset((name, value) for name, value in zip(flat[::2], flat[1::2]) if name not in own))
    return {"change_s": change_s - start_s, "repeat_s": repeat_s - start_s}
