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
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.charts import charts
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
    """Elements by name, those that say nothing to a screen reader, and what would fetch or run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.silent: list[str] = []
        self.active: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        needed = {"canvas": ("role", "aria-label"), "th": ("scope",), "html": ("lang",)}.get(tag, ())
        self.silent += [tag for name in needed if not dict(attrs).get(name)]
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


def test_charts_and_tables_say_what_they_are_without_eyes() -> None:
    page = Page(draw(report()))
    assert {"canvas", "th", "html"} <= set(page.elements)
    assert page.silent == []


def test_the_page_of_a_rollout_that_went_wrong_says_why_and_by_whom() -> None:
    text = draw(report(example.run()[-1:]))
    for wanted in ("app3: on the release before, never touched.", "alice@deploy1", "2b801641", "untouched",
                   "error_rate &lt; 1%: 20.0 %, broken", "gate &#39;load wave&#39;"):
        assert wanted in text, wanted


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
