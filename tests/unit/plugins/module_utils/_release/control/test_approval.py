# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A question on disk: one answer, in time, for what is asked and nothing else."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.control.approval import Approval, answer, wait
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.control.stop import StopFlag


def ask(directory, run="r1", gate="go on", timeout_s=10.0, longest_s=5.0):
    return wait("shop", run, gate, "may it?", timeout_s, longest_s, str(directory))


def reply(directory, how="approve", by="alice", reason="", run="", gate=""):
    return answer("shop", how, by, reason, run, gate, str(directory))


def later(function, *arguments, **options):
    """Do it as soon as somebody has asked."""
    def run():
        time.sleep(0.3)
        function(*arguments, **options)
    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize(("how", "verdict", "reasons"), [
    ("approve", "pass", []), ("refuse", "fail", ["refused by alice: orders fell"])])
def test_an_answer_ends_the_waiting(tmp_path, how, verdict, reasons):
    thread = later(reply, tmp_path, how, reason="orders fell")
    found = ask(tmp_path)
    thread.join()
    assert (found["verdict"], found["reasons"], found["pending"]) == (verdict, reasons, False)
    assert found["duration_s"] < 3


def test_a_part_of_the_waiting_leaves_the_question_open_and_the_next_part_goes_on(tmp_path):
    first = ask(tmp_path, longest_s=0.1)
    assert (first["verdict"], first["pending"]) == ("inconclusive", True)
    assert reply(tmp_path)["changed"] is True
    assert reply(tmp_path)["changed"] is False
    second = ask(tmp_path, longest_s=0.1)
    assert (second["verdict"], second["metrics"]) == ("pass", {"approved_by": "alice"})
    assert second["started_at"] == first["started_at"]


def test_nobody_is_not_a_pass(tmp_path):
    found = ask(tmp_path, timeout_s=0.2)
    assert (found["verdict"], found["reasons"], found["pending"]) == (
        "inconclusive", ["nobody answered within 0.2 s"], False)
    with pytest.raises(FleetError, match="expected a question, found none"):
        reply(tmp_path)


def test_the_answer_to_one_question_is_none_to_the_next(tmp_path):
    ask(tmp_path, longest_s=0.1)
    reply(tmp_path)
    assert ask(tmp_path, gate="go on, wave 2", longest_s=0.1)["verdict"] == "inconclusive"
    assert ask(tmp_path, run="r2", longest_s=0.1)["verdict"] == "inconclusive"


@pytest.mark.parametrize("wanted", [{"run": "r2"}, {"gate": "another"}])
def test_an_answer_to_what_is_not_asked_is_refused(tmp_path, wanted):
    ask(tmp_path, longest_s=0.1)
    with pytest.raises(FleetError, match="found gate go on of run r1"):
        reply(tmp_path, **wanted)
    assert Approval("shop", str(tmp_path)).read()["answer"] == ""


def test_an_answer_that_was_heard_holds_for_its_run_and_for_nobody_else(tmp_path):
    ask(tmp_path, longest_s=0.1)
    reply(tmp_path)
    assert [ask(tmp_path)["verdict"], ask(tmp_path)["verdict"]] == ["pass", "pass"]
    with pytest.raises(FleetError, match="expected a question, found none"):
        reply(tmp_path)


def test_the_first_answer_counts(tmp_path):
    ask(tmp_path, longest_s=0.1)
    reply(tmp_path)
    with pytest.raises(FleetError, match="alice has answered already: approve"):
        reply(tmp_path, "refuse", by="bob")


def test_a_stop_flag_is_an_answer_too(tmp_path):
    thread = later(StopFlag("shop", str(tmp_path)).set, "any", "bob", "television", 60)
    found = ask(tmp_path)
    thread.join()
    assert (found["verdict"], found["reasons"]) == ("fail", ["stopped by bob: television"])


def test_check_mode_asks_nobody(tmp_path):
    assert wait("shop", "r", "g", "", 1, 1, str(tmp_path), check_mode=True)["verdict"] == "inconclusive"
    assert Approval("shop", str(tmp_path)).read() == {}
