# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of Redis' parameters beyond what the server tells: kinds, units, restarts, secrets.

Source: ``static_configs`` in ``src/config.c`` and the comments of ``redis.conf``, Redis 7.0. Parameters that
are not named here are judged by their running value, so that a newer server needs no newer table.
"""

from __future__ import annotations

import re

#: ``IMMUTABLE_CONFIG``: only a restart changes them. A server that disagrees says so when they are set.
RESTART_ONLY = frozenset((
    "aclfile", "always-show-logo", "aof_rewrite_cpulist", "appenddirname", "appendfilename", "bgsave_cpulist",
    "bio_cpulist", "cluster-config-file", "cluster-enabled", "cluster-port", "daemonize", "databases", "disable-thp",
    "enable-debug-command", "enable-module-command", "enable-protected-configs", "io-threads", "io-threads-do-reads",
    "logfile", "pidfile", "rdbchecksum", "replicaof", "server_cpulist", "set-proc-title", "socket-mark-id",
    "supervised", "syslog-enabled", "syslog-facility", "syslog-ident", "tcp-backlog", "unixsocket", "unixsocketperm",
))

#: ``PROTECTED_CONFIG``: settable only where ``enable-protected-configs`` allows it.
PROTECTED = frozenset(("dbfilename", "dir"))

#: Never shown.
SECRETS = frozenset(("masterauth", "primaryauth", "requirepass", "tls-client-key-file-pass", "tls-key-file-pass"))

#: Shown in place of a secret.
MASK = "********"

#: Written in lower case by the server, accepted in any case.
ENUMS = frozenset((
    "acl-pubsub-default", "appendfsync", "cluster-preferred-endpoint-type", "enable-debug-command",
    "enable-module-command", "enable-protected-configs", "loglevel", "maxmemory-policy", "oom-score-adj",
    "propagation-error-behavior", "repl-diskless-load", "sanitize-dump-payload", "shutdown-on-sigint",
    "shutdown-on-sigterm", "supervised", "syslog-facility", "tls-auth-clients",
))

#: Durations, with the seconds that one of the parameter's own units lasts.
DURATIONS = {
    "busy-reply-threshold": 1e-3,
    "cluster-node-timeout": 1e-3,
    "latency-monitor-threshold": 1e-3,
    "lfu-decay-time": 60.0,
    "lua-time-limit": 1e-3,
    "min-replicas-max-lag": 1.0,
    "repl-backlog-ttl": 1.0,
    "repl-diskless-sync-delay": 1.0,
    "repl-ping-replica-period": 1.0,
    "repl-timeout": 1.0,
    "shutdown-timeout": 1.0,
    "slowlog-log-slower-than": 1e-6,
    "tcp-keepalive": 1.0,
    "timeout": 1.0,
    "tls-session-cache-timeout": 1.0,
}

#: Several words; a list is accepted.
WORDS = frozenset(("bind", "latency-tracking-info-percentiles", "oom-score-adj-values", "replicaof"))

_TEXT = re.compile(
    r"(auth|cert-dir|ciphers|ciphersuites|cpulist|dirname|file|filename|hostname|ident|-ip|pass|protocols|source-addr"
    r"|template|unixsocket|user|warnings)$|^dir$"
)


def is_text(name: str) -> bool:
    """Whether the value is text as it stands: a path, a name, a password."""
    return bool(_TEXT.search(name))


def modern(name: str) -> str:
    """Return the name that aliases share: ``slave-priority`` is ``replica-priority``."""
    return name.replace("slave", "replica").replace("ziplist", "listpack")


def shown(name: str, value: str) -> str:
    """Return the value as messages, diffs and results may show it."""
    return MASK if name in SECRETS and value else value
