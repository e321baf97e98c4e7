# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The aggregate as a document: "Health Check Response Format for HTTP APIs" (draft-inadarei-api-health-check-06).

Beyond the draft a check has ``age_s``, ``circuit`` and ``critical``.
"""

from __future__ import annotations

from typing import Any, Mapping

from .observation import FAIL, PASS
from .runner import decide

CONTENT_TYPE = "application/health+json"

#: The draft's component type and the name of what is measured, by type of check.
KINDS = {
    "http": ("component", "responseTime"),
    "tcp": ("component", "responseTime"),
    "postgres": ("datastore", "responseTime"),
    "redis": ("datastore", "responseTime"),
    "systemd": ("system", "state"),
    "container": ("component", "state"),
    "command": ("system", "exitCode"),
    "kubernetes": ("component", "availableReplicas"),
}


def render(service: str, components: Mapping[str, Mapping[str, Any]]) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status (200 for pass and warn, 503 for fail) and the document."""
    status, decided_by = decide(components)
    document: dict[str, Any] = {"status": status, "description": f"health of {service}"}
    if status != PASS:
        document["output"] = f"{decided_by}: {components[decided_by]['output']}" if decided_by else "nothing is known"
        document["notes"] = [f"decided by {decided_by}"]
    document["checks"] = {}
    for name, found in components.items():
        kind, measured = KINDS[found["componentType"]]
        document["checks"][f"{name}:{measured}"] = [_check(kind, found)]
    return (503 if status == FAIL else 200), document


def _check(kind: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a check object; what has no value is left out, as the draft wants it."""
    shown = {
        "componentType": kind,
        "status": found["status"],
        "observedValue": found["observedValue"],
        "observedUnit": found["observedUnit"] or None,
        "time": found["time"],
        "output": found["output"] if found["status"] != PASS else None,
        "age_s": found["age_s"],
        "circuit": found["circuit"],
        "critical": found["critical"],
    }
    return {name: value for name, value in shown.items() if value is not None}
