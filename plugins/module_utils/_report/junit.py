# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of load probes as a JUnit report: a suite per result, a case per threshold and one for the verdict.

A broken threshold is a failure; what is inconclusive or was not measured is an error, never a success.
"""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping
from xml.etree import ElementTree

from .._core.verdict import FAIL, PASS

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Mapping[str, Mapping[str, Any]], title: str) -> str:
    """Return the document."""
    root = ElementTree.Element("testsuites", name=_text(title))
    for name, result in results.items():
        root.append(_suite(name, result))
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    root.set("time", f"{sum(float(result['duration_s']) for result in results.values()):.3f}")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(name: str, result: Mapping[str, Any]) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=_text(name), timestamp=str(result["started_at"])[:19],
                                time=f"{result['duration_s']:.3f}", skipped="0")
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in {**result["metrics"], "grade": result.get("grade")}.items():
        if value is not None:
            ElementTree.SubElement(properties, "property", name=key, value=str(value))
    for case in _cases(name, result):
        suite.append(case)
    for key, tag in (("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error")):
        suite.set(key, str(len(suite.findall(tag))))
    return suite


def _cases(name: str, result: Mapping[str, Any]) -> Iterator[ElementTree.Element]:
    for row in result["thresholds"]:
        case = _case(name, row["threshold"], result)
        if row["ok"] is None:
            _outcome(case, "error", f"{row['metric']} was not measured", "inconclusive")
        elif not row["ok"]:
            _outcome(case, "failure", f"measured {row['measured']:.6g}", "threshold")
        yield case
    verdict = _case(name, "verdict", result)
    if result["verdict"] != PASS:
        kind = "failure" if result["verdict"] == FAIL else "error"
        _outcome(verdict, kind, "; ".join(result["reasons"]) or result["verdict"], result["verdict"])
    yield verdict


def _case(name: str, rule: str, result: Mapping[str, Any]) -> ElementTree.Element:
    return ElementTree.Element("testcase", classname=_text(name), name=_text(rule), time=f"{result['duration_s']:.3f}")


def _outcome(case: ElementTree.Element, tag: str, message: str, kind: str) -> None:
    ElementTree.SubElement(case, tag, message=_text(message), type=kind).text = _text(message)


def _text(value: str) -> str:
    """Return a text without what XML cannot hold."""
    return _NO_XML.sub("\ufffd", str(value))
