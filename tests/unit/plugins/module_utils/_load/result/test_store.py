# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store of results: private, whole, and honest about who is still running."""

from __future__ import annotations

import os
import signal
import stat
import time

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.store import Store, describe


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "probes"))


def test_a_result_is_kept_and_only_its_owner_reads_it(store):
    with store.running("nightly"):
        store.write_status("nightly", {"state": "running", "requests": 3})
        store.write_result("nightly", {"verdict": "pass"})
    assert store.read_result("nightly") == {"verdict": "pass"}
    assert store.names() == ["nightly"]
    files = os.listdir(store.directory)
    assert sorted(files) == ["nightly.json", "nightly.lock", "nightly.status.json"]
    assert {stat.S_IMODE(os.stat(os.path.join(store.directory, name)).st_mode) for name in files} == {0o600}
    assert stat.S_IMODE(os.stat(store.directory).st_mode) == 0o700


def test_two_probes_of_one_name_do_not_run_at_once(store):
    with store.running("a"):
        assert store.is_running("a")
        with store.running("b"), pytest.raises(FleetError, match="the probe a is still running"), store.running("a"):
            pass
    assert not store.is_running("a")
    with store.running("a"):
        pass


def test_who_is_killed_is_lost_and_nothing_of_its_result_is_there(store):
    ready, told = os.pipe()
    child = os.fork()
    if not child:
        with store.running("a"):
            store.write_status("a", {"state": "running", "requests": 7})
            os.write(told, b"x")
            time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    assert describe(directory=store.directory)["probes"][0]["state"] == "running"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found = describe(directory=store.directory, name="a")["probes"][0]
    assert (found["state"], found["requests"]) == ("lost", 7)
    with pytest.raises(FleetError, match="expected a result"):
        describe(directory=store.directory, name="a", result=True)


def test_what_is_not_there_is_said(store):
    assert describe(directory=store.directory) == {"changed": False, "probes": []}
    with pytest.raises(FleetError, match=r"none with the name nightly\. Call load_probe with result_name"):
        store.read_status("nightly")
    with store.running("other"), pytest.raises(FleetError, match="There are: other"):
        store.read_status("nightly")


@pytest.mark.parametrize("name", ["", "../etc", "a/b", ".hidden", "a b", "x" * 101, "a.json", "a.lock"])
def test_names_that_could_lead_elsewhere_are_refused(store, name):
    with pytest.raises(InputError, match="Example: nightly"), store.running(name):
        pass


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"^result_directory: "), Store(str(tmp_path / "file/probes")).running("a"):
        pass


def test_a_damaged_result_is_named(store):
    with store.running("a"):
        with open(store.path("a", "json"), "w", encoding="utf-8") as stream:
            stream.write('{"verdict": ')
        with pytest.raises(FleetError, match=r"a\.json: expected JSON"):
            store.read_result("a")
