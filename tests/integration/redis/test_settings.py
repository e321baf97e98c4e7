# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings against a real Redis: applied whole, kept over a restart, or not at all."""

from __future__ import annotations

import errno
import json
import shutil

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._client.redis import RedisError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._redis import catalogue, config_file, server
from ansible_collections.evenkeel.fleet.plugins.module_utils._redis.values import canonical

WISH = {
    "maxmemory": "64mb",
    "maxmemory-policy": "AllKeys-LFU",
    "maxmemory-samples": 10,
    "maxmemory-clients": "5%",
    "lazyfree-lazy-eviction": True,
    "lazyfree-lazy-expire": "yes",
    "activerehashing": False,
    "appendfsync": False,
    "save": ["900 1", "60 1000"],
    "client-output-buffer-limit": {"pubsub": "64mb 16mb 60"},
    "notify-keyspace-events": "gxE",
    "slowlog-log-slower-than": "20ms",
    "slowlog-max-len": 1024,
    "latency-tracking-info-percentiles": [50, 95, 99.9],
    "timeout": "5m",
    "tcp-keepalive": 60,
    "hz": 20,
    "oom-score-adj-values": [0, 100, 700],
    "proc-title-template": '{title} "ü" \\ {listen-addr}',
    "bind": ["127.0.0.1", "-::1"],
}
EXPECTED = {
    "maxmemory": "67108864",
    "maxmemory-policy": "allkeys-lfu",
    "maxmemory-samples": "10",
    "maxmemory-clients": "5%",
    "lazyfree-lazy-eviction": "yes",
    "lazyfree-lazy-expire": "yes",
    "activerehashing": "no",
    "appendfsync": "no",
    "save": "900 1 60 1000",
    "client-output-buffer-limit": "normal 0 0 0 slave 268435456 67108864 60 pubsub 67108864 16777216 60",
    "notify-keyspace-events": "gxE",
    "slowlog-log-slower-than": "20000",
    "slowlog-max-len": "1024",
    "latency-tracking-info-percentiles": "50 95 99.9",
    "timeout": "300",
    "tcp-keepalive": "60",
    "hz": "20",
    "oom-score-adj-values": "0 100 700",
    "proc-title-template": '{title} "ü" \\ {listen-addr}',
    "bind": "127.0.0.1 -::1",
}


def test_twenty_settings_are_applied_whole_and_survive_a_restart(redis):
    result = redis.ensure(WISH)
    assert result["changed"]
    assert result["counts"] == {"none": 0, "set": 20, "restart": 0}
    config = redis.config()
    assert {name: config[name] for name in EXPECTED} == EXPECTED

    again = redis.ensure(WISH)
    assert not again["changed"]
    assert again["counts"] == {"none": 20, "set": 0, "restart": 0}
    assert again["diff"] == []

    redis.restart()
    config = redis.config()
    assert {name: config[name] for name in EXPECTED} == EXPECTED
    assert not redis.ensure(WISH)["changed"]


def test_check_mode_proposes_the_same_and_changes_nothing(redis):
    before, files = redis.config(), redis.files()
    proposal = redis.ensure(WISH, check_mode=True)
    assert redis.config() == before
    assert redis.files() == files
    done = redis.ensure(WISH)
    for key in ("changed", "settings", "counts", "restart_debt", "files", "diff"):
        assert proposal[key] == done[key]
    assert proposal["evidence"]["version"] == done["evidence"]["version"]


def test_evidence_comes_from_the_server(redis):
    with redis.client() as client:
        client.pipeline([["SET", "a", 1], ["GET", "a"], ["GET", "a"], ["GET", "a"], ["GET", "missing"]])
    evidence = redis.ensure({}, check_mode=True)["evidence"]
    assert (evidence["keyspace_hits"], evidence["keyspace_misses"], evidence["hit_rate"]) == (3, 1, 0.75)
    assert evidence["used_memory_bytes"] > 0
    assert evidence["connected_clients"] == 1


@pytest.mark.parametrize("atomic", [True, False])
def test_a_refused_value_changes_nothing(redis, monkeypatch, atomic):
    """Also one by one, as Redis 5 and 6 need it: what was taken is taken back."""
    monkeypatch.setattr(server.Server, "is_atomic", atomic)
    before = redis.config()
    with pytest.raises(FleetError) as failure:
        redis.ensure({**WISH, "loglevel": "shouting"}, config_file=None)
    assert "settings.loglevel: expected a value that the server takes, found 'shouting'" in failure.value.msg
    assert redis.config() == before
    assert redis.files()["evenkeel.conf"] is None


def test_one_by_one_gives_the_same_as_one_command(redis, monkeypatch):
    monkeypatch.setattr(server.Server, "is_atomic", False)
    redis.ensure({**WISH, "databases": 32})
    config = redis.config()
    assert {name: config[name] for name in EXPECTED} == EXPECTED


def test_the_file_is_refused_by_the_servers_own_parser_before_anything_changes(redis):
    before, files = redis.config(), redis.files()
    for check_mode in (True, False):
        with pytest.raises(FleetError) as failure:
            redis.ensure({"maxmemory": "64mb", "databases": 0}, check_mode)
        assert failure.value.msg.startswith("settings.databases: expected a value that the server takes at its start")
        assert "must be between 1 and" in failure.value.msg
    assert redis.config() == before
    assert redis.files() == files


def test_an_unknown_parameter_changes_nothing(redis):
    before = redis.config()
    with pytest.raises(FleetError, match="maxmemory_policy: did you mean maxmemory-policy"):
        redis.ensure({"maxmemory": "64mb", "maxmemory_policy": "allkeys-lru"})
    assert redis.config() == before


def test_what_needs_a_restart_is_debt_until_the_restart(redis):
    wish = {"databases": 32, "hz": 20}
    debt = [{"setting": "databases", "running": "16", "wanted": "32"}]
    first = redis.ensure(wish)
    assert first["changed"]
    assert first["restart_debt"] == debt
    assert redis.config()["databases"] == "16"
    second = redis.ensure(wish)
    assert not second["changed"]
    assert second["restart_debt"] == debt
    redis.restart()
    assert redis.config()["databases"] == "32"
    assert redis.ensure(wish)["restart_debt"] == []


def test_a_server_that_knows_better_what_needs_a_restart(redis, monkeypatch):
    monkeypatch.setattr("ansible_collections.evenkeel.fleet.plugins.module_utils._redis.plan.RESTART_ONLY", frozenset())
    result = redis.ensure({"databases": 32, "dir": str(redis.main.parent / "x"), "hz": 20}, config_file=None)
    assert {row["setting"]: row["action"] for row in result["settings"]} == {
        "databases": "restart", "dir": "restart", "hz": "set",
    }
    assert redis.config()["hz"] == "20"


def test_every_parameter_of_the_server_has_the_kind_and_the_restart_that_the_tables_say(redis):
    config = redis.config()
    immutable, protected, misread = set(), set(), {}
    with redis.client() as client:
        for name, running in config.items():
            value = canonical(name, running, running)
            (reply,) = client.pipeline([["CONFIG", "SET", name, value]])
            text = getattr(reply, "text", "")
            if "immutable" in text:
                immutable.add(catalogue.modern(name))
            elif "protected" in text:
                protected.add(name)
            elif reply != "OK":
                misread[name] = text
    assert misread == {}
    assert immutable == catalogue.RESTART_ONLY
    assert protected == catalogue.PROTECTED
    assert redis.config() == config


def test_a_value_that_reads_back_differently_is_taken_back(redis):
    """The server keeps 'hz' within 1 and 500 without a word."""
    before, files = redis.config(), redis.files()
    with pytest.raises(FleetError) as failure:
        redis.ensure({"hz": 1000, "maxmemory": "64mb"}, config_file=None)
    assert failure.value.msg == "settings.hz: expected '1000' to be read back, found '500'; every setting is as before."
    assert redis.config() == before
    assert redis.files() == files


def test_a_file_that_cannot_be_written_takes_the_settings_back(redis):
    before = redis.config()
    with pytest.raises(FleetError, match=r"config_file: cannot write .*; every setting is as before"):
        redis.ensure({"maxmemory": "64mb"}, config_file="/proc/evenkeel.conf")
    assert redis.config() == before


def test_a_full_disk_between_the_two_files_takes_everything_back(redis, monkeypatch):
    before, files, write = redis.config(), redis.files(), config_file.write

    def full(path, text, attributes):
        if path == str(redis.main):
            raise OSError(errno.ENOSPC, "No space left on device", path)
        write(path, text, attributes)

    monkeypatch.setattr(config_file, "write", full)
    with pytest.raises(FleetError, match="No space left on device; every setting is as before"):
        redis.ensure({"maxmemory": "64mb"})
    assert redis.config() == before
    assert redis.files() == files


def test_a_file_that_is_a_directory(redis):
    before = redis.config()
    redis.managed.mkdir()
    with pytest.raises(FleetError, match=r"config_file: cannot read .*: Is a directory; nothing was changed"):
        redis.ensure({"maxmemory": "64mb"})
    assert redis.config() == before


def test_a_rewrite_is_found_and_overruled(redis):
    redis.ensure(WISH)
    with redis.client() as client:
        client.call("CONFIG", "SET", "maxmemory", "128mb")
        client.call("CONFIG", "REWRITE")
    result = redis.ensure(WISH)
    assert {"maxmemory", "save", "client-output-buffer-limit"} <= set(result["overruled"])
    again = redis.ensure(WISH)
    assert (again["changed"], again["overruled"]) == (False, [])
    redis.restart()
    config = redis.config()
    assert {name: config[name] for name in EXPECTED} == EXPECTED


def test_a_setting_off_the_list_leaves_the_file_and_runs_on(redis):
    redis.ensure({"hz": 20, "maxmemory": "64mb"})
    result = redis.ensure({"hz": 20})
    assert result["files"] == [str(redis.managed)]
    assert redis.config()["maxmemory"] == "67108864"
    redis.restart()
    assert redis.config()["maxmemory"] == "0"


def test_files_keep_owner_and_mode(redis):
    shutil.chown(redis.main, "nobody", "nogroup")
    redis.ensure({"hz": 20})
    for path in (redis.main, redis.managed):
        assert (path.owner(), path.group(), path.stat().st_mode & 0o777) == ("nobody", "nogroup", 0o640)
    redis.managed.chmod(0o666)
    assert redis.ensure({"hz": 20})["files"] == [str(redis.managed)]
    assert redis.managed.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("path", ["relative.conf", "/none/evenkeel.conf", "main"])
def test_a_path_that_is_none(redis, path):
    with pytest.raises(FleetError, match="config_file: expected an absolute path"):
        redis.ensure({"hz": 20}, config_file=str(redis.main) if path == "main" else path)
    assert redis.config()["hz"] == "10"


def test_memory_in_use_is_not_evicted_by_accident(redis):
    with redis.client() as client:
        client.call("SET", "big", "x" * 20_000_000)
        with pytest.raises(FleetError, match="MiB in use"):
            redis.ensure({"maxmemory": "10mb", "maxmemory-policy": "allkeys-lru"})
        assert client.call("EXISTS", "big") == 1
        assert redis.ensure({"maxmemory": "10mb", "maxmemory-policy": "allkeys-lru"}, force=True)["changed"]


def test_secrets_are_set_and_never_shown(redis):
    secret = 'Tr0ub4dor & 3 "ü" #'
    result = redis.ensure({"hz": 20}, secret_settings={"masterauth": secret})
    assert redis.config()["masterauth"] == secret
    assert "Tr0ub4dor" not in json.dumps(result)
    assert redis.password not in json.dumps(result)
    assert {row["setting"]: row["after"] for row in result["settings"]} == {"hz": "20", "masterauth": "********"}
    redis.restart()
    assert redis.config()["masterauth"] == secret
    with pytest.raises(FleetError) as failure:
        redis.ensure({"masterauth": secret})
    assert "Tr0ub4dor" not in str(failure.value)


def test_a_wrong_password_is_named_and_not_shown(redis):
    with pytest.raises(RedisError) as failure, redis.client(password="battery staple") as client:
        client.call("PING")
    assert failure.value.code == "WRONGPASS"
    assert "battery" not in str(failure.value)
    with pytest.raises(RedisError, match="NOAUTH"), redis.client(password=None) as client:
        client.call("PING")


def test_a_unix_socket_and_an_acl_user(redis):
    with redis.client() as client:
        client.call("ACL", "SETUSER", "tuner", "on", ">pw", "+config|get", "+config|set", "+info")
        client.call("ACL", "SETUSER", "reader", "on", ">pw", "+info")
    with redis.client(port=1, unix_socket=str(redis.socket), username="tuner", password="pw") as client:
        assert server.read(client).info["redis_version"]
        server.set_values(client, {"hz": "20"}, {"hz": "10"}, atomic=True)
    assert redis.config()["hz"] == "20"
    with pytest.raises(RedisError, match="NOPERM"), redis.client(username="reader", password="pw") as client:
        server.read(client)


def test_a_server_that_does_not_answer_is_a_timeout(redis):
    with redis.client(timeout_s=0.3) as client, pytest.raises(FleetError, match="no answer"):
        client.call("BLPOP", "never", 0)


def test_a_server_that_is_down(redis):
    redis.stop()
    with redis.client() as client, pytest.raises(FleetError, match="refused the connection"):
        client.call("PING")


def test_a_server_without_a_configuration_file(redis):
    redis.stop()
    redis.start("--port", str(redis.port), "--unixsocket", str(redis.socket), "--requirepass", redis.password)
    with pytest.raises(FleetError, match="config_file: expected a server that was started with a configuration file"):
        redis.ensure({"hz": 20})
    assert redis.ensure({"hz": 20}, config_file=None)["changed"]
