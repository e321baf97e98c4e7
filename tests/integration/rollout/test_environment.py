# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment file: Compose reads back every value as it was declared."""

from __future__ import annotations

import base64
import json

import jinja2
import pytest
from integration.rollout.faults import Machines
from integration.rollout.fleet import QUICK, ROOT, Fleet

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


@pytest.mark.faults
def test_options_are_added_to_what_the_role_needs(fleet):
    """In the forms that Compose knows besides dictionaries and lists; what both name is the release's."""
    machines, host = Machines(fleet), fleet.hosts[0]
    name = "deploy_compose_options"
    options = {**fleet.ask(host, "ansible.builtin.debug", f"var={name}")[host][name],
               "labels": ["team=films", "bare"], "env_file": "/etc/pitch.env"}
    for each in fleet.hosts:
        machines.run(each, "printf 'DATABASE_URL=theirs\nCOLOUR=red\n' > /etc/pitch.env")
    try:
        done = fleet.play("deploy", release_name="v1", deploy_compose_options=options, **QUICK)
        assert done.rc == 0, done.output
        assert fleet.is_on("v1")
        (one,) = json.loads(machines.run(host, "docker inspect $(docker ps --quiet --filter label=team=films)"))
        assert one["Config"]["Labels"]["bare"] == ""
        found = dict(each.split("=", 1) for each in one["Config"]["Env"])
        assert found["COLOUR"] == "red"
        assert found["DATABASE_URL"] != "theirs"
        assert fleet.play("deploy", release_name="v1", deploy_compose_options=options, **QUICK).changed == 0
    finally:
        done = fleet.play("deploy", release_name="v1", **QUICK)
    assert done.rc == 0, done.output
