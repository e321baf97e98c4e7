# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A controller is gone only when this machine can know it."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.control import controller
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.control.controller import abandoned, identify

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can know")


def put(queue):
    queue.put(identify())


def test_a_filter_in_a_child_names_its_parent():
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=put, args=(queue,))
    child.start()
    assert queue.get(timeout=10) == identify()
    child.join()


def test_a_process_is_there_until_it_has_ended():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    pid = str(process.pid)
    lock = {"holder": "alice", "controller": {**identify(), "pid": pid, "started": controller._started(pid)}}
    assert not abandoned(lock, "alice")
    process.communicate(b"\n")
    assert abandoned(lock, "alice")
    assert not abandoned(lock, "bob")


@pytest.mark.parametrize("change", [{"boot": "another"}, {"namespace": "pid:[1]"}, {"pid": ""}])
def test_of_another_machine_nothing_is_known(change):
    gone = {**identify(), "pid": "4194303", "started": "1"}
    assert abandoned({"holder": "alice", "controller": gone}, "alice")
    assert not abandoned({"holder": "alice", "controller": {**gone, **change}}, "alice")
    assert not abandoned({"holder": "alice"}, "alice")


def test_a_number_that_another_process_has_now_is_not_the_controller():
    assert abandoned({"holder": "alice", "controller": {**identify(), "started": "1"}}, "alice")
