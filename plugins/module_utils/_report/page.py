# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A page: one file that needs nothing else, not even a network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any, Mapping

from .story import story
from .wording import FILTERS

_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


def render(template: str, role: Path, drawn: Mapping[str, Any], **variables: Any) -> str:
    """Draw a page.

    Everything that it shows is escaped: by autoescape in the text, by the escapes of JSON in the data of the
    charts. A content security policy allows exactly the two scripts of the page, and no request at all.

    :arg role: the directory of the role ``report``, with its templates and the charting library.
    :arg drawn: the charts, by their place on the page.
    :arg variables: what the template shows.
    """
    # Here, because ansible-test imports every file with Pythons that have nothing but the standard library.
    import jinja2
    from markupsafe import Markup

    library = _SOURCE_MAP.sub("", (role / "files/vendor/chart.umd.js").read_text(encoding="utf-8"))
    drawing = (role / "files/report.js").read_text(encoding="utf-8")
    for script in (library, drawing):
        if "</script" in script.lower():
            raise ValueError("a script of the page must not hold the end of a script")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(role / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.ChainableUndefined,
    )
    environment.filters.update(FILTERS, story=story)
    return environment.get_template(template).render(
        **variables,
        charts=drawn,
        data=Markup(json_in_html(drawn)),
        library=Markup(library),
        drawing=Markup(drawing),
        style=Markup((role / "files/report.css").read_text(encoding="utf-8")),
        licence=(role / "files/vendor/LICENSE.chart.js.md").read_text(encoding="utf-8"),
        script_hashes=Markup(" ".join(_hash(script) for script in (library, drawing))),
    )


def json_in_html(value: Any) -> str:
    """Return JSON that cannot end the element it stands in."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
