# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notifications: what a webhook is told about a rollout, and where it may be sent."""

from __future__ import annotations

from typing import Any, Iterable, Mapping
from urllib.parse import urlsplit

from ..._core.clock import utc_now
from ..._core.errors import InputError

SCHEMA = "evenkeel.fleet/notification/1"
EVENTS = ("start", "wave", "rolled_back", "frozen", "committed")
KEYS = frozenset(("url", "events", "headers"))
EXAMPLE = "[{url: https://hooks.example.org/fleet, events: [rolled_back, frozen]}]"


def problems(targets: Iterable[Any]) -> Iterable[str]:
    """Yield what is wrong with the declaration; a URL is shown by its host only, because it may be a secret."""
    for number, target in enumerate(targets):
        where = f"rollout_notify[{number}]"
        if not isinstance(target, Mapping) or set(target) - KEYS:
            yield str(InputError(where, "something else", f"a dict with {', '.join(sorted(KEYS))}", EXAMPLE))
            continue
        parts = urlsplit(str(target.get("url", "")))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            yield str(InputError(f"{where}.url", parts.scheme or "none", "a URL with http or https", EXAMPLE))
        unknown = [event for event in target.get("events", EVENTS) if event not in EVENTS]
        if unknown:
            yield str(InputError(f"{where}.events", unknown, f"events out of {', '.join(EVENTS)}",
                                 "[rolled_back, frozen]"))


def message(plan: Mapping[str, Any], event: str, run: str, operator: str,
            details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body.

    :arg event: one of ``EVENTS``.
    :arg details: ``wave`` (of the event ``wave``), or the summary of the rollout at its end.
    """
    body = {"schema": SCHEMA, "event": event, "time": utc_now(), "run": run, "operator": operator,
            **{key: plan[key] for key in ("kind", "service", "release", "image", "hosts")}}
    if event == "wave":
        body["wave"] = {key: details[key] for key in ("number", "name", "hosts")}
    elif event != "start":
        body.update({key: details[key] for key in ("verdict", "reasons", "duration_s", "failed_requests", "requests")})
        body["states"] = {host: one["state"] for host, one in details["hosts"].items()}
    return body
