# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECK
from ansible_collections.evenkeel.fleet.plugins.module_utils._restart import tasks
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.instance import State


class ThisProcess:
    """An instance that is up as long as this test is."""

    label = "shop.service"

    def state(self):
        return State("active (running)", True, True, False, os.getpid(), "1", 1.0)


def command(name, *argv, **changes):
    return {**{key: one.get("default") for key, one in CHECK.items()},
            "name": name, "type": "command", "argv": list(argv), **changes}


@pytest.mark.parametrize(("read_only", "left_out", "healthy"), [(False, ["smoke"], True), (True, [], False)])
def test_a_look_says_what_it_did_not_ask(monkeypatch, tmp_path, read_only, left_out, healthy):
    monkeypatch.setattr(tasks, "find", lambda *dummy: (ThisProcess(), "", 1))
    looked = tasks.restart(
        service="shop", runtime="systemd", name=None, action="restart", method="auto", only_if="always",
        reload_signal=None, renews="none", programs=[], files=[],
        checks=[command("alive", "true", read_only=True), command("smoke", "false", read_only=read_only)],
        consecutive=1, interval_s=0.1, quiet_s=0.0, stop_deadline_s=1.0, start_deadline_s=1.0, run="any",
        directory=str(tmp_path), home=None, replica=1, check_mode=True, stamps=str(tmp_path))
    assert (looked["left_out"], looked["healthy"]) == (left_out, healthy)
