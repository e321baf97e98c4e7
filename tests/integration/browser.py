# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages as a person gets them: opened from disk in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

#: Put into a copy of the page: what went wrong, and which charts hold nothing but air.
EYES = """<script>
window.wrong = [];
addEventListener("error", (event) => window.wrong.push(String(event.message)));
addEventListener("load", () => {
  const empty = [...document.querySelectorAll("canvas")].filter((canvas) => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return canvas.dataset.drawn !== "true" || !pixels.some((byte, at) => at % 4 === 3 && byte > 0);
  }).map((canvas) => canvas.id);
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  document.body.insertAdjacentHTML("beforeend", "<pre id=seen></pre>");
  document.getElementById("seen").textContent = JSON.stringify({wrong: window.wrong, empty, wide});
});
</script>"""


def browse(page: Path, profile: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert shutil.which("chromium"), "chromium is missing: run scripts/setup/system, which installs it"
    command = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={profile}",
        "--enable-logging=stderr",
        "--virtual-time-budget=5000",
        *options,
        "--dump-dom",
        page.as_uri(),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def look(page: Path, directory: Path, *options: str) -> tuple[dict[str, Any], str]:
    """Return what went wrong on a page, its empty charts, by how much it is too wide, and its elements."""
    copy = directory / "copy.html"
    text = page.read_text(encoding="utf-8")
    copy.write_text(re.sub(r"<meta http-equiv=[^>]*>", lambda _: EYES, text, count=1), encoding="utf-8")
    dom = browse(copy, directory / "profile", *options).stdout
    return json.loads(re.search(r'<pre id="seen">(.*?)</pre>', dom).group(1)), dom  # type: ignore[union-attr]
