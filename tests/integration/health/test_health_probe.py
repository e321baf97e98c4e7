# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""health_probe on the lab's hosts, against what really runs there."""

from __future__ import annotations

import subprocess

import pytest

from .harness import adhoc


@pytest.fixture(scope="module")
def seen(lab):
    """One probe of app1 with a check of each kind, good and bad."""
    database = {"type": "postgres", "host": "db1", "user": "pitch", "database": "pitch"}
    cache = {"type": "redis", "host": "cache1"}
    checks = [
        {"name": "unit", "type": "systemd", "unit": "docker.service"},
        {"name": "no unit", "type": "systemd", "unit": "none.service", "critical": False},
        {"name": "no container", "type": "container", "container": "none", "critical": False},
        {"name": "engine", "type": "command", "argv": ["docker", "version"], "min_version": "20.10"},
        {"name": "database", **database, "password": lab.postgres_password, "min_version": "13", "expect": "1"},
        {"name": "wrong value", **database, "password": lab.postgres_password, "expect": "2", "critical": False},
        {"name": "wrong password", **database, "password": "wrong", "critical": False},
        {"name": "cache", **cache, "password": lab.redis_password, "role": "master", "min_version": "6.2"},
        {"name": "no replica", **cache, "password": lab.redis_password, "role": "replica", "critical": False},
        {"name": "wrong secret", **cache, "password": "wrong", "critical": False},
        {"name": "registry", "type": "http", "url": "http://registry1:5000/v2/", "pointers": {"": {}}},
        {"name": "ssh", "type": "tcp", "host": "db1", "port": 22},
    ]
    return adhoc("app1", "evenkeel.fleet.health_probe", checks=checks, consecutive=2, interval_s=0.2, deadline_s=20)


def test_the_verdict_is_that_of_the_critical_components(seen):
    assert (seen["verdict"], seen["changed"], seen["reasons"]) == ("pass", False, [])
    assert seen["status"] == "warn"


@pytest.mark.parametrize("name", ["unit", "engine", "database", "cache", "registry", "ssh"])
def test_what_is_good_was_good_twice(seen, name):
    found = seen["components"][name]
    assert found["status"] == "pass", found
    assert found["attempts"] >= 2


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("no unit", "not-found"),
        ("no container", "No such container"),
        ("wrong value", "returned '1'"),
        ("wrong password", "password authentication failed"),
        ("no replica", "it is master"),
        ("wrong secret", "WRONGPASS"),
    ],
)
def test_what_is_bad_says_what_was_found_and_what_to_do(seen, name, output):
    found = seen["components"][name]
    assert found["status"] == "warn"
    assert output in found["output"]
    assert found["remedy"]


def test_what_is_hopeless_was_looked_at_once(seen):
    for name in ("no unit", "no container", "wrong password", "wrong secret"):
        assert seen["components"][name]["attempts"] == 1, name


@pytest.fixture
def crashing(lab):
    """A container on app1 whose process ends after a second, and which Docker starts again and again."""
    app1 = ["docker", "exec", lab.container("app1"), "docker"]
    run = ["run", "--detach", "--name", "crashing", "--restart", "always", "registry1:5000/pitch:v1",
           "sh", "-c", "sleep 1; exit 3"]
    subprocess.run([*app1, *run], check=True, capture_output=True)
    yield {"name": "crashing", "type": "container", "container": "crashing"}
    subprocess.run([*app1, "rm", "--force", "crashing"], check=True, capture_output=True)


def test_a_container_that_crashes_again_and_again_is_hopeless(crashing):
    """Also when it has run well for a moment, and something else is waited for."""
    port = {"name": "port", "type": "tcp", "host": "127.0.0.1", "port": 1}
    seen = adhoc("app1", "evenkeel.fleet.health_probe", checks=[port, {**crashing, "max_restarts": 2}],
                 consecutive=3, interval_s=0.1, deadline_s=60)
    assert seen["verdict"] == "fail"
    assert "Docker restarted it" in seen["components"]["crashing"]["output"]
    assert seen["duration_s"] < 30, "not at the deadline of 60 s"


def test_secrets_are_nowhere_in_the_result(seen, lab):
    assert lab.postgres_password not in str(seen)
    assert lab.redis_password not in str(seen)
