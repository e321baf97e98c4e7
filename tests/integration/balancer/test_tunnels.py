# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WebSockets through a real HAProxy have a drain deadline of their own, and so have all other sessions."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.evenkeel.fleet.tests.integration.balancer.harness import Balancer, Shop, until
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

#: Longer than any test takes: whoever waits for that has waited for the wrong one.
LONG_S = 30.0


class Chat:
    """A server with WebSockets that echo, and with answers to ``/slow`` that come when they are released."""

    def __init__(self) -> None:
        self.release_slow = threading.Event()
        self._server = serve(self._echo, "127.0.0.1", 0, process_request=self._answer)
        self.port = self._server.socket.getsockname()[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @staticmethod
    def _echo(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    def _answer(self, connection: ServerConnection, request: Any) -> Any:
        if request.path != "/slow":
            return None
        self.release_slow.wait(LONG_S)
        return connection.respond(200, "")

    def stop(self) -> None:
        self.release_slow.set()
        self._server.shutdown()


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Balancer]:
    """HAProxy with the chat as blue, in traffic."""
    shops: dict[str, Any] = {"blue": Chat(), "green": Shop()}
    balancer = Balancer(tmp_path, shops)
    balancer.start()
    balancer.switch({"name": "blue", "state": "ready"})
    yield balancer
    balancer.stop()
    for shop in shops.values():
        shop.stop()


@contextlib.contextmanager
def websocket(chat: Balancer) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{chat.port}/ws") as client:
        assert echoes(client)
        yield client


@contextlib.contextmanager
def slow_request(chat: Balancer) -> Iterator[Future[int]]:
    before = chat.read()["blue"]["sessions"]
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(chat.get, "/slow")
        until(lambda: chat.read()["blue"]["sessions"] == before + 1)
        try:
            yield answer
        finally:
            chat.shops["blue"].release_slow.set()


@contextlib.contextmanager
def draining(chat: Balancer, **deadlines: float) -> Iterator[Future[dict[str, Any]]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(chat.switch, {"name": "blue", "state": "maint"}, **deadlines)


def drain(chat: Balancer, **deadlines: float) -> dict[str, Any]:
    with draining(chat, **deadlines) as done:
        return done.result()


def echoes(client: ClientConnection) -> bool:
    client.send("hello")
    return client.recv(5) == "hello"


def test_a_websocket_outlives_the_ordinary_deadline_and_ends_by_itself(chat: Balancer) -> None:
    with websocket(chat) as client, draining(chat, drain_deadline_s=0.3, tunnel_drain_deadline_s=LONG_S) as done:
        until(lambda: chat.states()["blue"] == "drain")
        time.sleep(1)
        assert not done.done()
        assert chat.states()["blue"] == "drain"
        assert echoes(client)
        client.close()
        result = done.result()
    assert result["remained"] == {}
    assert chat.states()["blue"] == "maint"
    assert 1 < result["duration_s"] < LONG_S / 2


def test_a_websocket_that_stays_is_given_up_at_its_own_deadline(chat: Balancer) -> None:
    with websocket(chat):
        result = drain(chat, drain_deadline_s=0.2, tunnel_drain_deadline_s=1)
    assert result["remained"] == {"blue": {"tunnels": 1, "others": 0}}
    assert chat.states()["blue"] == "maint"
    assert 1 <= result["duration_s"] < LONG_S / 2


def test_nobody_waits_longer_for_websockets_when_their_deadline_is_the_shorter_one(chat: Balancer) -> None:
    with websocket(chat), websocket(chat):
        result = drain(chat, drain_deadline_s=LONG_S, tunnel_drain_deadline_s=0.3)
    assert result["remained"] == {"blue": {"tunnels": 2, "others": 0}}
    assert result["duration_s"] < LONG_S / 2


def test_a_slow_request_has_the_ordinary_deadline_only(chat: Balancer) -> None:
    with slow_request(chat):
        result = drain(chat, drain_deadline_s=0.5, tunnel_drain_deadline_s=LONG_S)
    assert result["remained"] == {"blue": {"tunnels": 0, "others": 1}}
    assert 0.5 <= result["duration_s"] < LONG_S / 2


def test_a_request_that_is_given_up_does_not_keep_those_who_wait_for_a_websocket(chat: Balancer) -> None:
    with slow_request(chat), websocket(chat) as client:
        with draining(chat, drain_deadline_s=0.3, tunnel_drain_deadline_s=LONG_S) as done:
            time.sleep(1)
            assert not done.done()
            client.close()
        assert done.result()["remained"] == {"blue": {"tunnels": 0, "others": 1}}


def test_a_websocket_that_is_given_up_does_not_keep_those_who_wait_for_a_request(chat: Balancer) -> None:
    with slow_request(chat) as answer, websocket(chat) as client:
        with draining(chat, drain_deadline_s=LONG_S, tunnel_drain_deadline_s=0.3) as done:
            time.sleep(1)
            assert not done.done()
            chat.shops["blue"].release_slow.set()
        assert done.result()["remained"] == {"blue": {"tunnels": 1, "others": 0}}
        assert answer.result() == 200
        assert echoes(client), "it goes on in maint"


def test_without_a_deadline_of_its_own_a_websocket_has_that_of_all(chat: Balancer) -> None:
    with websocket(chat):
        result = drain(chat, drain_deadline_s=1)
    assert result["remained"] == {"blue": {"tunnels": 1, "others": 0}}
    assert 1 <= result["duration_s"] < LONG_S / 2


def test_where_nobody_is_left_nobody_waits(chat: Balancer) -> None:
    with websocket(chat):
        pass
    until(lambda: chat.read()["blue"]["sessions"] == 0)
    result = drain(chat, drain_deadline_s=LONG_S, tunnel_drain_deadline_s=LONG_S)
    assert result["remained"] == {}
    assert result["duration_s"] < LONG_S / 2
