# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment file: Compose reads back every value as it was declared."""

from __future__ import annotations

import base64
import json

import jinja2
from integration.rollout.fleet import ROOT, Fleet

VALUES = {
    "PLAIN": "plain", "DOLLAR": "p$word$$x", "QUOTES": "quote\"'mix'", "BACKSLASH": "back\\slash\\", "BOTH": "a\\\"b",
    "LINES": "two\nlines", "SPACE": " sp ace #hash ", "SHELL": "${HOME}`id`", "LETTER_N": "\\n", "EMPTY": "",
    "UNICODE": "ünïcode=1", "ESCAPED": "\\$x",
}
COMPOSE = "services: {a: {image: x, env_file: [environment]}}"


def test_every_value_survives():
    template = (ROOT / "roles/deploy_compose/templates/environment.j2").read_text(encoding="utf-8")
    rendered = jinja2.Environment(trim_blocks=True).from_string(template).render(release_environment=VALUES)
    write = [f"echo {base64.b64encode(text.encode()).decode()} | base64 -d > {name}"
             for name, text in (("environment", rendered), ("compose.yaml", COMPOSE))]
    answer = Fleet().ask("app[0]", "ansible.builtin.shell", " && ".join(
        ["cd $(mktemp -d)", *write, "docker compose config --format json", "rm -r $PWD"]))
    (result,) = answer.values()
    found = json.loads(result["stdout"])["services"]["a"]["environment"]
    assert {name: value.replace("$$", "$") for name, value in found.items()} == VALUES
