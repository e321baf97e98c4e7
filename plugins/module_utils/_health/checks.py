# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of checks: one small function each, from (check, time-out in seconds) to an observation."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence
from urllib.parse import urlsplit

from .._core.errors import InputError
from .local import check_command, check_container, check_systemd
from .network import check_http, check_tcp, validate_request, validate_url
from .observation import Observation
from .stores import check_postgres, check_redis

Check = Callable[[Mapping[str, Any], float], Observation]


def _check_kubernetes(check: Mapping[str, Any], timeout_s: float) -> Observation:
    from .kubernetes import check_kubernetes  # rarely needed: not compiled by the probes of a rollout

    return check_kubernetes(check, timeout_s)


CHECKS: dict[str, Check] = {
    "http": check_http,
    "tcp": check_tcp,
    "postgres": check_postgres,
    "redis": check_redis,
    "systemd": check_systemd,
    "container": check_container,
    "command": check_command,
    "kubernetes": _check_kubernetes,
}


def validate(checks: Sequence[Mapping[str, Any]]) -> None:
    """Refuse what no argument specification can: names twice, URLs that are none, empty commands.

    :raises InputError: before anything was asked.
    """
    names = [check["name"] for check in checks]
    for name in names:
        if names.count(name) > 1:
            raise InputError("checks: name", name, "each name once", "app, database, cache")
    for check in checks:
        field = f"checks: {check['name']}"
        if check["type"] in ("http", "kubernetes"):
            _validate_access(field, check)
        if check["type"] == "http":
            validate_request(f"{field}: ", check)
            for pointer in check["pointers"] or {}:
                if pointer and not pointer.startswith("/"):
                    raise InputError(f"{field}: pointers", pointer, "JSON pointers, which begin with /", "/status")
        if check["type"] == "command" and not check["argv"]:
            raise InputError(f"{field}: argv", check["argv"], "a command with its arguments", "[uptime, --pretty]")
        if check["type"] == "postgres" and not check["user"]:
            raise InputError(f"{field}: user", check["user"], "the user to log in as", "pitch")
        if check["port"] is not None and not 0 < check["port"] < 65536:
            raise InputError(f"{field}: port", check["port"], "a port between 1 and 65535", "5432")
        if not 0 < check["timeout_s"] < float("inf"):
            raise InputError(f"{field}: timeout_s", check["timeout_s"], "more than 0 seconds", "5")
        for name in ("max_latency_ms", "max_lag_s", "certificate_days"):
            if check[name] is not None and not check[name] >= 0:
                raise InputError(f"{field}: {name}", check[name], "0 or more", "30")


def _validate_access(field: str, check: Mapping[str, Any]) -> None:
    url = check["url"]
    if url is not None:
        validate_url(f"{field}: url", url)
    verified = check["validate_certs"] and urlsplit(url or "https:").scheme == "https"
    if check["certificate_days"] is not None and not verified:
        expected = "a verified https URL (validate_certs: true) to judge the certificate of"
        raise InputError(f"{field}: certificate_days", check["certificate_days"], expected, "14")
    if check["type"] == "kubernetes":
        from .kubernetes import validate_kubernetes

        validate_kubernetes(field, check)
