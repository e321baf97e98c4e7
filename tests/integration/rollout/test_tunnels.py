# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WebSockets through the load balancer in a rollout: they go on past their deadline until their release is stopped."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest
from integration.rollout.faults import Machines, wait_until
from integration.rollout.fleet import QUICK
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = pytest.mark.faults  # whole rollouts, a minute each


class Talk:
    """A WebSocket on which somebody says something five times a second and waits for the echo, until it is closed."""

    def __init__(self, address):
        self.echoes, self.ended = 0, ""
        self._closing = contextlib.ExitStack()
        self._socket = self._closing.enter_context(connect(f"ws://{address}/ws", proxy=None))
        self.release = self._socket.response.headers["X-Release"]
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()

    def _talk(self):
        while not self.ended and not self._end.wait(0.2):
            text = f"number {self.echoes}"
            try:
                self._socket.send(text)
                if self._socket.recv(10) != text:
                    self.ended = "another text"
                self.echoes += 1
            except (ConnectionClosed, TimeoutError) as error:
                self.ended = repr(error)

    def close(self):
        self._end.set()
        self._thread.join()
        self._closing.close()


def cut_off(fleet):
    """Return how many tunnels were past their deadline, by host, as the ledgers say."""
    return {host: sum(one["tunnels"] for record in found["records"]
                      if (record["run"], record["state"]) == (found["status"]["run"], "SWITCHED")
                      for servers in record["data"].get("cut_off", {}).values() for one in servers.values())
            for host, found in fleet.ledgers().items()}


def test_websockets_go_on_until_their_release_is_stopped_and_are_counted(fleet):
    address = Machines(fleet).address
    old = fleet.ledgers()[fleet.hosts[0]]["status"]["current"]["release"]
    new = {"v1": "v2", "v2": "v1"}[old]
    with contextlib.ExitStack() as stack:
        talks = []
        for dummy in range(2 * len(fleet.hosts)):  # the load balancer gives each host its share
            talks.append(Talk(address))
            stack.callback(talks[-1].close)
        assert {one.release for one in talks} == {old}
        seen = {}

        def look():
            """Every host has switched, and all that users have is the new release: but for the tunnels."""
            before = [one.echoes for one in talks]
            time.sleep(1.5)
            seen["ended"] = [one.ended for one in talks]
            seen["echoes"] = [one.echoes - count for one, count in zip(talks, before)]

        done = fleet.play_until("Settle | Soak", look, "rollout", release_name=new, **{
            **QUICK, "rollout_watch": True, "rollout_watch_rate_rps": 100, "rollout_soak_s": 6,
            "release_drain_deadline_s": 2, "release_tunnel_drain_deadline_s": 3})
        assert done.rc == 0, done.output
        assert done.failed_requests == 0, done.output
        assert set(seen["ended"]) == {""}, seen
        assert min(seen["echoes"]) > 0, seen
        wait_until(lambda: all(one.ended for one in talks), 20, 0.1)  # the commit stopped the old release
        assert {"another text"}.isdisjoint(one.ended for one in talks)
        assert sum(cut_off(fleet).values()) == len(talks), cut_off(fleet)
        later = Talk(address)
        stack.callback(later.close)
        assert later.release == new
        wait_until(lambda: later.echoes >= 3, 10)
    assert fleet.is_on(new)
