# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every protocol against a real server: what is counted is right, and so is the class of what goes wrong."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.probe import probe
from benchmarks.common import free_port

from . import servers
from .servers import PASSWORD


def ask(target, *requests, duration_s=0.4, vus=4, **options):
    """Probe a target with these requests."""
    return probe(target=target, vus=vus, duration_s=duration_s, timeout_s=2,
                 scenarios=[{"name": "s", "requests": list(requests)}], **options)


def clean(result, least=20):
    """Whether there were enough answers, all of them right."""
    return result["samples"]["errors"] == {} and result["metrics"]["requests"] >= least


def detail(result):
    return result["samples"]["error_examples"][0]["detail"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return servers.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def web(tmp_path_factory, authority):
    """nginx: TLS by name with and without client certificates, a Unix socket, IPv6; its ports and its directory."""
    directory = tmp_path_factory.mktemp("nginx")
    directory.chmod(0o755)
    plain, tls, v6 = free_port(), free_port(), free_port()
    pair = "ssl_certificate {}; ssl_certificate_key {};"
    one = pair.format(*authority.issue("one.test", "DNS:one.test"))
    two = pair.format(*authority.issue("two.test", "DNS:two.test"))
    locations = """location / { return 200 '$ssl_server_name $ssl_client_s_dn $http_connection'; }
                   location /none { return 204; } location /not-modified { return 304; }
                   location /compressed { gzip on; gzip_min_length 1; gzip_types text/plain;
                                          return 200 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'; }"""
    blocks = f"""
        server {{ listen 127.0.0.1:{plain}; listen [::1]:{v6}; listen unix:{directory}/web.sock; {locations} }}
        server {{ listen 127.0.0.1:{tls} ssl; server_name one.test; {one} {locations} }}
        server {{ listen 127.0.0.1:{tls} ssl; server_name two.test; {two} {locations}
                  ssl_verify_client on; ssl_client_certificate {authority.ca}; }}
        """
    with servers.nginx(directory, blocks):
        yield plain, tls, v6, directory


def logged(directory):
    return (Path(directory) / "access.log").read_text().count("\n")


def logged_since(directory, before, expected):
    """Return how many more requests nginx has logged; it logs the last one when its connection is closed."""
    deadline = time.monotonic() + 5
    while logged(directory) - before < expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return logged(directory) - before


def test_names_and_authorities_are_verified(web, authority):
    target = f"https://127.0.0.1:{web[1]}"
    right = {"ca_path": authority.ca, "server_name": "one.test"}
    assert clean(ask(target, {"path": "/", "checks": {"contains": "one.test"}}, **right))
    for wrong in ({"ca_path": authority.ca}, {"ca_path": authority.ca, "server_name": "three.test"},
                  {"server_name": "one.test"}):
        assert set(ask(target, {"path": "/"}, **wrong)["samples"]["errors"]) == {"tls"}
    assert clean(ask(target, {"path": "/"}, validate_certs=False))


def test_client_certificates(web, authority):
    target = f"https://127.0.0.1:{web[1]}"
    options = {"ca_path": authority.ca, "server_name": "two.test", "headers": {"Host": "two.test"}}
    certificate, key = authority.issue("probe", "DNS:probe")
    without = ask(target, {"path": "/"}, **options)
    assert set(without["samples"]["statuses"]) == {"400"}
    request = {"path": "/", "checks": {"contains": "CN=probe"}}
    assert clean(ask(target, request, client_cert_path=certificate, client_key_path=key, **options))


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_one_connection_per_request(web, authority, secure):
    target = f"https://127.0.0.1:{web[1]}" if secure else f"http://127.0.0.1:{web[0]}"
    before = logged(web[3])
    result = ask(target, {"path": "/", "checks": {"contains": "close"}}, reuse=False, ca_path=authority.ca,
                 server_name="one.test")
    assert clean(result)
    requests = result["metrics"]["requests"]
    assert logged_since(web[3], before, requests) == requests
    assert clean(ask(target, {"path": "/"}, reuse=False, executor="constant_arrival_rate", rate_rps=100,
                     ca_path=authority.ca, server_name="one.test"))


def test_ipv6_and_unix_sockets(web):
    assert clean(ask(f"http://[::1]:{web[2]}", {"path": "/"}))
    result = ask("http://app.test", {"path": "/"}, unix_socket=f"{web[3]}/web.sock")
    assert clean(result)
    assert result["samples"]["target"]["address"].endswith("web.sock")


def test_a_unix_socket_that_nobody_listens_on(tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left"))
    result = ask("http://app.test", {"path": "/"}, unix_socket=str(tmp_path / "left"))
    assert list(result["samples"]["errors"]) == ["refused"]


@pytest.mark.parametrize("request_", [
    {"path": "/", "method": "HEAD"}, {"path": "/none"}, {"path": "/not-modified"},
    {"path": "/compressed", "headers": {"Accept-Encoding": "gzip"}},
], ids=["head", "204", "304", "gzip"])
def test_answers_without_content_or_with_compressed_one(web, request_):
    before = logged(web[3])
    result = ask(f"http://127.0.0.1:{web[0]}", request_)
    assert clean(result)
    requests = result["metrics"]["requests"]
    assert logged_since(web[3], before, requests) == requests


def test_many_connections_are_opened_in_bursts(web):
    result = ask(f"http://127.0.0.1:{web[0]}", {"path": "/"}, vus=1500, duration_s=1)
    assert clean(result, least=1500)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    with servers.redis(tmp_path_factory.mktemp("redis")) as found:
        yield found


def test_redis(cache):
    port, path = cache
    target, login = f"redis://127.0.0.1:{port}/3", {"password": PASSWORD}
    assert clean(ask(target, {"command": ["SET", "session:7", "x" * 100]}, **login))
    read = {"command": "GET session:7", "checks": {"contains": "xxx"}}
    assert clean(ask(target, read, {"command": ["MGET", "session:7", "none"]}, {"command": ["INCR", "n"]}, **login))
    assert clean(ask("redis://localhost/3", read, unix_socket=path, username="app", **login))
    assert clean(ask(f"redis://app@[::1]:{port}/3", read, reuse=False, **login))
    assert list(ask(f"redis://127.0.0.1:{port}/4", read, **login)["samples"]["errors"]) == ["check"]


def test_redis_refusals(cache):
    target = f"redis://127.0.0.1:{cache[0]}"
    wrong = ask(target, {"command": "PING"}, password="wrong")
    assert (list(wrong["samples"]["errors"]), detail(wrong)) == (["login"], "the server refused AUTH: WRONGPASS")
    without = ask(target, {"command": "PING"})
    assert list(without["samples"]["errors"]) == ["status"]
    assert detail(without).startswith("NOAUTH")
    typed = ask(target, {"command": "LPUSH s x"}, {"command": "INCR s"}, password=PASSWORD)
    assert set(typed["samples"]["errors"]) == {"status"}


@pytest.mark.parametrize(("scheme", "request_", "classes"), [
    ("redis", {"command": "PING"}, {"protocol"}), ("pg", {"query": "SELECT 1"}, {"protocol"}),
    ("ws", {"text": "hello"}, {"login"}), ("https", {"path": "/"}, {"tls"})])
def test_a_server_of_another_protocol(web, scheme, request_, classes):
    user = "app@" if scheme == "pg" else ""
    result = ask(f"{scheme}://{user}127.0.0.1:{web[0]}", request_)
    assert set(result["samples"]["errors"]) == classes


@pytest.fixture(scope="module")
def database(authority):
    with servers.postgres(authority) as found:
        yield found


@pytest.mark.parametrize("request_", [
    {"query": "SELECT 'drama' AS genre, generate_series(1, 3) AS id"},
    {"query": "SELECT $1 AS genre, $2::int AS id", "parameters": ["drama", 7]},
    {"query": "SELECT $1::text AS genre, $2::int + 1 AS id", "parameters": ["drama", 7], "prepared": True},
    {"query": "SELECT 1; SELECT 'drama' AS genre"},
], ids=["simple", "extended", "prepared", "two-statements"])
def test_postgres_queries(database, request_):
    result = ask(f"pg://app@127.0.0.1:{database[0]}/postgres", {**request_, "checks": {"contains": '"genre": "drama"'}},
                 password=PASSWORD)
    assert clean(result)


def test_postgres_tls_and_unix_socket(database, authority):
    port, path = database
    request = {"query": "SELECT ssl::text AS tls FROM pg_stat_ssl WHERE pid = pg_backend_pid()"}
    secure = {**request, "checks": {"contains": '"tls": "true"'}}
    target = f"pg://app@127.0.0.1:{port}/postgres"
    assert clean(ask(target, secure, password=PASSWORD, tls=True, ca_path=authority.ca))
    assert list(ask(target, secure, password=PASSWORD, tls=True)["samples"]["errors"]) == ["tls"]
    local = {**request, "checks": {"contains": '"tls": "false"'}}
    assert clean(ask("pg://app@localhost/postgres", local, password=PASSWORD, unix_socket=path))
    assert clean(ask(target, request, password=PASSWORD, reuse=False, vus=2), least=5)


def test_postgres_refusals(database):
    target, query = f"pg://app@127.0.0.1:{database[0]}/postgres", {"query": "SELECT 1"}
    for options, code in [({"password": "wrong"}, "28P01"), ({}, "a password"),
                          ({"password": PASSWORD, "vus": 60}, "53300")]:
        refused = ask(target, query, **options)
        assert list(refused["samples"]["errors"]) == ["login"]
        assert code in detail(refused)
    missing = ask(target, {"query": "SELECT * FROM nowhere"}, password=PASSWORD)
    assert list(missing["samples"]["errors"]) == ["status"]
    assert detail(missing).startswith("ERROR 42P01")
    killed = ask(target, {"query": "SELECT pg_terminate_backend(pg_backend_pid())"}, password=PASSWORD)
    assert list(killed["samples"]["errors"]) == ["reset"]
    assert "57P01" in detail(killed)


@contextlib.contextmanager
def websockets(context=None):
    server = servers.WebSocketServer(context)
    try:
        yield server
    finally:
        server.close()


def test_websocket_echo():
    with websockets() as server:
        target = f"ws://127.0.0.1:{server.port}/echo"
        result = ask(target, {"text": "hello", "checks": {"contains": "hello"}}, {"text": {"id": [1, 2]}},
                     {"text": "x" * 70000})
        assert clean(result)
        assert server.sessions == 4
        assert clean(ask(target, {"text": "hello"}, executor="constant_arrival_rate", rate_rps=100))
        assert clean(ask(target, {"text": "hello"}, reuse=False), least=10)
        assert clean(ask(f"ws://127.0.0.1:{server.port}/ping", {"text": "hello"}))
        assert server.pongs >= 20


def test_websocket_over_tls(authority):
    with websockets(servers.server_context(*authority.issue("ws.test", "IP:127.0.0.1"))) as server:
        target = f"wss://127.0.0.1:{server.port}/echo"
        assert clean(ask(target, {"text": "x" * 20000, "checks": {"contains": "xxx"}}, ca_path=authority.ca))
        assert list(ask(target, {"text": "x"})["samples"]["errors"]) == ["tls"]


def test_websocket_subscription():
    with websockets() as server:
        result = ask(f"ws://127.0.0.1:{server.port}/feed",
                     {"subscribe": {"channel": "prices"}, "checks": {"contains": "price"}}, duration_s=1, vus=3)
        assert clean(result, least=200)
        assert result["metrics"]["requests"] < 700
        assert 4.5 < result["metrics"]["p50_ms"] < 10
        assert server.subscribers == ['{"channel": "prices"}'] * 3


def test_websocket_refusals():
    with websockets() as server:
        refused = ask(f"ws://127.0.0.1:{server.port}/other", {"text": "hello"})
        assert list(refused["samples"]["errors"]) == ["login"]
        assert "403" in detail(refused)
        left = ask(f"ws://127.0.0.1:{server.port}/leave", {"text": "hello"})
        assert set(left["samples"]["errors"]) == {"status"}
        assert detail(left) == "the server closed the session: 1001 going away"
        assert left["metrics"]["errors"] == pytest.approx(left["metrics"]["requests"] / 3, abs=4)
