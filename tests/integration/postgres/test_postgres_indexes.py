# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The batch of indexes on a real PostgreSQL."""

from __future__ import annotations

import contextlib
import threading
import time

import psycopg
import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.build import BuildError
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.connection import ConnectError, SqlError
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.statements import replacement_name
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.wish import WishError

KIND = {"name": "people_kind", "table": "people", "columns": ["kind"]}
BORN = {"name": "people_born", "table": "people", "columns": ["born"]}

# Every way to write an index; each is created once and is then found unchanged.
WISHES = [
    {"columns": ["kind", "born"]},
    {"columns": [{"column": "born", "order": "desc", "nulls": "last"}, {"column": "id", "order": "asc"}]},
    {"columns": [{"column": "email", "collation": "C", "opclass": "text_pattern_ops"}]},
    {"columns": [{"column": "email", "opclass": "public.gin_trgm_ops"}], "method": "gin"},
    {"columns": ["tags"], "method": "gin", "storage": {"fastupdate": False}},
    {"columns": ["kind"], "method": "hash"},
    {"columns": ["born"], "method": "brin", "storage": {"pages_per_range": 16, "autosummarize": True}},
    {"columns": ["kind"], "storage": {"fillfactor": 70, "deduplicate_items": "off"}},
    {"columns": [{"expression": "lower(email)"}], "unique": True},
    {"columns": [{"expression": "coalesce(email, ') , \"x\"') || kind"}, "id"]},
    {"columns": [{"expression": "extract(year from born)::int"}],
     "where": "kind IN ('k1', 'k2') AND born > '2000-03-01'"},
    {"columns": ["kind"], "include": ["born", "email"], "where": "email NOT LIKE '%_x' OR tags = '{a,b}'"},
    {"columns": ["id"], "where": "born BETWEEN date '2000-01-02' AND date '2001-01-02'", "tablespace": "pg_default"},
]


@pytest.mark.parametrize("number", range(len(WISHES)))
def test_each_kind_of_index(server, number):
    wish = {"name": f"people_{number}", "table": "people", **WISHES[number]}
    before = server.indexes()
    proposal = server.apply(wish, check_mode=True)
    assert server.indexes() == before
    result = server.apply(wish)
    assert proposal["statements"] == result["statements"]
    assert (proposal["changed"], result["changed"]) == (True, True)
    assert result["indexes"][0]["action"] == "create"
    assert result["indexes"][0]["size_bytes"] > 0
    assert set(server.indexes()) - set(before) == {wish["name"]}
    for check_mode in (True, False):
        again = server.apply(wish, check_mode=check_mode)
        assert (again["changed"], again["statements"], again["diff"]["after"]) == (False, [], "")
    gone = {"name": wish["name"], "state": "absent"}
    assert server.apply(gone, check_mode=True)["statements"] == server.apply(gone)["statements"]
    assert server.indexes() == before
    assert not server.apply(gone)["changed"]


@pytest.mark.parametrize("concurrently", [True, False])
def test_a_changed_definition_is_rebuilt(server, concurrently):
    server.apply({**KIND, "comment": "why"})
    wish = {**KIND, "columns": ["kind", "born"]}
    proposal = server.apply(wish, check_mode=True, concurrently=concurrently)
    assert "(kind)" in server.indexes()["people_kind"]
    result = server.apply(wish, concurrently=concurrently)
    assert proposal["statements"] == result["statements"]
    assert result["indexes"][0]["action"] == "rebuild"
    assert "(kind)" in result["diff"]["before"]
    assert "(kind, born)" in result["diff"]["after"]
    assert set(server.indexes()) == {"people_pkey", "people_kind"}
    assert "(kind, born)" in server.indexes()["people_kind"]
    assert server.sql("SELECT obj_description('people_kind'::regclass) AS text")[0]["text"] == "why"
    assert not server.apply(wish)["changed"]


def test_readers_and_writers_go_on_during_a_rebuild(server):
    """A rebuild must not wait for, nor hold up, a transaction that only reads: no exclusive lock."""
    server.apply(KIND)
    done = threading.Event()
    failures: list[Exception] = []

    def use() -> None:
        with server.connect() as connection:
            connection.execute("SET statement_timeout = 1000")
            while not done.is_set():
                try:
                    connection.execute("UPDATE people SET born = born WHERE id = 7")
                    connection.execute("SELECT count(*) FROM people WHERE kind = 'k1'")
                except psycopg.Error as error:
                    failures.append(error)

    user = threading.Thread(target=use)
    user.start()
    try:
        server.apply({**KIND, "columns": ["kind", "born"]})
    finally:
        done.set()
        user.join()
    assert failures == []


def test_the_same_definition_under_another_name(server):
    server.sql("CREATE UNIQUE INDEX by_hand ON people (lower(email)) WHERE kind = ANY ('{k1,k2}')")
    result = server.apply({"name": "people_email", "table": "people", "unique": True,
                           "columns": [{"expression": "lower(email)"}], "where": "kind IN ('k1', 'k2')"},
                          {"name": "people_id", "table": "people", "columns": ["id"], "unique": True})
    # = ANY ('{…}') and IN (…) stay different texts for the server, the primary key is the same as a unique index
    assert [(row["action"], row["satisfied_by"]) for row in result["indexes"]] == [
        ("create", ""), ("none", "people_pkey")]
    result = server.apply({**KIND, "name": "mine", "columns": [{"expression": "LOWER ( email )"}], "unique": True,
                           "where": "kind=any('{k1,k2}')"})
    assert (result["changed"], result["indexes"][0]["satisfied_by"]) == (False, "by_hand")


def test_an_invalid_index_is_healed(server):
    server.sql("INSERT INTO people VALUES (0, 'User1@example.org')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        server.sql("CREATE UNIQUE INDEX CONCURRENTLY people_email ON people (email)")
    assert server.indexes()["people_email"] == "INVALID"
    server.sql("DELETE FROM people WHERE id = 0")
    wish = {"name": "people_email", "table": "people", "columns": ["email"], "unique": True}
    proposal = server.apply(wish, check_mode=True)
    assert server.indexes()["people_email"] == "INVALID"
    result = server.apply(wish)
    assert proposal["statements"] == result["statements"]
    assert result["indexes"][0]["action"] == "rebuild"
    assert "UNIQUE" in server.indexes()["people_email"]
    assert not server.apply(wish)["changed"]


def test_what_an_interrupted_rebuild_left_is_finished(server):
    server.apply(KIND)
    new, old = (replacement_name("people_kind", suffix) for suffix in ("new", "old"))
    server.sql(f'CREATE INDEX "{new}" ON people (kind, born)', f'CREATE INDEX "{old}" ON people (born, kind)')
    wish = {**KIND, "columns": ["kind", "born"]}
    result = server.apply(wish)
    assert not any(sql.startswith("CREATE") for sql in result["statements"])
    assert set(server.indexes()) == {"people_pkey", "people_kind"}
    assert not server.apply(wish)["changed"]


def test_a_failure_in_the_middle(server):
    """What was done stays and is reported, what failed is cleaned up, an index that was there stays."""
    server.sql("INSERT INTO people VALUES (0, 'User1@example.org')", "CREATE INDEX people_email ON people (email)")
    wishes = [KIND, {"name": "people_email", "table": "people", "columns": ["email"], "unique": True}, BORN]
    with pytest.raises(BuildError) as caught:
        server.apply(*wishes)
    payload = caught.value.to_failure()
    assert (payload["failed"], payload["not_done"], payload["changed"]) == (
        "people_email", ["people_email", "people_born"], True)
    assert [(row["name"], row["action"]) for row in payload["indexes"]] == [("people_kind", "create")]
    assert payload["sqlstate"] == "23505"
    assert 'GROUP BY "email" HAVING count(*) > 1' in payload["msg"]
    assert "User1@example.org" not in str(payload)
    assert set(server.indexes()) == {"people_pkey", "people_kind", "people_email"}
    assert "INVALID" not in server.indexes().values()
    server.sql("DELETE FROM people WHERE id = 0")
    assert [row["action"] for row in server.apply(*wishes)["indexes"]] == ["none", "rebuild", "create"]


def test_a_lock_that_is_not_to_be_had(server):
    with server.connect() as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE people IN SHARE UPDATE EXCLUSIVE MODE")
        started = time.monotonic()
        with pytest.raises(BuildError) as caught:
            server.apply(KIND, lock_timeout_s=0.3, lock_attempts=2)
        assert time.monotonic() - started < 5
        payload = caught.value.to_failure()
        assert payload["sqlstate"] == "55P03"
        assert "Tried 2 times" in payload["msg"]
        assert f"pid {other.info.backend_pid} (pitch" in payload["msg"]
        assert sum(sql.startswith("CREATE INDEX") for sql in payload["statements"]) == 2
        assert set(server.indexes()) == {"people_pkey"}
    assert server.apply(KIND)["changed"]


def test_a_lock_that_is_given_back_in_time(server):
    with server.connect() as other, contextlib.ExitStack() as stack:
        other.execute("BEGIN")
        other.execute("LOCK TABLE people IN SHARE UPDATE EXCLUSIVE MODE")
        timer = threading.Timer(0.8, lambda: other.execute("ROLLBACK"))
        timer.start()
        stack.callback(timer.join)
        result = server.apply(KIND, lock_timeout_s=0.3, lock_attempts=20)
    assert result["changed"]
    assert "INVALID" not in server.indexes().values()


def test_an_index_that_waits_for_an_old_transaction(server):
    """The build itself is done and then waits for a writer; given up, it is INVALID and heals with the next run."""
    with server.connect() as other:
        other.execute("BEGIN")
        other.execute("UPDATE people SET kind = 'k0' WHERE id = 1")
        with pytest.raises(BuildError, match="the next run does"):
            server.apply(KIND, lock_timeout_s=0.2)
        assert server.indexes()["people_kind"] == "INVALID"
    assert server.apply(KIND)["indexes"][0]["action"] == "rebuild"
    assert "INVALID" not in server.indexes().values()


def test_an_index_that_somebody_else_is_building(server):
    with server.connect() as blocker, server.connect() as builder:
        blocker.execute("BEGIN")
        blocker.execute("UPDATE people SET kind = 'k0' WHERE id = 1")
        sql = "CREATE INDEX CONCURRENTLY people_kind ON people (kind)"
        build = threading.Thread(target=builder.execute, args=(sql,))
        build.start()
        while "people_kind" not in server.indexes():
            time.sleep(0.02)
        with pytest.raises(WishError, match=f"Backend {builder.info.backend_pid}"):
            server.apply(KIND, check_mode=True)
        blocker.execute("ROLLBACK")
        build.join()
    assert not server.apply(KIND)["changed"]


def test_two_runs_at_once(server):
    with server.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("UPDATE people SET kind = 'k0' WHERE id = 1")
        first = threading.Thread(target=server.apply, args=(KIND,), kwargs={"lock_timeout_s": 20.0})
        first.start()
        while "people_kind" not in server.indexes():
            time.sleep(0.02)
        with pytest.raises(FleetError, match="Another run of postgres_indexes"):
            server.apply(BORN)
        blocker.execute("ROLLBACK")
        first.join()
    assert server.apply(KIND, BORN)["changed"]


def test_bad_wishes_are_all_named_before_anything_is_changed(server):
    server.sql("CREATE VIEW people_view AS SELECT * FROM people", "CREATE SEQUENCE people_sequence",
               "CREATE TABLE parts (id int) PARTITION BY RANGE (id)")
    before = server.indexes()
    for check_mode in (True, False):
        with pytest.raises(WishError) as caught:
            server.apply(
                KIND,
                {"name": "a", "table": "persons", "columns": ["kind"]},
                {"name": "b", "table": "people", "columns": ["knd"], "include": ["emial"]},
                {"name": "c", "table": "people", "columns": [{"column": "email", "opclass": "no_ops"}]},
                {"name": "d", "table": "people", "columns": ["kind"], "method": "quadtree"},
                {"name": "e", "table": "people", "columns": [{"expression": "lower(email"}]},
                {"name": "f", "table": "people", "columns": ["id"], "where": "born > now()"},
                {"name": "g", "table": "people_view", "columns": ["kind"]},
                {"name": "people_sequence", "table": "people", "columns": ["born"]},
                {"name": "h", "table": "parts", "columns": ["id"]},
                {"name": "i", "table": "people", "columns": ["tags"], "method": "gin", "include": ["id"]},
                {"name": "j", "table": "people", "columns": ["id", "kind"], "storage": {"fillfactor": 700}},
                {"name": "k", "table": "people", "columns": ["id", "born"], "tablespace": "nowhere"},
                {"name": "l", "table": "people", "columns": [{"column": "kind", "order": "asc"}]},
                {"name": "people_pkey", "state": "absent"},
                check_mode=check_mode)
        named = {problem["label"].split('"')[1] for problem in caught.value.details["problems"]}
        assert named == {*"abcdefghijkl", "people_sequence", "people_pkey"}
        message = str(caught.value)
        for part in ("Did you mean kind?", "Did you mean email?", f"{server.schema}.persons", "IMMUTABLE",
                     "It is a view", "concurrently: false", "constraint people_pkey"):
            assert part in message
        assert server.indexes() == before


def test_sql_that_would_be_a_second_statement(server):
    evil = "id > 1); DROP TABLE people; --"
    for wish in ({"where": evil}, {"columns": [{"expression": evil}]}):
        with pytest.raises(WishError, match=r"multiple commands|syntax"):
            server.apply({**KIND, **wish})
    assert server.sql("SELECT count(*) AS n FROM people")[0]["n"] == 2000


@pytest.mark.parametrize("name", [
    'qu"ote', "it's", "Größe €", "select", "a b", "%s", "a.b", 'x" ON y.z USING gin (', "-- c"])
def test_names_of_any_kind(server, name):
    quoted = '"' + name.replace('"', '""') + '"'
    with server.connect() as connection:
        connection.execute(f"CREATE TABLE {quoted} ({quoted} text)", binary=True)
    wish = {"name": f"{name} i", "table": name, "columns": [{"column": name}], "comment": f"{name}\\"}
    assert server.apply(wish)["changed"]
    assert not server.apply(wish)["changed"]
    wish["columns"] = [{"column": name, "order": "desc"}]
    assert server.apply(wish)["indexes"][0]["action"] == "rebuild"
    assert list(server.indexes()).count(wish["name"]) == 1
    assert server.apply({"name": wish["name"], "state": "absent"})["changed"]


def test_an_extension_that_is_missing(server):
    wish = {"name": "people_kind_gin", "table": "people", "method": "gin", "columns": ["kind", "tags"]}
    installed = "SELECT count(*) AS n FROM pg_extension WHERE extname = 'btree_gin'"
    try:
        with pytest.raises(WishError, match="no default operator class"):
            server.apply(wish)
        proposal = server.apply(wish, extensions=["btree_gin"], check_mode=True)
        assert server.sql(installed)[0]["n"] == 0
        result = server.apply(wish, extensions=["btree_gin"])
        assert proposal["statements"] == result["statements"]
        assert result["extensions"] == ["btree_gin"]
        assert not server.apply(wish, extensions=["btree_gin"])["changed"]
        with pytest.raises(WishError, match="no_such_extension"):
            server.apply(wish, extensions=["no_such_extension"])
    finally:
        server.sql("DROP EXTENSION IF EXISTS btree_gin CASCADE")


def test_a_partitioned_table_when_not_concurrently(server):
    server.sql("CREATE TABLE parts (id int) PARTITION BY RANGE (id)",
               "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100)")
    wish = {"name": "parts_id", "table": "parts", "columns": ["id"]}
    assert server.apply(wish, concurrently=False)["changed"]
    assert not server.apply(wish, concurrently=False)["changed"]
    with pytest.raises(WishError, match="a partitioned index"):
        server.apply({"name": "parts_1_id_idx", "state": "absent"})


def test_a_replica_identity_is_kept(server):
    server.sql("ALTER TABLE people ALTER kind SET NOT NULL", "CREATE UNIQUE INDEX people_kind ON people (kind, id)",
               "ALTER TABLE people REPLICA IDENTITY USING INDEX people_kind")
    with pytest.raises(WishError, match="REPLICA IDENTITY"):
        server.apply(KIND)


def test_evidence(server):
    result = server.apply({**KIND, "where": "kind = 'k1'"}, check_mode=True)
    assert [(table["name"], table["rows"]) for table in result["evidence"]] == [("people", 2000)]
    assert result["indexes"][0]["estimated_rows"] == pytest.approx(2000 / 7, rel=0.1)
    assert result["indexes"][0]["estimated_bytes"] > 0


def test_sixty_indexes_in_one_call(server):
    wishes = [{"name": f"people_{number}", "table": "people", "columns": ["kind"], "where": f"id > {number}"}
              for number in range(60)]
    assert len(server.apply(*wishes)["statements"]) == 60
    started = time.monotonic()
    again = server.apply(*wishes)
    assert (again["changed"], {row["action"] for row in again["indexes"]}) == (False, {"none"})
    assert time.monotonic() - started < 2


def test_a_wrong_password_is_not_shown(server):
    with pytest.raises(ConnectError, match="password authentication failed") as caught:
        server.apply(KIND, login_password="not-this-one")
    assert "not-this-one" not in str(caught.value.to_failure())


@pytest.mark.parametrize("login", [{"login_db": "nowhere"}, {"login_port": 1}, {"login_host": "192.0.2.1"}])
def test_no_such_server(server, login):
    with pytest.raises(ConnectError, match="Check login_host"):
        server.apply(KIND, connect_timeout_s=2, **login)


def test_memory_that_the_server_refuses(server):
    with pytest.raises(SqlError, match="maintenance_work_mem"):
        server.apply(KIND, maintenance_work_mem="much")
    assert set(server.indexes()) == {"people_pkey"}
