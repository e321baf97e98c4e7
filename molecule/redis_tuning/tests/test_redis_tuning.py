# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running server: every declared setting has its value, before and after a restart."""

import json

testinfra_hosts = ["ansible://redis"]

LIVE = {
    # declared in the lab's inventory
    "maxmemory-policy": "allkeys-lfu",
    "maxmemory-samples": "10",
    "maxmemory-eviction-tenacity": "20",
    "lfu-log-factor": "10",
    "lfu-decay-time": "1",
    "replica-lazy-flush": "yes",
    "hash-max-listpack-entries": "256",
    "hash-max-listpack-value": "128",
    "list-max-listpack-size": "-2",
    "list-compress-depth": "1",
    "set-max-intset-entries": "1024",
    "zset-max-listpack-entries": "256",
    "zset-max-listpack-value": "128",
    "hll-sparse-max-bytes": "3000",
    "stream-node-max-bytes": "8192",
    "stream-node-max-entries": "200",
    "client-output-buffer-limit": "normal 0 0 0 slave 268435456 67108864 60 pubsub 67108864 16777216 60",
    "tcp-keepalive": "60",
    "timeout": "0",
    "hz": "20",
    "dynamic-hz": "yes",
    "active-expire-effort": "2",
    "slowlog-log-slower-than": "5000",
    "slowlog-max-len": "1024",
    "latency-tracking-info-percentiles": "50 95 99 99.9",
    # from the cache profile
    "maxmemory": "402653184",
    "maxmemory-clients": "5%",
    "lazyfree-lazy-eviction": "yes",
    "lazyfree-lazy-expire": "yes",
    "lazyfree-lazy-server-del": "yes",
    "lazyfree-lazy-user-del": "yes",
    "lazyfree-lazy-user-flush": "yes",
    "latency-monitor-threshold": "100",
    "save": "",
    "appendonly": "no",
}
AFTER_A_RESTART = {**LIVE, "tcp-backlog": "1024"}


def config(host, names):
    password = "$(sed -n 's/^requirepass //p' /etc/redis/redis.conf)"
    running = json.loads(host.check_output(f'REDISCLI_AUTH="{password}" redis-cli --json config get "*"'))
    return {name: running[name] for name in names}


def test_every_setting_runs(host):
    assert config(host, LIVE) == LIVE


def test_the_files_belong_to_redis_alone(host):
    attributes = host.check_output("stat -c '%U %G %a' /etc/redis/redis.conf /etc/redis/evenkeel.conf")
    assert attributes.splitlines() == ["redis redis 640"] * 2


def test_the_include_is_the_last_line(host):
    assert host.check_output("tail -n 1 /etc/redis/redis.conf") == "include /etc/redis/evenkeel.conf"


def test_every_setting_survives_a_restart_and_the_debt_is_paid(host):
    host.check_output("systemctl restart redis-server")  # Type=notify: returns when Redis is ready
    assert config(host, AFTER_A_RESTART) == AFTER_A_RESTART
