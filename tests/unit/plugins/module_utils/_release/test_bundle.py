# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release import bundle
from hypothesis import given
from hypothesis import strategies as st

CONFIG, SECRETS = {"compose.yaml": "services: {}\n"}, {"environment": "PASSWORD=hunter2\n"}


def test_a_bundle_is_written_for_its_owner_only_and_then_left_alone(tmp_path):
    path = tmp_path / "shop" / "green"
    assert bundle.write(str(path), CONFIG, SECRETS)["changed"]
    assert path.stat().st_mode & 0o777 == 0o700
    assert sorted(os.listdir(path)) == ["compose.yaml", "environment"]
    for name, content in {**CONFIG, **SECRETS}.items():
        assert (path / name).read_text(encoding="utf-8") == content
        assert (path / name).stat().st_mode & 0o777 == 0o600
    again = bundle.write(str(path), CONFIG, SECRETS)
    assert (again["changed"], again["diff"]) == (False, [])


def test_a_wrong_mode_is_a_change(tmp_path):
    path = tmp_path / "green"
    bundle.write(str(path), CONFIG, SECRETS)
    (path / "environment").chmod(0o644)
    assert bundle.write(str(path), CONFIG, SECRETS)["changed"]
    assert (path / "environment").stat().st_mode & 0o777 == 0o600
    path.chmod(0o755)
    assert bundle.write(str(path), CONFIG, SECRETS)["changed"]
    assert path.stat().st_mode & 0o777 == 0o700


def test_check_mode_says_the_same_and_writes_nothing(tmp_path):
    path = tmp_path / "green"
    proposed = bundle.write(str(path), CONFIG, SECRETS, check_mode=True)
    assert not path.exists()
    assert proposed == bundle.write(str(path), CONFIG, SECRETS)


def test_a_diff_shows_the_configuration_and_no_secret(tmp_path):
    bundle.write(str(tmp_path / "green"), CONFIG, SECRETS)
    config, secrets = {"compose.yaml": "services: {a: {}}\n"}, {"environment": "PASSWORD=s3cret\n"}
    result = bundle.write(str(tmp_path / "green"), config, secrets)
    assert [one["after"] for one in result["diff"]] == ["services: {a: {}}\n", "(another secret)\n"]
    assert "hunter2" not in str(result)
    assert "s3cret" not in str(result)


@pytest.mark.parametrize("name", ["", ".", "..", "../passwd", "a/b", "/etc/passwd"])
def test_a_name_that_leads_elsewhere_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(InputError, match="plain file name"):
        bundle.write(str(tmp_path / "green"), CONFIG, {name: "x"})
    assert not (tmp_path / "green").exists()


def test_a_file_is_either_configuration_or_secret(tmp_path):
    with pytest.raises(InputError, match="not in config as well"):
        bundle.write(str(tmp_path / "green"), CONFIG, {"compose.yaml": "x"})


@given(st.dictionaries(st.text(min_size=1), st.binary(), min_size=1))
def test_a_digest_follows_from_names_and_contents_alone(contents):
    assert bundle.digest(contents) == bundle.digest(dict(reversed(contents.items())))
    name = next(iter(contents))
    assert bundle.digest(contents) != bundle.digest({**contents, name: contents[name] + b"x"})
