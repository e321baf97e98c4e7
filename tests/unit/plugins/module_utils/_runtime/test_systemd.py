# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.systemctl import parse_properties
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.systemd import Unit, state_of

# What systemctl show of systemd 252 prints: Docker, which a socket triggers, and a unit that has failed.
DOCKER = """\
MainPID=61
ExecMainStartTimestampMonotonic=38495885344
TriggeredBy=docker.socket
LoadState=loaded
ActiveState=active
SubState=running
CanReload=yes
NeedDaemonReload=no
InvocationID=a70787aaef6e4e6c81062be8277cf058
Result=success
"""
FAILED = """\
MainPID=0
ExecMainStartTimestampMonotonic=38495885344
LoadState=loaded
ActiveState=failed
SubState=failed
CanReload=no
NeedDaemonReload=yes
InvocationID=
Result=exit-code
"""


def test_a_unit_that_runs():
    state = state_of(parse_properties(DOCKER), ["docker.socket"], booted_s=1000.0)
    assert (state.status, state.up, state.alive, state.failed) == ("active (running)", True, True, False)
    assert (state.pid, state.started_s) == (61, 1000.0 + 38495.885344)
    assert (state.can_reload, state.definition_changed, state.sockets) == (True, False, ("docker.socket",))


def test_a_unit_that_failed_has_no_process():
    state = state_of(parse_properties(FAILED), [], booted_s=1000.0)
    assert (state.status, state.up, state.alive, state.failed) == ("failed (failed)", False, False, True)
    assert (state.pid, state.started_s, state.generation, state.definition_changed) == (0, 0.0, "", True)


@pytest.mark.parametrize(("status", "up", "alive"), [
    ("active", True, True), ("reloading", True, True), ("activating", False, True), ("deactivating", False, True),
    ("inactive", False, False)])
def test_states(status, up, alive):
    state = state_of({**parse_properties(DOCKER), "ActiveState": status}, [], 0.0)
    assert (state.up, state.alive, state.failed) == (up, alive, False)


@pytest.mark.parametrize(("result", "killed"), [("timeout", True), ("signal", False), ("success", False)])
def test_systemd_killed_what_did_not_end_in_its_time(result, killed):
    found = {**parse_properties(FAILED), "Result": result}
    assert state_of(found, [], 0.0).killed == killed
    assert not state_of({**found, "ActiveState": "deactivating"}, [], 0.0).killed


def test_a_value_may_hold_an_equals_sign():
    assert parse_properties("Environment=A=b\n\nId=x") == {"Environment": "A=b", "Id": "x"}


def test_a_unit_needs_no_suffix():
    assert (Unit("shop").name, Unit("shop.service").name) == ("shop.service", "shop.service")
