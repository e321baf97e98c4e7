# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One instance on this host: reload it, restart it or end it, and measure what that takes and whom it cuts off."""

from __future__ import annotations

import os
import time
from typing import Any, Callable, Mapping, Sequence

from .._core.clock import Deadline
from .._core.errors import FleetError
from .._health.runner import decide, observe
from .._runtime.instance import Instance, State
from .need import MAIN, WORKERS
from .sockets import Connections, processes_of

_POLL_S = 0.05
_GONE_S = 10.0  # for the kernel to take away what was killed


class Operation:
    """What can be done with one instance; ``report`` holds the numbers, also of what failed.

    :arg checks: health checks; it is healthy when it is up and they all pass.
    :arg consecutive: how many times in a row, ``interval_s`` seconds apart, after a start or a reload.
    """

    def __init__(self, instance: Instance, checks: Sequence[Mapping[str, Any]], consecutive: int, interval_s: float,
                 sleep: Callable[[float], None] = time.sleep) -> None:
        self._instance = instance
        self._checks = checks
        self._consecutive = consecutive
        self._interval_s = interval_s
        self._sleep = sleep
        self.label = instance.label
        self.report: dict[str, Any] = {}

    def sick(self, state: State) -> list[str]:
        """Return why the instance is not healthy now; empty when it is."""
        return self._judge(state, consecutive=1, deadline_s=0.0)

    def reload(self, signal: str | None, renews: str, deadline_s: float) -> None:
        """Reload, and see that it came to what it should.

        :raises FleetError: when the instance is not healthy afterwards, ended, or did not renew its processes in time.
        """
        self._instance.refresh()
        before = self._instance.state()
        processes = set(processes_of(before.pid))
        deadline = Deadline(deadline_s)
        if signal:
            self._instance.signal(signal)
        else:
            self._instance.reload()
        while not self._renewed(before, processes, renews):
            if deadline.expired:
                raise FleetError(
                    f"{self.label}: expected {_NEW[renews]} within {deadline_s:g} s of the reload, found none.",
                    "It goes on as before. See its log for what it made of the reload, or correct renews.")
            self._sleep(_POLL_S)
        self._wait_healthy(deadline, "the reload")
        self._renewed(before, processes, renews)  # it may have ended since: signals take a moment
        self.report["reload_ms"] = _milliseconds(deadline)

    def restart(self, quiet_s: float, stop_deadline_s: float, start_deadline_s: float) -> None:
        """Stop, start and wait for health; what listens for it goes on listening.

        :raises FleetError: when it does not end, fails to start or does not get healthy in time.
        """
        self._instance.refresh()
        if self._instance.state().alive:
            self.stop(quiet_s, stop_deadline_s, sockets=False)
        deadline = Deadline(start_deadline_s)
        self._instance.start()
        while True:
            state = self._instance.state()
            sick = self.sick(state)
            if not sick:
                break
            if state.failed or deadline.expired:
                raise FleetError(
                    f"{self.label}: expected it healthy within {start_deadline_s:g} s of its start, found: "
                    f"{'; '.join(sick)}.", "Read its log; raise start_deadline_s if it only starts slowly.")
            self._sleep(_POLL_S)
        self.report["startup_ms"] = _milliseconds(deadline)
        self._wait_healthy(deadline, "its start")

    def stop(self, quiet_s: float, stop_deadline_s: float, sockets: bool) -> None:
        """End it: wait until its connections are done, ask it to end, and kill it when the deadline has passed.

        What the runtime kills before that is counted like what is killed here.

        :arg quiet_s: longest wait for its connections before it is asked to end.
        :arg sockets: also stop what listens for it.
        :raises FleetError: when it is still there after it was killed.
        """
        before = self._instance.state()
        connections = Connections(before.pid)
        report: dict[str, Any] = {"open": connections.count(), "ports": sorted(connections.ports)}
        self.report["connections"] = report
        report.update(at_stop=report["open"], cut_off=0)
        quiet = Deadline(quiet_s)
        while report["at_stop"] and not quiet.expired:
            self._sleep(_POLL_S)
            report["at_stop"] = connections.count()
        report["waited_ms"] = _milliseconds(quiet)
        clock = Deadline(stop_deadline_s)
        self.report["killed"] = False
        left = report["at_stop"]
        self._instance.stop(stop_deadline_s, sockets)
        while self._is_there(before):
            left = connections.count(gone=left)
            if clock.expired and not self.report["killed"]:
                report["cut_off"] = connections.count()
                self.report["killed"] = True
                self._instance.kill()
            if clock.elapsed_s > stop_deadline_s + _GONE_S:
                raise FleetError(
                    f"{self.label}: expected it to be gone {_GONE_S:g} s after SIGKILL, found it "
                    f"{self._instance.state().status}.", "Look for a process that waits for a disk.")
            self._sleep(_POLL_S)
        self.report["stop_ms"] = _milliseconds(clock)
        if self._instance.state().killed and not self.report["killed"]:
            report["cut_off"] = left
            self.report["killed"] = True

    def _is_there(self, before: State) -> bool:
        now = self._instance.state()
        return now.alive and now.generation == before.generation

    def _renewed(self, before: State, processes: set[int], renews: str) -> bool:
        now = self._instance.state()
        if not now.up or now.generation != before.generation or (renews != MAIN and now.pid != before.pid):
            raise FleetError(
                f"{self.label}: expected it to go on after the reload, found it {now.status} with main process "
                f"{now.pid} instead of {before.pid}.", "Read its log; it may not handle that signal.")
        if renews == MAIN:
            return now.pid not in (0, before.pid) and not os.path.exists(f"/proc/{before.pid}")
        return renews != WORKERS or bool(set(processes_of(now.pid)) - processes)

    def _wait_healthy(self, deadline: Deadline, event: str) -> None:
        state = self._instance.state()
        enough_s = self._consecutive * self._interval_s
        sick = self._judge(state, self._consecutive, max(deadline.remaining_s, enough_s))
        if sick:
            raise FleetError(
                f"{self.label}: expected it to be healthy {self._consecutive} times in a row after {event}, "
                f"found: {'; '.join(sick)}.", "Read its log.")

    def _judge(self, state: State, consecutive: int, deadline_s: float) -> list[str]:
        if not state.up:
            return [f"it is {state.status}"]
        if not self._checks:
            return []
        components = observe(self._checks, consecutive, deadline_s, self._interval_s)
        if decide(components)[0] != "fail":
            return []
        return [f"{name}: {found['output']}" for name, found in components.items() if found["status"] == "fail"]


_NEW = {WORKERS: "new processes beside the main one", MAIN: "another main process in place of the old one"}


def _milliseconds(clock: Deadline) -> float:
    return round(clock.elapsed_s * 1000, 1)
