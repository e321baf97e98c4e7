# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Role, link and lag of real replicas, and certificates of a real server."""

from __future__ import annotations

import time

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._client.postgres import PostgresClient
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECK
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.runner import observe

from .servers import PASSWORD, Postgres, Redis, Tls, directory, eventually


def look(server, **options):
    """One look at a server, with the check as the module hands it over."""
    blank = {name: spec.get("default") for name, spec in CHECK.items()}
    return observe([{**blank, "name": "it", "timeout_s": 3.0, **server.check, **options}])["it"]


def sql(server, *texts):
    with PostgresClient(port=server.port, password=PASSWORD) as client:
        return [client.query(text) for text in texts][-1]


@pytest.fixture(scope="module")
def postgres():
    with directory("postgres") as path:
        primary = Postgres(path)
        standby = Postgres(path, primary)
        yield primary, standby
        standby.stop()
        primary.stop()


@pytest.fixture(scope="module")
def redis():
    with directory() as path:
        master = Redis(path)
        replica = Redis(path, master)
        eventually(lambda: look(replica, max_lag_s=30)["status"] == "pass")
        yield master, replica
        replica.stop()
        master.stop()


def test_roles_are_told_apart(postgres, redis):
    for master, replica in (postgres, redis):
        assert look(master, role="master", max_lag_s=1)["status"] == "pass"
        assert look(replica, role="replica", max_lag_s=30)["status"] == "pass"
        assert look(master, role="replica")["output"] == "it is master."
        wrong = look(replica, role="master")
        assert (wrong["status"], wrong["observedValue"]) == ("fail", "replica")


def test_an_idle_standby_is_not_behind(postgres):
    primary, standby = postgres
    sql(primary, "CREATE TABLE IF NOT EXISTS idle (a int)")
    eventually(lambda: sql(standby, "SELECT to_regclass('idle') AS a")[0]["a"])
    time.sleep(1.2)
    assert look(standby, role="replica", max_lag_s=0.5)["status"] == "pass"


def test_a_standby_that_does_not_replay_is_behind(postgres):
    primary, standby = postgres
    sql(standby, "SELECT pg_wal_replay_pause()")
    try:
        sql(primary, "CREATE TABLE IF NOT EXISTS later (a int)", "INSERT INTO later VALUES (1)")
        found = eventually(lambda: (seen := look(standby, max_lag_s=0.5))["status"] == "fail" and seen)
        assert found["observedUnit"] == "s"
        assert found["observedValue"] > 0.5
        assert "s behind" in found["output"]
        assert look(standby, max_lag_s=3600)["status"] == "pass"
    finally:
        sql(standby, "SELECT pg_wal_replay_resume()")
    eventually(lambda: look(standby, max_lag_s=0.5)["status"] == "pass")


def test_a_user_without_rights_sees_the_lag_too(postgres):
    primary, standby = postgres
    sql(primary, f"CREATE ROLE watcher LOGIN PASSWORD '{PASSWORD}'")
    eventually(lambda: sql(standby, "SELECT 1 AS a FROM pg_roles WHERE rolname = 'watcher'"))
    assert look(standby, user="watcher", role="replica", max_lag_s=30)["status"] == "pass"


def test_a_replica_without_its_master_has_no_link(postgres, redis):
    for master, replica in (postgres, redis):
        master.stop()
        found = eventually(lambda replica=replica: (seen := look(replica, max_lag_s=30))["status"] == "fail" and seen)
        assert found["output"] == "it has no link to its master."
        assert look(replica, role="replica")["status"] == "pass", "the role alone says nothing about the link"
        master.start()
        eventually(lambda replica=replica: look(replica, max_lag_s=30)["status"] == "pass", deadline_s=30)


def test_a_redis_replica_whose_master_is_frozen_is_behind(redis):
    master, replica = redis
    with master.frozen():
        found = eventually(lambda: "s behind" in (seen := look(replica, max_lag_s=1)).get("output", "") and seen)
    assert (found["status"], found["observedUnit"]) == ("fail", "s")


def test_servers_that_hang_end_with_the_time_limit(postgres, redis):
    for master, dummy in (postgres, redis):
        with master.frozen():
            started = time.monotonic()
            found = look(master, timeout_s=0.5)
            assert time.monotonic() - started < 1.5
        assert "no answer from 127.0.0.1" in found["output"]
        assert PASSWORD not in str(found)


@pytest.fixture
def tls(request):
    with directory() as path:
        server = Tls(path, request.param)
        yield server
        server.stop()


@pytest.mark.parametrize("tls", [30], indirect=True)
def test_https_passes_and_a_certificate_that_ends_soon_warns(tls):
    assert look(tls, pointers={"/status": "pass"}, certificate_days=14)["status"] == "pass"
    soon = look(tls, certificate_days=31)
    assert (soon["status"], soon["output"], soon["remedy"]) == (
        "warn", "the certificate expires in 30.0 days.", "Renew the certificate.",
    )  # fmt: skip


@pytest.mark.parametrize("tls", [30], indirect=True)
def test_https_of_another_name_or_authority_fails_at_once(tls):
    assert "not accepted" in look(tls, ca_file=None)["output"]
    other = look(tls, url=tls.check["url"].replace("localhost", "elsewhere"))
    assert (other["status"], other["attempts"]) == ("fail", 1)
    assert "elsewhere" in other["output"]
    assert look(tls, ca_file=None, validate_certs=False)["status"] == "pass"


@pytest.mark.parametrize("tls", [-1], indirect=True)
def test_an_expired_certificate_fails_at_once(tls):
    found = look(tls)
    assert (found["status"], found["attempts"]) == ("fail", 1)
    assert "certificate has expired" in found["output"]
    assert "certificate" in found["remedy"]
