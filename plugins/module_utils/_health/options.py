# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument specification of one check, shared by all modules that take checks."""

from __future__ import annotations

from typing import Any

#: What each type of check cannot do without.
REQUIRED_IF = [
    ("type", "http", ["url"]),
    ("type", "tcp", ["port", "unix_socket"], True),
    ("type", "systemd", ["unit"]),
    ("type", "container", ["container"]),
    ("type", "command", ["argv"]),
    ("type", "kubernetes", ["workload"]),
]

REQUIRED_BY = {"client_key": ["client_cert"]}

CHECK: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "type": {
        "type": "str",
        "required": True,
        "choices": ["http", "tcp", "postgres", "redis", "systemd", "container", "command", "kubernetes"],
    },
    "critical": {"type": "bool", "default": True},
    "timeout_s": {"type": "float", "default": 5.0},
    "remedy": {"type": "str"},
    "host": {"type": "str"},
    "port": {"type": "int"},
    "unix_socket": {"type": "path"},
    "tls": {"type": "bool", "default": False},
    "validate_certs": {"type": "bool", "default": True},
    "ca_file": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path"},
    "user": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "min_version": {"type": "str"},
    "contains": {"type": "str"},
    "url": {"type": "str"},
    "method": {"type": "str", "default": "GET"},
    "headers": {"type": "dict", "no_log": True},
    "body": {"type": "str"},
    "status": {"type": "list", "elements": "int", "default": [200]},
    "pointers": {"type": "dict"},
    "max_latency_ms": {"type": "float"},
    "certificate_days": {"type": "float"},
    "database": {"type": "str", "default": "postgres"},
    "query": {"type": "str", "default": "SELECT 1"},
    "expect": {"type": "str"},
    "role": {"type": "str", "choices": ["master", "replica"]},
    "max_lag_s": {"type": "float"},
    "unit": {"type": "str"},
    "state": {"type": "str", "default": "active"},
    "container": {"type": "str"},
    "max_restarts": {"type": "int"},
    "own_health": {"type": "bool", "default": True},
    "workload": {"type": "str"},
    "namespace": {"type": "str"},
    "token": {"type": "str", "no_log": True},
    "token_file": {"type": "path", "no_log": False},
    "rolled_out": {"type": "bool", "default": False},
    "argv": {"type": "list", "elements": "str"},
    "rc": {"type": "list", "elements": "int", "default": [0]},
    "missing": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
    "read_only": {"type": "bool", "default": False},
}

#: The option that takes checks, as part of a module's argument specification.
CHECKS: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": CHECK,
    "required_if": REQUIRED_IF,
    "required_by": REQUIRED_BY,
}

#: What a probe of checks takes, in a module and in a gate.
LOOKS: dict[str, Any] = {
    "checks": CHECKS,
    "consecutive": {"type": "int", "default": 1},
    "deadline_s": {"type": "float", "default": 30},
    "interval_s": {"type": "float", "default": 1},
}

#: When a circuit opens: the fields of ``breaker.Limits`` with their defaults.
BREAKER: dict[str, Any] = {
    "failures": {"type": "int", "default": 5},
    "share": {"type": "float", "default": 0.5},
    "calls": {"type": "int", "default": 20},
    "open_s": {"type": "float", "default": 30},
    "open_max_s": {"type": "float", "default": 300},
}
