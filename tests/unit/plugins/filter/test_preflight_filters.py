# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

pytest.importorskip("ansible.errors", reason="needs ansible-core")

from ansible_collections.evenkeel.fleet.plugins.filter.preflight_lines import preflight_lines
from ansible_collections.evenkeel.fleet.plugins.filter.request_problems import request_problems

pytestmark = pytest.mark.controller

GROUPS = {"app": ["app1", "app2"], "edge": []}


def problems(variables, required=("app",), **options):
    return request_problems({"app1": variables, "app2": {}}, ["app1", "app2"], GROUPS, required, **options)


def test_a_right_request_has_no_problem():
    variables = {"preflight_python": "3.11", "preflight_clock_skew_s": "2", "other": 1, "preflight": 2}
    assert problems(variables) == []


def test_an_empty_and_an_unknown_group_are_named():
    found = problems({}, required=["edge", "app", "cache"])
    assert [text.split(":")[0] for text in found] == ["edge", "cache"]


def test_a_typo_names_variable_value_host_and_the_nearest_name():
    (found,) = problems({"preflight_pyton": "3.11"})
    for part in ("preflight_pyton", "'3.11'", "app1", "Did you mean preflight_python?"):
        assert part in found
    assert "app2" not in found


def test_a_name_near_nothing_lists_what_the_role_knows():
    (found,) = problems({"preflight_zzzzzz": 1})
    assert "knows: preflight_checks" in found


def test_a_wrong_type_and_a_wrong_choice():
    found = problems({"preflight_ports": [{"port": "eighty"}], "preflight_tools": ["podman"]})
    assert any("preflight_ports: expected list of dict" in text for text in found)
    assert any("preflight_tools: expected one of docker, compose, haproxy" in text for text in found)


def test_an_ignored_variable_is_left_alone():
    assert problems({"preflight_mine": 1}, ignored=["preflight_mine"]) == []


def test_what_roles_registered_since_is_left_alone():
    assert problems({"preflight_result": 1, "_preflight_checked": True}) == []


def test_secrets_are_not_shown():
    (found,) = problems({"preflight_api_token": "s3cr3t"})
    assert "s3cr3t" not in found
    assert "(hidden)" in found


@pytest.mark.parametrize("variables", [
    {"preflight_postgres": "postgresql://pitch:s3cr3t@db1/pitch"},
    {"preflight_redis": "{'host': 'cache1', 'password': 's3cr3t'"},
    {"preflight_nothing": [{"url": "redis://:s3cr3t@cache1/0"}]},
    {"graceful_restart_services": {"name": "shop", "health": [{"password": "s3cr3t"}]}},
    {"graceful_restart_services": [{"name": "shop", "health": "password='s3cr3t'", "priority": "token=s3cr3t"}]},
])
def test_a_secret_within_a_wrong_value_is_not_shown(variables):
    (found,) = problems(variables)
    assert next(iter(variables)) in found
    assert "s3cr3t" not in found


def test_what_the_collection_decides_itself_is_no_variable():
    found = problems({"load_balancer_state_file": "/srv/states", "load_balancer_socket": "/run/haproxy/runtime.sock"})
    assert [text.split(":")[0] for text in found] == ["load_balancer_socket", "load_balancer_state_file"]
    assert all("role load_balancer has no such variable" in text for text in found)


def test_a_long_value_is_cut():
    (found,) = problems({"preflight_zz": "x" * 10000})
    assert len(found) < 1000


def test_hosts_that_did_not_answer_are_one_problem():
    silent = {"unreachable": True, "msg": "Task failed: no route. In some cases, …"}
    (found,) = problems({"_ping": silent}, ping="_ping")
    assert "app1: no route (connection ssh)" in found
    assert "--limit" in found


def test_a_required_variable_is_missed_on_the_hosts_of_its_group():
    found = problems({"release_service": "shop"}, roles={"release": "app"})
    assert any(text.startswith("release_service: required") and "not set for app2." in text for text in found)
    assert problems({}, roles={"release": "edge"}) == []


def test_lines_join_hosts_with_the_same_finding_and_miss_nobody():
    finding = {"level": "fail", "what": "memory", "expected": "2 GiB", "found": "1 GiB", "remedy": "Add memory."}
    seen = {"_preflight_look": {"findings": [finding, {**finding, "level": "warn"}]}}
    lines = preflight_lines({"a": seen, "b": seen, "c": {}}, ["a", "b", "c"], "fail")
    assert lines[0] == "a, b: memory: expected 2 GiB, found 1 GiB. Add memory."
    assert lines[1].startswith("c: preflight: expected findings, found none")
