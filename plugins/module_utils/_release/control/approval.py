# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A question that a person answers: the rollout asks and waits, somebody approves or refuses, from wherever they are.

Question and answer are one file on one host, ``<directory>/<service>/approval.json``. There is one question at a time,
because the service's lock lets one run at a time ask.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any, Callable

from ..._core import files
from ..._core.clock import utc
from ..._core.errors import FleetError, InputError
from ..._core.verdict import FAIL, INCONCLUSIVE, PASS, Verdict
from ..ledger.records import DIRECTORY
from .stop import StopFlag, said, stops

APPROVE, REFUSE = ANSWERS = ("approve", "refuse")
_LOOK_S = 0.5


class Approval:
    """One service's question on this host."""

    def __init__(self, service: str, directory: str = DIRECTORY, clock: Callable[[], float] = time.time) -> None:
        self._path = os.path.join(directory, service, "approval.json")
        self._clock = clock

    def read(self) -> dict[str, Any]:
        """Return ``{run, gate, question, asked_at, expires_at, answer, by, reason}``; empty without a question."""
        content = files.read(self._path)
        return dict(json.loads(content)) if content else {}

    def ask(self, run: str, gate: str, question: str, timeout_s: float) -> dict[str, Any]:
        """Ask, unless this very question is asked already: what was answered, and the time left, stay."""
        found = self.read()
        if (found.get("run"), found.get("gate")) != (run, gate):
            now = self._clock()
            found = {"run": run, "gate": gate, "question": question, "asked_at": now, "expires_at": now + timeout_s,
                     "answer": "", "by": "", "reason": ""}
            self._write(found)
        return found

    def answer(self, answer: str, by: str, reason: str, run: str = "", gate: str = "") -> dict[str, Any]:
        """Answer the question that is asked.

        :arg run: and ``gate``: only if this is what is asked; empty for whatever is.
        :raises FleetError: when nothing, or something else, is asked, or it was answered already.
        """
        found = self.read()
        asked = bool(found) and found["expires_at"] > self._clock()
        wanted = " ".join(filter(None, (run and f"run {run}", gate and f"gate {gate}")))
        if not asked or run not in ("", found["run"]) or gate not in ("", found["gate"]):
            there = f"gate {found['gate']} of run {found['run']}" if asked else "none"
            raise FleetError(f"approve: expected a question{' of ' * bool(wanted)}{wanted}, found {there}.",
                             "The rollout prints its question when it waits; answer then.")
        if found["answer"] and found["answer"] != answer:
            raise FleetError(f"approve: {found['by']} has answered already: {found['answer']}.",
                             "To stop the rollout use the playbook stop.")
        if not found["answer"]:
            found.update(answer=answer, by=by, reason=reason)
            self._write(found)
        return found

    def close(self, question: dict[str, Any]) -> None:
        """The answer was heard: nothing is asked any more, and what was answered stays."""
        self._write({**question, "expires_at": self._clock()})

    def _write(self, question: dict[str, Any]) -> None:
        files.make_directory(os.path.dirname(self._path))
        files.replace(self._path, json.dumps(question).encode())


def wait(service: str, run: str, gate: str, question: str, timeout_s: float, longest_s: float,
         directory: str = DIRECTORY, check_mode: bool = False) -> dict[str, Any]:
    """Ask and wait for the answer, at most ``longest_s`` seconds in this call.

    :arg timeout_s: when the question expires, from its first call on; later calls go on with the same question.
    :returns: a verdict, ``pending`` (nobody answered yet and there is time left) and the ``question``. A stop flag is
        an answer too.
    """
    if not gate or timeout_s <= 0 or longest_s <= 0:
        raise InputError("gate, timeout_s, longest_s", (gate, timeout_s, longest_s),
                         "a name, and times of more than 0 seconds", "release to the shop, 3600, 60")
    if check_mode:
        return {"changed": False, "pending": False, "question": {},
                **Verdict(reasons=["check mode: nobody was asked"]).to_result()}
    approval, flag = Approval(service, directory), StopFlag(service, directory)
    asked = approval.ask(run, gate, question, timeout_s)
    end = time.monotonic() + longest_s
    while True:
        asked, now, stop = approval.read(), time.time(), flag.read()
        decided = asked["answer"] or now >= asked["expires_at"] or stops(stop, run)
        if decided or time.monotonic() >= end:
            break
        time.sleep(_LOOK_S)
    if asked["answer"]:
        approval.close(asked)
    verdict = _judge(asked, said(stop) if stops(stop, run) else "", timeout_s)
    verdict.started_at, verdict.duration_s = utc(asked["asked_at"]), round(now - asked["asked_at"], 3)
    return {"changed": False, "pending": not decided, "question": asked, **verdict.to_result()}


def _judge(question: dict[str, Any], stopped: str, timeout_s: float) -> Verdict:
    reason = f": {question['reason']}" if question["reason"] else ""
    if stopped:
        return Verdict(FAIL, [stopped])
    if question["answer"] == APPROVE:
        return Verdict(PASS, metrics={"approved_by": question["by"]})
    if question["answer"] == REFUSE:
        return Verdict(FAIL, [f"refused by {question['by']}{reason}"], metrics={"refused_by": question["by"]})
    return Verdict(INCONCLUSIVE, [f"nobody answered within {timeout_s:g} s"])


def answer(service: str, answer: str, by: str, reason: str, run: str, gate: str, directory: str = DIRECTORY,
           check_mode: bool = False) -> dict[str, Any]:
    """Answer the question; ``changed`` is whether it had no answer yet."""
    approval = Approval(service, directory)
    before = approval.read()
    if check_mode:
        return {"changed": bool(before) and not before["answer"], "question": before}
    return {"changed": not before.get("answer"), "question": approval.answer(answer, by, reason, run, gate)}
