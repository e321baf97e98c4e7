# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.document import CONTENT_TYPE, KINDS, render
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECK

TIME = "2026-11-21T08:00:00.000Z"


def component(kind="postgres", **changes):
    """A component as the runner and its memory hand it over."""
    return {
        "componentType": kind, "status": "pass", "observedValue": 4.2, "observedUnit": "ms", "time": TIME,
        "output": "", "expected": "an answer", "remedy": "", "attempts": 1, "critical": True, "age_s": 1.5,
        "circuit": "closed", **changes,
    }  # fmt: skip


def shown(**changes):
    """The check object of a component that passes."""
    return {
        "componentType": "datastore", "status": "pass", "observedValue": 4.2, "observedUnit": "ms", "time": TIME,
        "age_s": 1.5, "circuit": "closed", "critical": True, **changes,
    }  # fmt: skip


def test_the_media_type_is_that_of_the_draft():
    assert CONTENT_TYPE == "application/health+json"


def test_what_passes_has_the_form_of_the_draft_and_no_output():
    assert render("shop", {"db": component()}) == (200, {
        "status": "pass",
        "description": "health of shop",
        "checks": {"db:responseTime": [shown()]},
    })  # fmt: skip


def test_a_warning_is_answered_with_200_and_says_why():
    late = component(status="warn", output="it took 9 s.", critical=False)
    assert render("shop", {"cache": component("redis"), "db": late}) == (200, {
        "status": "warn",
        "description": "health of shop",
        "output": "db: it took 9 s.",
        "notes": ["decided by db"],
        "checks": {
            "cache:responseTime": [shown()],
            "db:responseTime": [shown(status="warn", output="it took 9 s.", critical=False)],
        },
    })  # fmt: skip


def test_a_failure_is_answered_with_503_by_who_decided_and_without_what_nobody_knows():
    late = component(status="warn", output="late.")
    gone = component("http", status="fail", output="gone.", observedValue=None, observedUnit="", age_s=None,
                     circuit="open")  # fmt: skip
    status, document = render("shop", {"db": late, "app": gone})
    assert (status, document["status"], document["output"]) == (503, "fail", "app: gone.")
    assert document["notes"] == ["decided by app"]
    assert document["checks"]["app:responseTime"] == [
        {"componentType": "component", "status": "fail", "time": TIME, "output": "gone.", "circuit": "open",
         "critical": True},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "measured", "component_type", "value", "unit"),
    [
        ("http", "responseTime", "component", 0.0, "ms"),
        ("tcp", "responseTime", "component", 1.5, "ms"),
        ("redis", "responseTime", "datastore", 1.5, "ms"),
        ("systemd", "state", "system", "active", ""),
        ("container", "state", "component", "healthy", ""),
        ("command", "exitCode", "system", 0, "exit code"),
        ("kubernetes", "availableReplicas", "component", 3, "replicas"),
    ],
)
def test_each_type_of_check_names_what_it_measures(kind, measured, component_type, value, unit):
    checks = render("shop", {"it": component(kind, observedValue=value, observedUnit=unit)})[1]["checks"]
    ((key, (seen,)),) = checks.items()
    assert (key, seen["componentType"], seen["observedValue"]) == (f"it:{measured}", component_type, value)
    assert seen.get("observedUnit", "") == unit
    assert ("observedUnit" in seen) == bool(unit)


def test_every_type_of_check_has_a_place_in_the_document():
    assert set(KINDS) == set(CHECK["type"]["choices"])
