# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The small PostgreSQL client against the lab's server."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._client.dial import DialError, TlsOptions
from ansible_collections.evenkeel.fleet.plugins.module_utils._client.postgres import PostgresClient, PostgresError
from ansible_collections.evenkeel.fleet.plugins.module_utils._wire.postgres import ProtocolError


@pytest.fixture
def session(lab):
    """Return a function that opens a session as the application's user."""

    def opened(**changes):
        account = {"user": "pitch", "password": lab.postgres_password, "database": "pitch"}
        return PostgresClient(host=lab.addresses["db1"], **{**account, **changes})

    return opened


def test_asks_and_gets_text_and_null(session):
    with session() as client:
        assert client.query("SELECT 1 AS a; SELECT 'é' AS b, NULL AS c") == [{"b": "é", "c": None}]
        assert client.query("") == []
        assert int(client.parameters["server_version"].split(".")[0]) >= 13


def test_an_error_leaves_the_session_usable(session):
    with session() as client:
        with pytest.raises(PostgresError, match="none_such") as caught:
            client.query("SELECT * FROM none_such")
        assert caught.value.code == "42P01"
        assert client.query("SELECT 2 AS a") == [{"a": "2"}]


def test_a_read_cannot_write(session):
    with session() as client, pytest.raises(PostgresError, match="read-only"):
        client.read("CREATE TABLE probe_was_here (a int)")


def test_a_slow_query_ends_in_time_and_on_the_server_too(session):
    with pytest.raises((PostgresError, DialError)), session(timeout_s=0.5) as client:
        client.read("SELECT pg_sleep(30), 'slow probe'")
    with session() as client:
        running = "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE '%slow probe%' AND state = 'active'"
        client.query("SELECT pg_sleep(0.5)")
        assert client.query(f"{running} AND pid <> pg_backend_pid()") == [{"n": "0"}]


def test_the_limit_is_that_of_the_whole_session(session):
    with session(timeout_s=1.0) as client:
        client.read("SELECT pg_sleep(0.6)")
        with pytest.raises((PostgresError, DialError)):
            client.read("SELECT pg_sleep(0.6)")


def test_a_large_result_arrives_whole(session):
    with session() as client:
        rows = client.query("SELECT i, repeat('x', 100) AS text FROM generate_series(1, 20000) AS i")
    assert len(rows) == 20000
    assert rows[-1] == {"i": "20000", "text": "x" * 100}


@pytest.mark.parametrize("changes", [{"password": "wrong"}, {"user": "nobody"}, {"database": "none"}])
def test_a_refused_login_says_why_and_shows_no_password(session, lab, changes):
    with pytest.raises(PostgresError) as caught, session(**changes):
        pass
    assert caught.value.code in ("28P01", "28000", "3D000")
    assert caught.value.remedy
    assert lab.postgres_password not in str(caught.value)


def test_tls_is_verified_unless_told_otherwise(session):
    with session(tls=TlsOptions(verify=False)) as client:
        assert client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == [{"ssl": "t"}]
    with pytest.raises(DialError, match="certificate") as caught, session(tls=TlsOptions()):
        pass
    assert caught.value.kind == "tls"


def test_a_port_of_something_else_is_said_plainly(session):
    with pytest.raises(ProtocolError, match=r"SSH-2\.0"), session(port=22):
        pass
