# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every method on a real unit: reload by signal, handover, socket activation; and what is not what it says."""

from __future__ import annotations

import time

import pytest
from integration.restart.shops import BELL, PORT, Load, on

APP1_URL = f"http://app1:{PORT}"
CALL = {"service": "bell", "checks": BELL["health"], "files": BELL["files"], "programs": BELL["programs"]}


def main_pid():
    return on("app1", "systemctl show --value -p MainPID bell")


def text():
    return on("app1", f"curl -s http://127.0.0.1:{PORT}/")


@pytest.fixture
def bell(lab_with_bell):
    """Bell on app1 alone; the module is called as it is."""
    lab_with_bell.install("app1")
    return lambda **options: lab_with_bell.module("app1", "service_restart", **{**CALL, **options})


def test_a_reload_by_signal_keeps_the_process_and_reads_the_configuration(bell, lab_with_bell):
    before = main_pid()
    lab_with_bell.set("app1", "text=two")
    with Load(APP1_URL) as load:
        done = bell(reload_signal="SIGHUP", only_if="needed")
    assert (done["method"], done["changed"]) == ("reload", True), done
    assert done["needs"] == ["/etc/bell.conf is newer than what it has read"]
    assert (main_pid(), text()) == (before, "two")
    assert load.metrics["errors"] == 0
    again = bell(reload_signal="SIGHUP", only_if="needed")
    assert (again["changed"], again["needs"]) == (False, [])


def test_a_reload_as_the_unit_declares_it(bell, lab_with_bell):
    lab_with_bell.install("app1", more="ExecReload=/bin/kill -HUP $MAINPID")
    lab_with_bell.set("app1", "text=two")
    done = bell()
    assert (done["method"], done["why"]) == ("reload", "its unit declares ExecReload"), done
    assert text() == "two"


def test_new_code_is_not_reloaded_but_restarted(bell, lab_with_bell):
    before = main_pid()
    on("app1", "touch /opt/bell/server.py")
    done = bell(reload_signal="SIGHUP", only_if="needed")
    assert done["method"] == "restart", done
    assert done["why"] == "a reload is not enough: /opt/bell is newer than the process"
    assert done["startup_ms"] > 0
    assert main_pid() != before


def test_a_handover_brings_a_new_main_process_and_fails_no_request(bell):
    before = main_pid()
    on("app1", "touch /opt/bell/server.py")
    with Load(APP1_URL, rate_rps=200, keep_alive=False) as load:
        done = bell(reload_signal="SIGUSR2", renews="main")
    assert (done["method"], done["changed"]) == ("reload", True), done
    assert main_pid() not in (before, "0")
    assert load.metrics["errors"] == 0, load.result


def test_a_handover_that_does_not_happen_is_noticed(bell):
    before = main_pid()
    done = bell(reload_signal="SIGHUP", renews="main", start_deadline_s=1)
    assert done["failed"]
    assert "expected another main process in place of the old one within 1 s of the reload" in done["msg"]
    assert main_pid() == before


def test_a_signal_that_ends_the_process_is_noticed(bell):
    done = bell(reload_signal="SIGUSR1")
    assert done["failed"]
    assert "bell.service: expected it to go on after the reload" in done["msg"]


@pytest.mark.parametrize("keep_alive", [True, False])
def test_with_a_socket_unit_no_connection_is_refused(bell, lab_with_bell, keep_alive):
    lab_with_bell.install("app1", socket=True, settings="text=one\nboot=1.5")
    before = main_pid()
    with Load(APP1_URL, rate_rps=200, keep_alive=keep_alive) as load:
        done = bell()
        time.sleep(1)
    assert (done["method"], done["changed"]) == ("socket", True), done
    assert done["startup_ms"] >= 1400
    assert main_pid() != before
    assert load.metrics["requests"] > 500
    # A connection that is kept may be closed in the moment in which it gets a request (RFC 9112, section 9.5).
    assert set(load.result["samples"]["errors"]) <= ({"reset"} if keep_alive else set()), load.result
    assert load.metrics["errors"] <= (1 if keep_alive else 0), load.result
    assert load.metrics["max_ms"] > 1000  # they did wait


def test_the_time_to_start_is_measured_up_to_the_first_good_answer(bell, lab_with_bell):
    lab_with_bell.set("app1", "boot=2")
    done = bell(method="restart")
    assert 2000 <= done["startup_ms"] < 4000, done


def test_check_mode_looks_and_changes_nothing(bell, lab_with_bell):
    before = main_pid()
    found = lab_with_bell.look("app1", **CALL)
    assert (found["method"], found["changed"], found["healthy"]) == ("restart", True, True)
    assert found["diff"]["after"]["planned"] == "restart"
    assert main_pid() == before


@pytest.mark.parametrize(("options", "problem"), [
    ({"method": "reload"}, "method: expected a unit with ExecReload, or a reload_signal, found 'reload'"),
    ({"method": "socket"}, "method: expected an active socket unit that triggers it"),
    ({"reload_signal": "SIGNONE"}, "reload_signal: expected the name of a signal"),
    ({"service": "nothing"}, "Expected a unit nothing.service, found it not-found."),
    ({"files": ["/etc/none.conf"]}, "files: expected files that can be read"),
    ({"runtime": "container", "renews": "main"}, "renews: expected 'none' for the runtime container"),
    ({"runtime": "container", "name": "none"}, "No such container: none"),
    ({"runtime": "compose", "name": "none"}, "Expected one slot of none to be in use"),
])
def test_bad_input_is_refused_before_anything_is_changed(bell, options, problem):
    before = main_pid()
    done = bell(**options)
    assert done["failed"]
    assert problem in done["msg"], done["msg"]
    assert main_pid() == before
