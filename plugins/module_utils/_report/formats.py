# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The formats in which results of load probes are written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Mapping, Sequence

from .._core.errors import InputError
from .._core.verdict import worst
from .junit import junit
from .k6_summary import k6_summary
from .prometheus import prometheus
from .redaction import clean
from .series import histogram_log, series_csv

#: What each format's file ends with.
ENDINGS = {"json": ".json", "junit": ".junit.xml", "prometheus": ".prom", "k6": ".k6.json", "csv": ".csv",
           "hdr": ".hlog", "html": ".html"}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FORBIDDEN = re.compile(r"[^A-Za-z0-9.-]+")
_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")

Results = Mapping[str, Mapping[str, Any]]


def check_results(results: Results) -> None:
    """Check that everything can be written.

    :raises InputError: names the result that is none.
    """
    if not results:
        raise InputError("results", {}, "at least one result", "{mixed: '{{ probe }}'}")
    for name, result in results.items():
        if not isinstance(result, Mapping) or not result.get("metrics") or not (result.get("samples") or {}).get(
                "histograms"):
            raise InputError(f"results.{name}", result.get("verdict") if isinstance(result, Mapping) else result,
                             "what load_probe has measured, with metrics and samples", "{mixed: '{{ probe }}'}")


def check_names(name: str, labels: Mapping[str, Any]) -> None:
    """Check the first part of the files' names and the names of labels.

    :raises InputError: names the option.
    """
    if not _NAME.fullmatch(name):
        raise InputError("name", name, "letters, digits, '.', '_' and '-'", "nightly")
    for label in labels:
        if not _LABEL.fullmatch(label) or label in ("probe", "scenario", "le", "quantile"):
            raise InputError("labels", label, "names of letters, digits and '_' that are not taken", "{service: shop}")


def write_formats(results: Results, formats: Sequence[str], title: str, labels: Mapping[str, str],
                  role: Path) -> dict[str, str]:
    """Return the content of each file by the end of its name; k6 has one per result.

    :arg role: the directory of the role ``report``, with what the page is made of.
    """
    results = clean(results, names=True)
    makers = {
        "json": lambda: _json(results), "junit": lambda: junit(results, title),
        "prometheus": lambda: prometheus(results, labels), "csv": lambda: series_csv(results),
        "hdr": lambda: histogram_log(results), "html": lambda: _page(results, title, role),
    }
    files = {}
    for name in formats:
        if name == "k6":
            for probe, result in results.items():
                place = f"-{_FORBIDDEN.sub('_', probe)}" if len(results) > 1 else ""
                files[place + ENDINGS[name]] = _json(k6_summary(result))
        else:
            files[ENDINGS[name]] = makers[name]()
    return files


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _page(results: Results, title: str, role: Path) -> str:
    from .charts import load_charts
    from .page import render

    return render("load.html.j2", role, load_charts(results), results=results, title=title,
                  verdict=worst(result["verdict"] for result in results.values()))
