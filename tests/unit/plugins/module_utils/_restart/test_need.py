# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._restart.need import Need, changed_s, choose, find_needs
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.instance import State

RUNS = State("active (running)", up=True, alive=True, failed=False, pid=os.getpid(), generation="a", started_s=1e12)
OLD = Need("/opt/shop is newer than the process")
UNIT = Need("its unit has changed on disk", handover=False)
READ = Need("/etc/shop.conf is newer than what it has read", new_process=False)


def method(wanted="auto", state=RUNS, needs=(), reload_signal=None, renews="none"):
    return choose(wanted, state, needs, reload_signal, renews)


@pytest.mark.parametrize(("state", "needs", "reload_signal", "renews", "expected"), [
    (RUNS, [], None, "none", "restart"),
    (replace(RUNS, can_reload=True), [], None, "none", "reload"),
    (RUNS, [], "SIGHUP", "none", "reload"),
    (replace(RUNS, can_reload=True), [READ], None, "none", "reload"),
    (replace(RUNS, can_reload=True), [OLD], None, "none", "restart"),
    (replace(RUNS, can_reload=True, sockets=("shop.socket",)), [OLD], None, "none", "socket"),
    (RUNS, [OLD], "SIGUSR2", "main", "reload"),
    (RUNS, [OLD, UNIT], "SIGUSR2", "main", "restart"),
    (replace(RUNS, sockets=("shop.socket",)), [], None, "none", "socket"),
    (replace(RUNS, alive=False, can_reload=True, status="failed"), [], None, "none", "restart"),
])
def test_the_gentlest_method_that_is_enough(state, needs, reload_signal, renews, expected):
    assert method("auto", state, needs, reload_signal, renews)[0] == expected


def test_why():
    assert method(state=replace(RUNS, can_reload=True), needs=[OLD])[1] == \
        "a reload is not enough: /opt/shop is newer than the process"
    assert method(state=replace(RUNS, alive=False, status="failed (failed)"))[1] == "it does not run: failed (failed)"
    assert method("restart") == ("restart", "declared")


@pytest.mark.parametrize("wanted", ["reload", "socket"])
def test_a_method_that_is_not_there_is_refused(wanted):
    with pytest.raises(InputError, match="method"):
        method(wanted)
    if wanted == "socket":  # what is down has nobody who waits
        assert method(wanted, replace(RUNS, alive=False))[0] == "restart"


def test_needs(tmp_path):
    program, settings = tmp_path / "shop.py", tmp_path / "shop.conf"
    program.write_text("")
    settings.write_text("")
    now = time.time()
    old = replace(RUNS, started_s=now - 60)
    assert find_needs(old, now + 60, [], [str(program)], [str(settings)]) == [
        Need(f"{program} is newer than the process")]
    assert find_needs(old, now - 60, [], [], [str(settings)]) == [
        Need(f"{settings} is newer than what it has read", new_process=False)]
    assert find_needs(replace(old, started_s=now + 60), now + 60, [], [str(program)], [str(settings)]) == []
    assert find_needs(replace(old, definition_changed=True), now, ["it is failed"], [], []) == [
        Need("not healthy: it is failed"), Need("its unit has changed on disk", handover=False)]
    assert find_needs(replace(RUNS, alive=False, pid=0), 0, ["it is failed"], [str(program)], []) == [
        Need("not healthy: it is failed")]


def test_a_file_with_an_old_date_counts_from_when_it_came(tmp_path):
    path = tmp_path / "shop.py"
    path.write_text("")
    os.utime(path, (0, 0))
    assert changed_s(str(path), "programs") > time.time() - 60


def test_a_directory_is_as_new_as_its_newest_file(tmp_path):
    (tmp_path / "__pycache__").mkdir()
    before = changed_s(str(tmp_path), "programs")
    time.sleep(0.02)
    (tmp_path / "__pycache__" / "shop.pyc").write_text("")
    assert changed_s(str(tmp_path), "programs") == before
    (tmp_path / "shop.py").write_text("")
    assert changed_s(str(tmp_path), "programs") > before


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="files: expected files that can be read"):
        find_needs(RUNS, 0, [], [], ["/nowhere/shop.conf"])
