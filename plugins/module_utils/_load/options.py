# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument specification of a load probe, shared by its module and the gates of a rollout."""

from __future__ import annotations

from typing import Any

REQUEST: dict[str, Any] = {
    "path": {"type": "str"},
    "method": {"type": "str"},
    "headers": {"type": "dict"},
    "body": {"type": "raw"},
    "text": {"type": "raw"},
    "subscribe": {"type": "raw"},
    "command": {"type": "raw"},
    "query": {"type": "str"},
    "parameters": {"type": "list", "elements": "raw"},
    "prepared": {"type": "bool"},
    "weight": {"type": "int", "default": 1},
    "checks": {"type": "dict", "options": {
        "status": {"type": "list", "elements": "int"},
        "contains": {"type": "str"},
        "pointers": {"type": "dict"},
        "headers": {"type": "dict"},
        "min_bytes": {"type": "int"},
        "max_bytes": {"type": "int"},
        "max_latency_ms": {"type": "float"},
    }},
    "tags": {"type": "dict"},
}
STEP: dict[str, Any] = {
    **{key: option for key, option in REQUEST.items() if key not in ("weight", "subscribe")},
    "name": {"type": "str"},
    "capture": {"type": "dict"},
    "think_s": {"type": "raw"},
}
FEEDER: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "values": {"type": "list", "elements": "raw"},
    "csv": {"type": "str"},
    "path": {"type": "path"},
    "range": {"type": "dict"},
    "weighted": {"type": "dict"},
    "random": {"type": "dict"},
    "policy": {"type": "str", "choices": ["next", "random", "per_user"]},
}
SCENARIO: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "weight": {"type": "int", "default": 1},
    "requests": {"type": "list", "elements": "dict", "options": REQUEST},
    "steps": {"type": "list", "elements": "dict", "options": STEP},
    "think_s": {"type": "raw"},
    "feeders": {"type": "list", "elements": "dict", "options": FEEDER},
    "keep_cookies": {"type": "bool", "default": False},
}
#: What a load probe takes, in a module and in a gate.
PROBE: dict[str, Any] = {
    "target": {"type": "str", "required": True},
    "scenarios": {"type": "list", "elements": "dict", "options": SCENARIO},
    "feeders": {"type": "list", "elements": "dict", "options": FEEDER},
    "seed": {"type": "int", "default": 0},
    "headers": {"type": "dict"},
    "executor": {"type": "str", "default": "constant_vus", "choices": [
        "constant_vus", "ramping_vus", "constant_arrival_rate", "ramping_arrival_rate", "step", "spike", "soak",
        "capacity"]},
    "stages": {"type": "list", "elements": "dict", "options": {
        "duration_s": {"type": "float", "required": True},
        "vus": {"type": "int"},
        "rate_rps": {"type": "float"},
    }},
    "levels": {"type": "list", "elements": "int"},
    "spike": {"type": "dict", "options": {
        "factor": {"type": "float", "default": 5},
        "start_s": {"type": "float"},
        "length_s": {"type": "float"},
        "recovery_factor": {"type": "float", "default": 2},
    }},
    "capacity": {"type": "dict", "options": {
        "min_rps": {"type": "float", "default": 1},
        "max_rps": {"type": "float", "default": 100000},
        "precision": {"type": "float", "default": 0.05},
    }},
    "iterations": {"type": "int"},
    "vus": {"type": "int"},
    "rate_rps": {"type": "float"},
    "duration_s": {"type": "float", "default": 10},
    "warmup_s": {"type": "float", "default": 0},
    "timeout_s": {"type": "float", "default": 10},
    "deadline_s": {"type": "float"},
    "processes": {"type": "int", "default": 1},
    "thresholds": {"type": "list", "elements": "str", "default": ["error_rate < 1%"]},
    "stop_path": {"type": "path"},
    "count_header": {"type": "str", "default": ""},
    "allowed_targets": {"type": "list", "elements": "str", "default": []},
    "reuse": {"type": "bool", "default": True},
    "unix_socket": {"type": "path"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "tls": {"type": "bool"},
    "server_name": {"type": "str"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "client_cert_path": {"type": "path"},
    "client_key_path": {"type": "path", "no_log": False},
    "mergeable": {"type": "bool", "default": False},
    "result_name": {"type": "str", "default": ""},
    "result_directory": {"type": "path", "default": "/var/lib/evenkeel/probes"},
    "baseline": {"type": "dict", "options": {
        "result_name": {"type": "str"},
        "result": {"type": "dict"},
        "target": {"type": "str"},
        "percentiles": {"type": "list", "elements": "str", "default": ["p50", "p95"]},
        "tolerance": {"type": "str", "default": "10%"},
        "error_tolerance": {"type": "str", "default": "1%"},
        "confidence": {"type": "float", "default": 0.95},
    }},
    "share": {"type": "str"},
    "start_at": {"type": "float"},
}
