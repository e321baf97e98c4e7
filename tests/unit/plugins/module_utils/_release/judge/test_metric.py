# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the metric probe, and what a load probe says of itself; the other sources are asked for real elsewhere."""

from __future__ import annotations

import contextlib
import json

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.clock import utc
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.store import Store
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.judge.metric import probe

PROMETHEUS = {"url": "http://prometheus:9090", "query": "up"}
VALUE = {"thresholds": ["value > 0"]}
COUNTED = {"state": "running", "requests": 1000, "errors": 5, "rps": 50.0, "p95_ms": 30.0}


@contextlib.contextmanager
def running(directory, **status):
    """A load probe that runs, as the store knows it, and has just said this."""
    store = Store(str(directory))
    with store.running("watch"):
        store.write_status("watch", {**COUNTED, **status})
        yield {"name": "watch", "directory": str(directory)}


@pytest.mark.parametrize(("options", "message"), [
    ({"thresholds": []}, "thresholds: expected at least one threshold"),
    ({"thresholds": ["value"], "prometheus": PROMETHEUS}, "thresholds: expected <metric> <comparison> <limit>"),
    (VALUE, "expected exactly one source of numbers"),
    ({**VALUE, "prometheus": PROMETHEUS, "load_probe": {"name": "a"}}, "exactly one source"),
    ({**VALUE, "prometheus": PROMETHEUS, "interval_s": 0}, "interval_s: expected more than 0 seconds, found 0"),
    ({**VALUE, "prometheus": PROMETHEUS, "wait_s": -1}, "wait_s: expected 0 or more seconds, found -1"),
    ({**VALUE, "balancer": {"backend": "be_shop", "duration_s": -1}}, "balancer.duration_s: expected more than 0"),
    ({**VALUE, "prometheus": {"url": "prometheus:9090", "query": "up"}}, "a URL with http or https"),
    ({**VALUE, "prometheus": {"url": "http://a:b@prometheus", "query": "up"}},
     "prometheus.url: expected a URL without a password; use headers, found '.hidden.'"),
])
def test_wrong_options_are_refused(options, message):
    with pytest.raises(InputError, match=message.replace("<", ".").replace(">", ".")):
        probe(**options)


@pytest.mark.parametrize(("wrong", "field"), [
    ({"headers": {"Authorization": "Bearer hunter2\n"}}, "prometheus.headers.Authorization: expected one line of text"),
    ({"url": "http://[bad:hunter2@x"}, "prometheus.url: expected a URL"),
    ({"url": "http://a:hunter2@prometheus"}, "prometheus.url: expected a URL without a password"),
])
def test_a_secret_is_not_shown_where_it_cannot_be_used(wrong, field):
    with pytest.raises(InputError, match=field) as error:
        probe(prometheus={**PROMETHEUS, **wrong}, thresholds=["value > 0"])
    assert "hunter2" not in str(error.value)


def test_check_mode_asks_nobody():
    result = probe(prometheus=PROMETHEUS, thresholds=["value > 0"], check_mode=True)
    assert (result["verdict"], result["changed"]) == ("inconclusive", False)


def test_a_load_probe_that_runs_is_judged_by_what_it_has_counted(tmp_path):
    with running(tmp_path) as source:
        good = probe(load_probe=source, thresholds=["error_rate < 1%", "p95 < 50ms"])
        bad = probe(load_probe=source, thresholds=["error_rate < 0.1%"])
    assert (good["verdict"], good["metrics"]["error_rate"]) == ("pass", 0.005)
    assert (bad["verdict"], bad["reasons"]) == ("fail", ["error_rate < 0.1%: measured 0.005"])


@pytest.mark.parametrize(("status", "reason"), [
    ({"requests": 0}, "has no request yet"),
    ({"state": "failed", "msg": "no route"}, "does not run: it is failed. no route"),
])
def test_a_load_probe_without_numbers_is_no_pass(tmp_path, status, reason):
    with running(tmp_path, **status) as source:
        result = probe(load_probe=source, thresholds=["error_rate < 1%"], deadline_s=0)
    assert result["verdict"] == "inconclusive"
    assert reason in result["reasons"][0]


def test_a_load_probe_that_fell_silent_is_no_pass(tmp_path):
    with running(tmp_path) as source:
        path = tmp_path / "watch.status.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "updated_at": utc(0)}))
        result = probe(load_probe=source, thresholds=["error_rate < 1%"], deadline_s=0)
    assert result["verdict"] == "inconclusive"
    assert "has not said anything for" in result["reasons"][0]
