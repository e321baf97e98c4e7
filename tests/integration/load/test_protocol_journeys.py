# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Journeys over Redis, PostgreSQL and WebSocket: what one step captures the next one sends, and the server has it."""

from __future__ import annotations

import psycopg
import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._client.redis import RedisClient
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.probe import probe

from . import servers
from .servers import PASSWORD

FEEDERS = [{"name": "title", "values": ["Dune", "it's 100 %", "a b\nc", "\N{SNOWMAN}"]}]


def visit(target, *steps, **options):
    """Probe a target with one journey; return the result and how many journeys there were."""
    result = probe(**{"target": target, "vus": 3, "duration_s": 0.6, "timeout_s": 2, "feeders": FEEDERS,
                      "scenarios": [{"name": "visit", "steps": list(steps)}], **options})
    return result, result["samples"]["journeys"]["visit"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    with servers.redis(tmp_path_factory.mktemp("redis")) as (port, _path):
        yield port


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    with servers.postgres(servers.Authority(tmp_path_factory.mktemp("authority"))) as (port, _path):
        yield port


@pytest.fixture
def sockets():
    server = servers.WebSocketServer()
    yield server
    server.close()


@pytest.mark.parametrize("options", [{}, {"reuse": False}, {"processes": 2},
                                     {"executor": "constant_arrival_rate", "rate_rps": 40, "vus": 20}],
                         ids=["closed", "no-reuse", "2-processes", "open"])
def test_redis(cache, options):
    with RedisClient(port=cache, password=PASSWORD) as client:
        client.call("FLUSHALL")
        result, journeys = visit(
            f"redis://127.0.0.1:{cache}", {"command": "INCR orders", "capture": {"id": {"regex": "[0-9]+"}}},
            {"command": "SET order:${id} ${title}"},
            {"command": ["GET", "order:${id}"], "capture": {"stored": {"regex": "(?s).+"}}},
            {"command": ["HSET", "stored", "${id}", "${stored}"]}, password=PASSWORD, **options)
        assert result["samples"]["errors"] == {}
        assert journeys["completed"] > 10
        stored = client.call("HGETALL", "stored")
        assert client.call("GET", "orders") == str(journeys["begun"])
    titles = list(dict(zip(stored[::2], stored[1::2])).values()) if isinstance(stored, list) else list(stored.values())
    assert len(titles) == journeys["completed"]
    assert set(titles) == set(FEEDERS[0]["values"])


def test_an_error_of_redis_fails_the_journey(cache):
    result, journeys = visit(
        f"redis://127.0.0.1:{cache}", {"command": "SET word abc"}, {"name": "add", "command": "INCR word"},
        {"name": "never", "command": "PING"}, password=PASSWORD, duration_s=0.3)
    assert journeys["skipped"] == {"never": journeys["failed"]} == {"never": result["samples"]["errors"]["status"]}
    example = result["samples"]["error_examples"][0]
    assert (example["step"], example["request"]) == ("add", "INCR word")
    assert example["detail"].startswith("ERR value is not an integer")


@pytest.mark.parametrize("prepared", [False, True], ids=["parsed-each-time", "prepared"])
@pytest.mark.parametrize("options", [{}, {"reuse": False}], ids=["kept", "no-reuse"])
def test_postgres(database, prepared, options):
    with psycopg.connect(f"host=127.0.0.1 port={database} user=app password={PASSWORD} dbname=postgres",
                         autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS film")
        connection.execute("CREATE TABLE film (id serial PRIMARY KEY, title text NOT NULL, seen bool DEFAULT false)")
        result, journeys = visit(
            f"pg://app@127.0.0.1:{database}/postgres",
            {"name": "add", "query": "INSERT INTO film (title) VALUES ($1) RETURNING id", "parameters": ["${title}"],
             "prepared": prepared, "capture": {"id": {"json": "/0/id"}}},
            {"name": "see", "query": "UPDATE film SET seen = true WHERE id = $1 RETURNING title",
             "parameters": ["${id}"], "prepared": prepared, "capture": {"stored": {"json": "/0/title"}}},
            {"name": "look", "query": "SELECT (title = $1)::text AS same FROM film WHERE id = $2::int AND seen",
             "parameters": ["${stored}", "${id}"], "prepared": prepared, "checks": {"pointers": {"/0/same": "true"}}},
            password=PASSWORD, **options)
        assert result["samples"]["errors"] == {}
        assert journeys["completed"] >= 5
        added, seen, titles = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE seen), array_agg(DISTINCT title) FROM film").fetchone()
    assert (added, seen) == (journeys["begun"], result["steps"]["visit/see"]["requests"])
    assert set(titles) <= set(FEEDERS[0]["values"])


def test_an_error_of_postgres_fails_the_journey_and_the_next_one_begins(database):
    result, journeys = visit(
        f"pg://app@127.0.0.1:{database}/postgres",
        {"query": "SELECT 0 AS none", "capture": {"none": {"json": "/0/none"}}},
        {"name": "divide", "query": "SELECT 1 / $1::int", "parameters": ["${none}"]},
        {"name": "never", "query": "SELECT 1"}, password=PASSWORD, duration_s=0.3)
    assert journeys["failed"] == result["samples"]["errors"]["status"] == journeys["skipped"]["never"] > 2
    assert "22012" in result["samples"]["error_examples"][0]["detail"]


@pytest.mark.parametrize("path", ["/echo", "/ping"])
def test_websocket(sockets, path):
    result, journeys = visit(
        f"ws://127.0.0.1:{sockets.port}{path}",
        {"text": {"title": "${title}", "user": "${vu}"},
         "capture": {"said": {"json": "/title"}, "user": {"json": "/user"}}},
        {"text": {"again": "${said}", "user": "${user}"}, "checks": {"contains": '"again"'}})
    assert result["samples"]["errors"] == {}
    assert journeys["completed"] > 10
    assert sockets.sessions == 3


def test_a_websocket_that_the_server_closes_fails_the_journey(sockets):
    result, journeys = visit(
        f"ws://127.0.0.1:{sockets.port}/leave", {"text": "1"}, {"text": "2"}, {"name": "last", "text": "3"},
        {"name": "never", "text": "4"}, duration_s=0.4)
    assert journeys["completed"] == 0
    assert journeys["failed"] == result["samples"]["errors"]["status"] == journeys["skipped"]["never"] > 2
    assert result["samples"]["error_examples"][0]["detail"] == "the server closed the session: 1001 going away"
