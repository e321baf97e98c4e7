# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The numbers behind the charts, and a page that nothing in a report can break out of."""

from __future__ import annotations

import html.parser
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._report import wording
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.charts import charts, rollout
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.collect import collect
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.page import json_in_html, render
from ansible_collections.evenkeel.fleet.tests.integration.report import example
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.controller

ROLE = Path(__file__).parents[5] / "roles/report"
HOSTILE = [
    "<script>document.title='owned'</script>",
    "</script><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "{{ 7 * 191 }}{% for x in y %}",
    "'; alert(1); //",
    "<!--",
    "]]>",
    "\u2028</style><b>",
]


def draw(shown: dict[str, Any]) -> str:
    return render("report.html.j2", ROLE, charts(shown), report=shown)


class Page(html.parser.HTMLParser):
    """Elements by name, and every attribute that would fetch or run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.active: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attrs:
            fetches = name in ("src", "href", "srcset", "action") and not (value or "").startswith(("#", "data:"))
            if fetches or name.startswith("on"):
                self.active.append((name, value or ""))


def report(parts: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return collect("run1", "Fleet report", {"app": ["app1"]}, parts or example.run())


def hostile(value: Any, texts: list[str]) -> Any:
    """Put a hostile text wherever a report holds free text."""
    free = ("title", "host", "reason", "found", "remedy", "what", "setting", "name", "release", "label")
    if isinstance(value, dict):
        return {
            key: texts
            if key in ("lines", "reasons")
            else "".join(texts)
            if key in free and isinstance(item, str)
            else hostile(item, texts)
            for key, item in value.items()
        }
    return [hostile(item, texts) for item in value] if isinstance(value, list) else value


def test_the_page_asks_for_nothing_from_anywhere() -> None:
    text = draw(report())
    assert Page(text).active == []
    assert "sourceMappingURL" not in text
    assert "default-src 'none'" in text


def test_hostile_texts_stay_texts() -> None:
    plain = Page(draw(report()))
    text = draw(report(hostile(example.run(), HOSTILE)))
    page = Page(text)
    assert page.active == []
    assert page.elements.count("script") == plain.elements.count("script")
    assert {"svg", "img", "b"} & set(page.elements) <= {"b"}
    assert page.elements.count("b") <= plain.elements.count("b") + 2  # no mix in it: its two figures are gone
    assert "1337" not in text


@given(st.text())
def test_data_cannot_end_its_element(text: str) -> None:
    embedded = json_in_html({"text": text})
    assert not set("<>&\u2028") & set(embedded)
    assert json.loads(embedded) == {"text": text}


def test_a_report_of_every_single_step_can_be_drawn() -> None:
    for part in example.run():
        assert part["title"] in draw(report([part])) or part["kind"] == "preflight"
        bare = {**part, "data": {}}
        draw(report([bare]))


def test_curves_rise_from_percentile_to_percentile() -> None:
    curves = charts(report())["curves"]
    assert [one["scenario"] for one in curves] == list(example.SCENARIOS)
    for one in curves:
        assert [line["label"] for line in one["lines"]] == ["before", "after"]
        for line in one["lines"]:
            heights = [point["y"] for point in line["points"]]
            assert heights == sorted(heights)


def test_a_rollout_shows_what_users_saw_beside_what_hosts_did() -> None:
    drawn = rollout(example.run()[-1])
    assert sum(row["failed"] for row in drawn["series"]) == 51
    ways = {host["host"]: [event["state"] for event in host["events"]] for host in drawn["hosts"]}
    assert ways["app1"] == ["PLANNED", "LOCKED", "STAGED", "VERIFIED", "SWITCHED", "ABORTING", "ROLLED_BACK"]
    assert ways["app3"] == ["PLANNED", "LOCKED", "STAGED", "ABORTING", "ROLLED_BACK"]
    assert drawn["hosts"][0]["events"][0]["t_s"] == 0.5
    assert drawn["end_s"] == 26.0


def test_intent_and_result_of_one_state_are_one_event() -> None:
    steps = [
        {"time": example.at(1), "state": "STAGED", "phase": "intent", "data": {"a": 1}},
        {"time": example.at(9), "state": "STAGED", "phase": "result", "data": {"b": 2}},
    ]
    part = example.part(0, "rollout", "rollout", "app1", {"hosts": {"app1": {"wave": 1, "steps": steps}}})
    assert rollout(part)["hosts"][0]["events"] == [{"t_s": 1.0, "state": "STAGED", "data": {"a": 1, "b": 2}}]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (wording.number(None), "–"),
        (wording.number(1234567), "1,234,567"),
        (wording.number(9.876), "9.88"),
        (wording.number(98.76), "98.8"),
        (wording.number(987.6), "988"),
        (wording.share(0), "0 %"),
        (wording.share(0.2), "20.0 %"),
        (wording.share(0.00012), "0.012 %"),
        (wording.seconds(0.4215), "0.42 s"),
        (wording.seconds(61.2), "1 min 01 s"),
        (wording.seconds(None), "–"),
        (wording.change({"ratio": 0.25}), "4× less"),
        (wording.change({"ratio": 1.5}), "1.5× more"),
        (wording.change({"ratio": 1.01}), "same"),
        (wording.change({"ratio": None}), "–"),
        (wording.better("rps", {"ratio": 2}), "better"),
        (wording.better("p95_ms", {"ratio": 2}), "worse"),
        (wording.clock("2026-11-21T08:15:04.120Z"), "08:15:04"),
        (wording.brief("x" * 300, 5), "xxxx…"),
    ],
)
def test_numbers_as_people_read_them(shown: str, expected: str) -> None:
    assert shown == expected
