# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument specification of a metric probe, shared by its module and the gates of a rollout."""

from __future__ import annotations

from typing import Any

#: One of these has to be given, and only one.
SOURCES = ("prometheus", "balancer", "load_probe")

METRIC: dict[str, Any] = {
    "prometheus": {"type": "dict", "options": {
        "url": {"type": "str", "required": True},
        "query": {"type": "str", "required": True},
        "headers": {"type": "dict", "no_log": True},
        "validate_certs": {"type": "bool", "default": True},
        "ca_file": {"type": "path"},
    }},
    "balancer": {"type": "dict", "options": {
        "backend": {"type": "str", "required": True},
        "server": {"type": "str", "default": ""},
        "duration_s": {"type": "float", "default": 5},
        "socket": {"type": "path", "default": "/run/haproxy/admin.sock"},
    }},
    "load_probe": {"type": "dict", "options": {
        "name": {"type": "str", "required": True},
        "directory": {"type": "path", "default": "/var/lib/evenkeel/probes"},
    }},
    "thresholds": {"type": "list", "elements": "str", "required": True},
    "wait_s": {"type": "float", "default": 0},
    "deadline_s": {"type": "float", "default": 30},
    "interval_s": {"type": "float", "default": 2},
}
