# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emergency: everything ends within its deadline and stays down, and comes back when it is told to."""

from __future__ import annotations

import time

from integration.restart.shops import HOSTS, PORT, on


def test_a_shutdown_ends_everything_says_who_was_cut_off_and_a_restart_brings_it_back(bells):
    bells.install("app1", socket=True)
    bells.install("app2", "ignore-term")
    bells.serve()
    slow = f"for i in 1 2; do curl -s -o /dev/null 'http://app2:{PORT}/slow?60' & done; sleep 1"
    on("load1", f"({slow}) > /dev/null 2>&1")
    planned = bells.restart("--check", graceful_restart_mode="shutdown")
    assert (planned.rc, planned.changed) == (0, 0), planned.output
    assert "SHUTDOWN of 3 instances, all at once" in planned.text
    began = time.monotonic()
    done = bells.restart(graceful_restart_mode="shutdown", graceful_restart_shutdown_deadline_s=4)
    took_s = time.monotonic() - began
    assert done.rc == 0, done.output
    assert "3 of 3 instances shut down" in done.text
    assert "app2/bell: stop, ended in 2" in done.text
    assert "killed, 2 connections cut off" in done.text
    assert bells.states() == dict.fromkeys(HOSTS, "maint")
    for host in HOSTS:
        assert on(host, "systemctl is-active bell.service", strict=False) in ("inactive", "failed")
        assert not on(host, f"ss -Hltn 'sport = :{PORT}'")
    assert took_s < 40

    refused = bells.restart()
    assert refused.rc != 0
    assert "emergency shutdown" in refused.text
    assert bells.play("stop", stop_state="absent").rc == 0
    back = bells.restart(graceful_restart_return_all=True)
    assert back.rc == 0, back.output
    assert back.turns == ["app1/bell, app2/bell, app3/bell"]
    assert bells.states() == dict.fromkeys(HOSTS, "ready")
    assert on("app1", "systemctl is-active bell.socket") == "active"
