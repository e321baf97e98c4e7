# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""metric_probe against the real sources: Prometheus, HAProxy's counters, a load probe that runs."""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.task import perform
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.metric import probe
from ansible_collections.evenkeel.fleet.tests.integration.balancer.harness import Balancer, free_port, until

ERRORS = ('sum(increase(haproxy_backend_http_responses_total{proxy="be_shop",code="5xx"}[30s]))'
          ' / sum(increase(haproxy_backend_http_responses_total{proxy="be_shop"}[30s]))')


@pytest.fixture
def traffic(balancer: Balancer) -> Iterator[None]:
    """Requests through the balancer, twenty a second, of which the shops may fail some."""
    balancer.switch({"name": "blue", "state": "ready"}, healthy=True)
    end = threading.Event()

    def ask() -> None:
        while not end.wait(0.05):
            with contextlib.suppress(urllib.error.HTTPError):
                balancer.get("/")

    thread = threading.Thread(target=ask)
    thread.start()
    yield
    end.set()
    thread.join()


def asked(url: str, query: str, *thresholds: str, **options: Any) -> dict[str, Any]:
    return probe(prometheus={"url": url, "query": query}, thresholds=thresholds or ["value < 0.05"],
                 **{"deadline_s": 15, "interval_s": 0.3, **options})


def test_prometheus_passes_a_healthy_service_as_soon_as_it_has_data(prometheus: str, traffic: None) -> None:
    result = asked(prometheus, ERRORS)
    assert (result["verdict"], result["metrics"]["value"]) == ("pass", 0.0), result
    assert result["duration_s"] < 10


def test_prometheus_fails_a_service_with_errors_and_says_how_many(prometheus: str, balancer: Balancer,
                                                                  traffic: None) -> None:
    balancer.shops["blue"].answers = itertools.cycle([200, 500])
    result = asked(prometheus, ERRORS, wait_s=3)
    assert result["verdict"] == "fail", result
    assert 0.3 < result["metrics"]["value"] < 0.7
    assert result["reasons"] == [f"value < 0.05: measured {result['metrics']['value']:.6g}"]


@pytest.mark.parametrize(("query", "reason"), [
    ("no_such_metric", "Prometheus has no data for this query."),
    ("vector(0) / vector(0)", "value < 0.05: value was not measured"),
])
def test_no_data_is_not_a_pass(prometheus: str, query: str, reason: str) -> None:
    until(lambda: asked(prometheus, "vector(0)", deadline_s=0)["verdict"] == "pass")
    result = asked(prometheus, query, deadline_s=1)
    assert (result["verdict"], result["reasons"]) == ("inconclusive", [reason])
    assert result["duration_s"] >= 0.5


def test_each_series_has_to_keep_the_thresholds(prometheus: str) -> None:
    query = 'label_replace(vector(0.01), "code", "a", "", "") or label_replace(vector(0.9), "code", "b", "", "")'
    result = asked(prometheus, query)
    assert (result["verdict"], result["metrics"]) == ("fail", {"value": 0.9, "labels": {"code": "b"}})
    assert len(result["samples"]["series"]) == 2


@pytest.mark.parametrize(("query", "message"), [
    ("sum(", "prometheus.query: expected a query that Prometheus can evaluate"),
    ("up[1m]", "prometheus.query: expected a query whose result is a scalar or an instant vector"),
])
def test_a_wrong_query_is_an_error_and_not_a_verdict(prometheus: str, query: str, message: str) -> None:
    with pytest.raises(InputError, match=message.split(":")[1].strip()):
        asked(prometheus, query)


def test_a_prometheus_that_is_away_is_no_data() -> None:
    result = asked(f"http://127.0.0.1:{free_port()}", "1", deadline_s=0)
    assert result["verdict"] == "inconclusive"
    assert "refused the connection" in result["reasons"][0]


def test_counters_of_the_balancer(balancer: Balancer, traffic: None) -> None:
    source = {"backend": "be_shop", "duration_s": 1.0, "socket": balancer.socket}
    result = probe(balancer=source, thresholds=["error_rate < 1%", "econ == 0", "requests > 5"])
    assert result["verdict"] == "pass", result
    balancer.shops["blue"].answers = iter(lambda: 500, None)
    result = probe(balancer={**source, "server": "blue"}, thresholds=["error_rate < 1%"])
    assert result["verdict"] == "fail"
    assert result["metrics"]["errors"] == result["metrics"]["requests"] > 5


def test_counters_without_traffic_are_no_data(balancer: Balancer) -> None:
    source = {"backend": "be_shop", "duration_s": 0.1, "socket": balancer.socket}
    result = probe(balancer=source, thresholds=["error_rate < 1%"], deadline_s=0)
    assert (result["verdict"], result["reasons"]) == ("inconclusive", ["HAProxy's be_shop had no request in 0.1 s."])
    with pytest.raises(InputError, match="one of blue, green"):
        probe(balancer={**source, "server": "red"}, thresholds=["error_rate < 1%"])


def test_a_load_probe_that_runs_is_judged_and_one_that_ended_is_no_data(balancer: Balancer, tmp_path: Path) -> None:
    balancer.switch({"name": "blue", "state": "ready"}, healthy=True)
    source = {"name": "watch", "directory": str(tmp_path / "probes")}
    options = {
        "target": f"http://127.0.0.1:{balancer.port}/", "executor": "constant_arrival_rate", "rate_rps": 20.0,
        "duration_s": 5.0, "result_name": "watch", "result_directory": source["directory"]}
    running = multiprocessing.get_context("spawn").Process(target=perform, kwargs=options)
    running.start()
    until(lambda: (tmp_path / "probes/watch.status.json").exists())
    good = probe(load_probe=source, thresholds=["error_rate < 1%", "p95 < 5s"], interval_s=0.5)
    balancer.shops["blue"].answers = iter(lambda: 500, None)
    bad = probe(load_probe=source, thresholds=["error_rate < 1%"], wait_s=2)
    running.join()
    assert (good["verdict"], good["metrics"]["errors"]) == ("pass", 0), good
    assert bad["verdict"] == "fail"
    assert bad["metrics"]["errors"] > 0
    ended = probe(load_probe=source, thresholds=["error_rate < 1%"], deadline_s=0)
    assert ended["verdict"] == "inconclusive"
    assert "does not run: it is finished" in ended["reasons"][0]


def test_the_module_as_ansible_calls_it(balancer: Balancer, traffic: None) -> None:
    options = {"balancer": {"backend": "be_shop", "duration_s": 0.5, "socket": balancer.socket},
               "thresholds": ["error_rate < 1%"]}
    command = [str(Path(sys.executable).with_name("ansible")), "localhost", "-i", "localhost,", "-c", "local",
               "-e", f"ansible_python_interpreter={sys.executable}"]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
                   "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.oneline"}
    done = subprocess.run([*command, "-m", "evenkeel.fleet.metric_probe", "-a", json.dumps(options)],
                          capture_output=True, text=True, env=environment, check=False)
    result = json.loads(done.stdout.split(" => ", 1)[1])
    assert (result["changed"], result["verdict"]) == (False, "pass"), done.stdout
