# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts on disk, merged to a report that its schema describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.collect import collect
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.compare import compare
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.console import summary
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.parts import (
    latest_run,
    make_part,
    read_parts,
    write_part,
)
from ansible_collections.evenkeel.fleet.tests.integration.report import example

pytestmark = pytest.mark.controller

SCHEMA = Path(__file__).parents[5] / "roles/report/files/report.schema.json"
FLEET = {"edge": ["edge1"], "app": ["app1", "app2", "app3"], "redis": []}
RECORD: dict[str, Any] = {"step": "probe-a", "kind": "probe", "title": "Probe", "verdict": "pass", "data": {}}


def report(parts: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return collect("run1", "Fleet report", FLEET, parts or example.run())


def test_a_report_is_as_its_schema_says() -> None:
    import jsonschema

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(report())), schema)


def test_the_schema_refuses_what_is_no_report() -> None:
    import jsonschema

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**report(), "verdict": "perhaps"}, schema)


def test_one_failed_step_fails_the_run_and_empty_groups_are_left_out() -> None:
    merged = report()
    assert merged["verdict"] == "fail"
    assert merged["fleet"] == {"edge": ["edge1"], "app": ["app1", "app2", "app3"]}
    assert (merged["started_at"], merged["finished_at"]) == (example.at(0), example.at(251))
    assert merged["duration_s"] == 251.0


def test_steps_stand_in_the_order_in_which_they_were_recorded() -> None:
    assert report(example.run()[::-1])["steps"][-1]["title"] == "Rollout of pitch to bad-late"


def test_the_probe_before_is_compared_with_the_probe_after() -> None:
    comparison = report()["comparison"]
    assert (comparison["before"], comparison["after"]) == ("before", "after")
    row = next(row for row in comparison["rows"] if row["scenario"] == "browse")
    assert row["p95_ms"]["ratio"] == pytest.approx(0.25, rel=0.1)
    assert row["rps"]["ratio"] == pytest.approx(4, rel=0.1)
    assert row["error_rate"] == {"before": 0.0, "after": 0.0, "ratio": None}


def test_other_labels_are_compared_first_with_last_and_one_probe_with_nothing() -> None:
    probes = [example.probe(second, label, 1) for second, label in ((1, "mon"), (2, "tue"), (3, "wed"))]
    found = compare(probes)
    assert found is not None
    assert (found["before"], found["after"]) == ("mon", "wed")
    assert compare(probes[:1]) is None


def test_the_console_shows_every_step_and_stays_narrow() -> None:
    lines = summary(report())
    text = "\n".join(lines)
    for wanted in ("Fleet report: fail", "Preflight", "Load probe: after", "search", "51 of 1300 requests failed"):
        assert wanted in text
    assert max(len(line) for line in lines if "→" in line) < 78
    assert lines[-2:] == ["Of 1300 requests of an independent client 51 failed, in 6 seconds (status: 51).",
                          "by alice@deploy1, commit 2b801641, collection 1.0.0"]


def test_parts_come_back_in_the_order_of_time(tmp_path: Path) -> None:
    for second, host in enumerate("ba"):
        write_part(str(tmp_path), "run1", {**make_part(RECORD, host), "recorded_at": example.at(second)})
    assert [part["host"] for part in read_parts(str(tmp_path), "run1")] == ["b", "a"]
    assert latest_run(str(tmp_path)) == "run1"
    assert not list(tmp_path.rglob("*.new"))


def test_the_latest_run_is_the_one_with_the_youngest_part(tmp_path: Path) -> None:
    for second, run in enumerate("za"):
        write_part(str(tmp_path), run, {**make_part(RECORD, "h"), "recorded_at": example.at(second)})
    assert latest_run(str(tmp_path)) == "a"


def test_a_result_of_a_gate_brings_its_reasons_and_times() -> None:
    verdict = {"verdict": "fail", "reasons": ["too slow"], "started_at": example.at(3), "duration_s": 4.5}
    part = make_part({**RECORD, "verdict": verdict}, "h")
    assert (part["verdict"], part["reasons"], part["duration_s"]) == ("fail", ["too slow"], 4.5)
    assert part["started_at"] == example.at(3)


def test_a_step_that_does_not_say_its_times_lasts_from_where_it_was_begun_until_now() -> None:
    assert make_part({**RECORD, "started_at": example.at(3)}, "h")["started_at"] == example.at(3)
    assert make_part({**RECORD, "started_at": example.at(3)}, "h")["duration_s"] > 0
    assert make_part({**RECORD, "started_at": ""}, "h")["duration_s"] == 0


def test_names_of_hosts_and_steps_cannot_leave_the_directory(tmp_path: Path) -> None:
    path = write_part(str(tmp_path), "run1", make_part({**RECORD, "step": "../../x"}, "../../../etc/h"))
    assert path.parent == tmp_path / "run1" / "parts"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "guess"}, "record.kind: expected one of preflight, probe"),
        ({"verdict": "maybe"}, "record.verdict: expected one of pass, fail, inconclusive, found 'maybe'"),
        ({"title": ""}, "record.title: expected a text"),
        ({"colour": "red"}, "record: expected the fields data, kind"),
    ],
)
def test_a_wrong_record_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_part({**RECORD, **wrong}, "h")


def test_a_run_must_be_a_plain_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="report_run"):
        write_part(str(tmp_path), "../elsewhere", make_part(RECORD, "h"))


def test_no_parts_and_broken_parts_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match=r"found none.* Run a playbook"):
        read_parts(str(tmp_path), "run1")
    with pytest.raises(FleetError, match="expected a run with parts"):
        latest_run(str(tmp_path))
    write_part(str(tmp_path), "run1", make_part(RECORD, "h")).write_text("{", encoding="utf-8")
    with pytest.raises(FleetError, match="expected JSON"):
        read_parts(str(tmp_path), "run1")


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(FleetError, match="report_directory: expected to write below"):
        write_part(str(tmp_path / "file"), "run1", make_part(RECORD, "h"))
