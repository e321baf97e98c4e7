# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of a connection: what fits together, and errors that name the field before any traffic."""

from __future__ import annotations

import ssl
from types import SimpleNamespace

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.engine.access import Access
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.engine.target import Target


@pytest.mark.parametrize(("url", "options", "field"), [
    ("http://h", {"password": "x"}, "password"),
    ("ws://h", {"username": "x"}, "username"),
    ("redis://h/shop", {}, "target"),
    ("redis://app@h", {}, "password"),
    ("redis://h", {"headers": {"X": "1"}}, "headers"),
    ("pg://db1/shop", {}, "target"),
    ("pg://app@db1/shop?sslmode=require", {}, "target"),
])
def test_options_that_do_not_fit(url, options, field):
    headers = options.pop("headers", None)
    with pytest.raises(InputError) as caught:
        Access(**options).dialect(Target.parse(url), headers)
    assert str(caught.value).startswith(f"{field}: ")


@pytest.mark.parametrize(("url", "tls", "secure"), [
    ("http://h", None, False), ("https://h", None, True), ("pg://u@h", None, False), ("pg://u@h", True, True),
])
def test_tls_is_what_the_url_or_the_option_says(url, tls, secure):
    context = Access(tls=tls).tls_of(Target.parse(url))
    assert bool(context) == secure
    if secure:
        assert (context.context.verify_mode, context.context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_files_that_cannot_be_read_are_named(tmp_path):
    target, missing = Target.parse("https://h"), str(tmp_path / "none.pem")
    for options, field in [({"ca_path": missing}, "ca_path"), ({"client_cert_path": missing}, "client_cert_path"),
                           ({"client_key_path": missing}, "client_cert_path")]:
        with pytest.raises(InputError, match=f"^{field}: "):
            Access(**options).tls_of(target)
    with pytest.raises(InputError, match=r"^unix_socket: "):
        Access(unix_socket=missing).address(target, 1)


@pytest.mark.parametrize(("url", "spec", "field"), [
    ("redis://h", {}, "r.command"),
    ("redis://h", {"command": ["GET", None]}, "r.command"),
    ("redis://h", {"command": "SUBSCRIBE news"}, "r.command"),
    ("redis://h", {"command": "GET 'x"}, "r.command"),
    ("pg://u@h", {"query": " "}, "r.query"),
    ("pg://u@h", {"query": "SELECT $1", "parameters": "7"}, "r.parameters"),
    ("ws://h", {}, "r"),
    ("ws://h", {"text": "a", "subscribe": "b"}, "r"),
    ("ws://h", {"text": 7}, "r.text"),
])
def test_requests_that_are_none(url, spec, field):
    with pytest.raises(InputError) as caught:
        Access().dialect(Target.parse(url), None).encode(spec, "r")
    assert str(caught.value).startswith(f"{field}: ")


def test_a_prepared_query_is_parsed_once_per_connection():
    dialect = Access().dialect(Target.parse("pg://u@h"), None)
    first = dialect.encode({"query": "SELECT $1", "parameters": [1], "prepared": True}, "r").payload
    assert b"SELECT" not in first
    assert first != dialect.encode({"query": "SELECT $1", "parameters": [None], "prepared": True}, "r").payload
    login = dialect.greeting()
    assert login.opening.endswith(b"\0\0")
    assert login.feed(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").count(b"SELECT $1\0") == 1
    assert not login.done
    login.feed(b"1\0\0\0\x04Z\0\0\0\x05I")
    assert login.done


def test_answers_of_databases_are_json_for_checks():
    redis = Access().dialect(Target.parse("redis://h"), None)
    for data, body, error in [(b"$2\r\nhi\r\n", b"hi", ""), (b"*2\r\n$1\r\na\r\n:1\r\n", b'["a", 1]', ""),
                              (b"$-1\r\n", b"null", ""), (b"-ERR no\r\n", b'"ERR no"', "ERR no")]:
        answer = redis.answer(SimpleNamespace(), True)
        assert not any(answer.feed(data[place:place + 1]) for place in range(len(data) - 1))
        assert answer.feed(data[-1:])
        assert (answer.body, answer.error) == (body, error)
