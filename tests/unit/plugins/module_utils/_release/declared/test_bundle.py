# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.declared import bundle
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


def test_a_bundle_is_copied_to_where_it_is_used(tmp_path):
    store, slot = str(tmp_path / "bundles" / "v1"), tmp_path / "green"
    written = bundle.write(store, CONFIG, SECRETS, target=str(slot), target_config={".env": "PORT=1\n"})
    assert written["digest"] == bundle.digest(bundle.contents(store))
    assert sorted(os.listdir(slot)) == [".env", "compose.yaml", "environment"]
    assert {entry.stat().st_mode & 0o777 for entry in os.scandir(slot)} == {0o600}
    again = bundle.write(store, CONFIG, SECRETS, target=str(slot), target_config={".env": "PORT=1\n"})
    assert (again["changed"], again["diff"]) == (False, [])


def test_an_earlier_bundle_is_taken_as_it_was_and_no_diff_shows_it(tmp_path):
    store, slot = str(tmp_path / "v1"), tmp_path / "green"
    digest = bundle.write(store, CONFIG, SECRETS)["digest"]
    bundle.write(str(slot), {"compose.yaml": "services: {a: {}}\n"}, {"environment": "PASSWORD=of-today\n"})
    taken = bundle.write(store, {}, {}, expected=digest, target=str(slot), target_config={".env": "PORT=1\n"})
    assert taken["changed"]
    assert bundle.contents(str(slot)) == {
        ".env": b"PORT=1\n", **{name: text.encode() for name, text in {**CONFIG, **SECRETS}.items()}}
    assert "hunter2" not in str(taken)
    assert "of-today" not in str(taken)


@pytest.mark.parametrize("damage", ["gone", "changed", "more"])
def test_a_bundle_that_is_not_what_it_was_is_not_taken(tmp_path, damage):
    store, slot = tmp_path / "v1", tmp_path / "green"
    digest = bundle.write(str(store), CONFIG, SECRETS)["digest"]
    if damage == "gone":
        (store / "compose.yaml").unlink()
        (store / "environment").unlink()
    else:
        (store / ("environment" if damage == "changed" else "another")).write_text("x", encoding="utf-8")
    with pytest.raises(FleetError, match=f"bundle .*v1: expected {digest}, found"):
        bundle.write(str(store), {}, {}, expected=digest, target=str(slot))
    assert not slot.exists()


def test_stored_names_what_is_there_and_a_write_that_was_cut_off_does_not_count(tmp_path):
    digest = bundle.write(str(tmp_path / "v1"), CONFIG, SECRETS)["digest"]
    (tmp_path / "v1" / "environment.4711.tmp").write_text("PASS", encoding="utf-8")
    assert bundle.stored(str(tmp_path)) == {"v1": digest}
    assert bundle.stored(str(tmp_path / "nothing")) == {}
