# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret gets into a part, and nothing else is lost."""

from __future__ import annotations

import json
import math
import re
import time
from typing import Any

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._report.redaction import HIDDEN, clean
from hypothesis import given
from hypothesis import strategies as st

SECRET = "hunter2-S3cr3t"


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "db_password",
        "lab_postgres_password",
        "PGPASSWORD",
        "passwd",
        "login_password",
        "requirepass",
        "masterauth",
        "secret",
        "client_secret",
        "token",
        "session_tokens",
        "api_key",
        "apikey",
        "private-key",
        "ssh_private_key",
        "credentials",
        "Authorization",
        "Set-Cookie",
        "DATABASE_URL",
        "database_uri",
        "REDIS_URL",
        "dsn",
    ],
)
def test_keys_that_name_a_secret_are_dropped(name: str) -> None:
    assert clean({"deep": [{name: SECRET, "kept": 1}]}) == {"deep": [{"kept": 1}]}


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://pitch:{SECRET}@db1:5432/pitch",
        f"redis://:{SECRET}@cache1:6379/0",
        f"failed: https://ops:{SECRET}@registry1/v2/",
        f"Authorization: Bearer {SECRET}",
        f"PGPASSWORD={SECRET} psql",
        f"password: {SECRET}",
        f"auth-token={SECRET}",
        f"redis://:p@{SECRET}@cache1:6379/0",
        f"postgresql://pitch:a/{SECRET}@db1/pitch",
        f"postgresql://pitch:5432/{SECRET}@db1:5432/pitch",
        f"redis://:p@a/{SECRET}@cache1",
        f"see 'https://edge1:80/@user/x', https://ops:a/b?{SECRET}#@registry1/v2/",
        f'{{"url":"https://ops:",{SECRET}@registry1/v2/"}}',
    ],
)
def test_secrets_inside_a_text_are_hidden(text: str) -> None:
    cleaned = clean({"msg": text})["msg"]
    assert SECRET not in cleaned
    assert HIDDEN in cleaned


PASSWORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1).filter(
    lambda text: not re.search(r"""["'][,:;)\]}]""", text))


@given(before=st.sampled_from(["", "failed: ", '{"a": "', "https://host/@user/x ", "x='"]),
       scheme=st.sampled_from(["postgresql", "redis", "https", "amqp+ssl"]), user=st.sampled_from(["", "u", "a%40b"]),
       password=PASSWORDS, after=st.sampled_from(["/db", ":5432/db", '", "b": "c@d"', " c@d", ""]))
def test_a_password_in_a_url_is_hidden_whatever_it_is_made_of(before, scheme, user, password, after):
    cleaned = clean(f"{before}{scheme}://{user}:{SECRET}{password}@db1{after}")
    assert cleaned == f"{before}{scheme}://{user}:{HIDDEN}@db1{after}"
    assert clean(f"{before}{scheme}://{user}:x/{password}{SECRET}@db1{after}") == cleaned


@given(scheme=st.sampled_from(["http", "https", "wss", "HTTPS", "docker"]), port=st.none() | st.integers(1, 65535),
       path=st.text("ab/@?#=.:", max_size=20).filter(lambda text: "://" not in text))
def test_a_path_keeps_its_at_sign(scheme, port, path):
    host = "host" if port is None else f"host:{port}"
    url = f"{scheme}://{host}/{path}"
    assert clean(url) == url


def test_a_row_about_a_secret_keeps_its_name_and_loses_its_values() -> None:
    row = {"setting": "requirepass", "before": SECRET, "after": SECRET, "action": "set"}
    assert clean(row) == {"setting": "requirepass", "before": HIDDEN, "after": HIDDEN, "action": "set"}


@pytest.mark.parametrize(
    "value",
    [
        {"auth": {"metrics": {"p95_ms": 9.1}}, "keyspace_hits": 9, "passed": 3},
        "http://edge1/api/browse?status=published",
        "https://host/@user/x",
        "https://host:8443/@user/x and https://host:80?mail=a@b",
        "docker://registry1:5000/pitch@sha256:4f53cda18c2b",
        "postgresql://pitch@db1:5432/pitch",
        "ssh ops@app1: https://host:x/y",
        '{"url":"redis://cache1:6379/0","mail":"a@b"}',
        "error_rate < 1%: measured 0.2",
        "12:30 u:v",
        None,
        True,
        0.5,
    ],
)
def test_everything_else_stays(value: Any) -> None:
    assert clean(value) == value


#: Names that a person may choose for a scenario, a step, a host or a service.
NAMES = st.sampled_from(["password_reset", "token_refresh", "cookies", "app1/token-svc", "secret", "name"]) | st.text()
RESULT = {"verdict": "fail", "metrics": {"requests": 10, "errors": 5}}


@given(st.sets(NAMES, min_size=1))
def test_no_name_makes_a_result_vanish(names: set[str]) -> None:
    counts, tags = dict.fromkeys(names, 3), dict.fromkeys(names, RESULT)
    results = {name: {**RESULT, "scenarios": {name: RESULT["metrics"]}, "samples": {"tags": tags}} for name in names}
    assert clean(results, names=True) == results
    data = {"scenarios": results, "instances": results, "hosts": {name: {"steps": [RESULT]} for name in names},
            "journeys": {name: {"completed": 1, "skipped": counts} for name in names}}
    assert clean(data) == data
    assert set(clean({"way_back": dict.fromkeys(names, "v1")})["way_back"]) == names


def test_a_table_hides_what_may_be_a_secret_after_all() -> None:
    table = {"password": SECRET, "api": {"token": SECRET, "verdict": "pass"}}
    assert clean({"hosts": table}) == {"hosts": {"password": HIDDEN, "api": {"verdict": "pass"}}}


FIELD_NAMES = ["password", "PGPASSWORD", "access_token", "client_secret", "api_key", "private-key", "passphrase"]


@pytest.mark.parametrize("name", FIELD_NAMES)
@pytest.mark.parametrize("before", ["", "failed: ", "dsn host=db1 ", '{"user": "u", ', "['env', '"])
@given(rest=st.text(), after=st.sampled_from(["", " user=a", ', "user": "u"}', "\n"]))
def test_a_quoted_secret_is_hidden_whole(name: str, before: str, rest: str, after: str) -> None:
    secret = f"{SECRET} {rest}{SECRET}"
    for text in (json.dumps({name: secret}), repr({name: secret}), json.dumps(json.dumps({name: secret})),
                 f"{name}={json.dumps(secret)}", f"{name} = {secret!r}", f"{name}: {json.dumps(secret)[:-1]}"):
        assert SECRET not in clean(f"{before}{text}{after}")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_what_comes_out_is_json_and_clean_already(value: Any) -> None:
    cleaned = clean(value)
    json.dumps(cleaned, allow_nan=False)
    assert clean(cleaned) == cleaned


def test_numbers_that_json_lacks_become_null() -> None:
    assert clean([math.inf, math.nan]) == [None, None]


@pytest.mark.parametrize("text", ["a://", "a:", "http://u:", "a.b-", "a://u:", "'\\", "://@"])
def test_no_text_takes_long(text: str) -> None:
    begin = time.process_time()
    clean(text * 20_000)
    assert time.process_time() - begin < 2
