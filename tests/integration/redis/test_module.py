# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module as Ansible runs it: parameters in, JSON out, nothing secret in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COLLECTIONS = Path(__file__).parents[3] / ".cache/collections"
MODULE = "ansible_collections.evenkeel.fleet.plugins.modules.redis_settings"


@pytest.fixture
def module(redis, tmp_path):
    """Run the module on the throw-away server; returns its result and the raw output."""
    def run(**options):
        arguments = {"login_port": redis.port, "login_password": redis.password, **options}
        path = tmp_path / "arguments.json"
        path.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
        done = subprocess.run(
            [sys.executable, "-m", MODULE, path], env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
            capture_output=True, text=True, check=False,
        )
        return json.loads(done.stdout), done.stdout
    return run


def test_apply_then_no_change(redis, module):
    options = {"settings": {"maxmemory": "64mb", "databases": 32}, "config_file": str(redis.managed)}
    first, _ = module(**options)
    assert first["changed"]
    assert first["restart_debt"] == [{"setting": "databases", "running": "16", "wanted": "32"}]
    assert "diff" not in first
    second, _ = module(**options)
    assert not second["changed"]
    assert redis.config()["maxmemory"] == "67108864"


def test_check_mode_with_a_diff(redis, module):
    result, _ = module(settings={"maxmemory": "64mb"}, _ansible_check_mode=True, _ansible_diff=True)
    assert result["changed"]
    (diff,) = result["diff"]
    assert (diff["before"], diff["after"]) == ("maxmemory 0\n", "maxmemory 67108864\n")
    assert redis.config()["maxmemory"] == "0"


def test_sources_are_kept(redis, module):
    result, _ = module(settings={"hz": 20}, sources={"hz": "measured"}, config_file=str(redis.managed))
    assert result["settings"][0]["source"] == "measured"
    assert "# measured\nhz 20\n" in redis.managed.read_text()


def test_secrets_are_in_no_output(redis, module):
    options = {"settings": {"hz": 20}, "secret_settings": {"masterauth": "hunter2"}, "config_file": str(redis.managed)}
    _, output = module(**options, _ansible_diff=True)
    assert "hunter2" not in output
    assert redis.password not in output
    assert redis.config()["masterauth"] == "hunter2"


@pytest.mark.parametrize(("options", "expected"), [
    ({"login_password": "battery staple"}, "login_user, login_password: "),
    ({"login_password": None}, "login_user, login_password: "),
    ({"login_user": "nobody"}, "login_user, login_password: "),
    ({"login_port": 1}, "127.0.0.1:1 refused the connection"),
    ({"login_unix_socket": "/none.sock"}, "there is no socket /none.sock"),
    ({"tls": True, "ca_path": "/none.pem"}, "cannot load the certificates /none.pem"),
    ({"settings": {"maxmemory_policy": "allkeys-lru"}}, "did you mean maxmemory-policy"),
    ({"settings": {"maxmemory": "lots"}}, "settings.maxmemory: expected a number"),
    ({"settings": {"requirepass": "x"}}, "Move requirepass to secret_settings."),
])
def test_one_message_names_what_is_wrong(redis, module, options, expected):
    before = redis.config()
    result, output = module(**{"settings": {"hz": 20}, **options})
    assert result["failed"]
    assert expected in result["msg"]
    assert "battery" not in output
    assert redis.config() == before


def test_over_tls(redis, module, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )
    redis.stop()
    with redis.main.open("a") as main:
        main.write(f"port 0\ntls-port {redis.port}\ntls-cert-file {certificate}\ntls-key-file {key}\n"
                   f"tls-ca-cert-file {certificate}\ntls-auth-clients no\n")
    redis.start()
    assert "not accepted" in module(settings={"hz": 20}, tls=True)[0]["msg"]
    assert module(settings={"hz": 20}, tls=True, ca_path=str(certificate))[0]["changed"]
