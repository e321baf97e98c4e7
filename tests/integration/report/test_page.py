# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page as a person gets it: written by the playbook, opened from disk in a real browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.parts import write_part
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.redaction import clean
from ansible_collections.evenkeel.fleet.tests.integration.browser import browse, look
from ansible_collections.evenkeel.fleet.tests.integration.report import example

REPOSITORY = Path(__file__).parents[3]

def playbook(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the shipped playbook from another directory than the repository's."""
    environment = {**os.environ, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"), "PWD": str(directory)}
    command = [
        str(Path(sys.executable).parent / "ansible-playbook"),
        str(REPOSITORY / "playbooks/report.yml"),
        *options,
    ]
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The run's directory and what the playbook said."""
    directory = tmp_path_factory.mktemp("elsewhere")
    for part in example.run():
        write_part(str(directory / "reports"), "run1", clean(part))
    result = playbook(directory)
    assert result.returncode == 0, result.stdout + result.stderr
    return directory / "reports" / "run1", result.stdout


def test_the_playbook_says_what_came_of_the_run_and_where_the_page_is(drawn: tuple[Path, str]) -> None:
    directory, said = drawn
    assert f"Report: {directory / 'report.html'}" in said
    assert "Rollout of pitch to bad-late" in said
    assert "changed=0" in said
    assert json.loads((directory / "report.json").read_text(encoding="utf-8"))["verdict"] == "fail"


@pytest.mark.parametrize(
    "options",
    [["--window-size=1280,900"], ["--window-size=500,900"], ["--blink-settings=preferredColorScheme=0"]],
    ids=["wide", "narrow", "dark"],
)
def test_every_chart_is_drawn_without_an_error(drawn: tuple[Path, str], tmp_path: Path, options: list[str]) -> None:
    seen, dom = look(drawn[0] / "report.html", tmp_path, *options)
    assert seen == {"wrong": [], "empty": [], "wide": 0}
    assert 'data-charts="12"' in dom  # 2 of the comparison, 6 curves, 2 for each of 2 rollouts


def test_the_page_keeps_its_own_content_security_policy(drawn: tuple[Path, str], tmp_path: Path) -> None:
    """The policy forbids every request; the browser writes each one that was tried to the console."""
    result = browse(drawn[0] / "report.html", tmp_path / "profile")
    assert 'data-charts="12"' in result.stdout
    assert [line for line in result.stderr.splitlines() if "CONSOLE" in line] == []


def test_hostile_texts_do_not_run(tmp_path: Path) -> None:
    attack = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    part = example.rollout(1, attack, {3: 1}, bad=True)
    write_part(str(tmp_path / "reports"), "run1", {**part, "title": attack, "reasons": [attack]})
    assert playbook(tmp_path).returncode == 0
    result = browse(tmp_path / "reports/run1/report.html", tmp_path / "profile")
    assert re.search(r"<title>(.*?)</title>", result.stdout).group(1) == "Fleet report run1: fail"  # type: ignore[union-attr]
    assert "<img" not in result.stdout


def test_without_any_part_the_playbook_says_what_to_do(tmp_path: Path) -> None:
    result = playbook(tmp_path)
    assert result.returncode != 0
    assert f"expected a run with parts below {tmp_path}/reports, found none. Run a playbook" in result.stdout.replace(
        "\n", " "
    )


def test_check_mode_draws_nothing(tmp_path: Path) -> None:
    result = playbook(tmp_path, "--check")
    assert result.returncode == 0, result.stdout
    assert not (tmp_path / "reports").exists()
