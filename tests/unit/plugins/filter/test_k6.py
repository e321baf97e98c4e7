# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("ansible.errors", reason="needs ansible-core")

from ansible.errors import AnsibleFilterError
from ansible_collections.evenkeel.fleet.plugins.filter.k6 import k6_variables

pytestmark = pytest.mark.controller

SCRIPTS = Path(__file__).parents[1] / "module_utils" / "_load" / "k6"


def sorted_parts(said):
    """Thresholds in the order of their metrics, as k6 prints them."""
    thresholds = said["variables"].pop("load_test_thresholds", [])
    return said["variables"], sorted(thresholds), sorted(said["untranslated"]), len(said["approximations"])


@pytest.mark.parametrize("name", ["stages", "scenarios"])
def test_a_script_says_the_same_as_k6_says_of_it(name):
    script, inspected = ((SCRIPTS / f"{name}{ending}").read_text() for ending in (".js", ".json"))
    assert sorted_parts(k6_variables(script)) == sorted_parts(k6_variables(inspected))


@pytest.mark.parametrize(("script", "found"), [
    ("export default function () {}", "found none"),
    ("// export const options = {vus: 1}\n", "found none"),
    ("export const options = {\n  vus: 2 * 3,\n}", "line 2"),
    ("export const options = {stages: makeStages()}", "line 1"),
    ("export const options = {vus: `${n}`}", "line 1"),
    ("{\"vus\": }", "expected JSON"),
    ("export const options = {duration: '5x'}", "scenarios.k6.duration"),
])
def test_what_is_not_plain_data_is_refused_with_the_exact_way(script, found):
    with pytest.raises(AnsibleFilterError, match=found) as error:
        k6_variables(script)
    assert "k6 inspect" in str(error.value) or "k6.duration" in found
