# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the generator says about itself: how much of a core it used and waited for, and what that does to a verdict."""

from __future__ import annotations

import json
import os
import re
import time

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.probe import probe
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.truth import SATURATED
from benchmarks.common import nginx

#: Takes much longer to read than to send, so whoever asks for it is never done, however fast the machine is.
LONG = json.dumps({"items": [{"number": number} for number in range(20_000)], "last": True})
READ_IT = [{"name": "long", "requests": [{"path": "/long.json", "checks": {"pointers": {"/last": True}}}]}]

LIMIT = re.compile(r"the load generator was the limit: it needed \d+% of a core; use more processes or fewer vus")


@pytest.fixture
def one_core():
    """Keep this process and all that it starts on one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    yield
    os.sched_setaffinity(0, cores)


@pytest.fixture
def library(tmp_path):
    """The URL of a server with something long to read."""
    (tmp_path / "long.json").write_text(LONG)
    with nginx(f"location / {{ root {tmp_path}; }} location /short {{ return 200 'ok'; }}") as (port, _directory):
        yield f"http://127.0.0.1:{port}"


def shares(result):
    """Return both shares; what the verdict says about them is so, whatever else the machine did meanwhile."""
    generator = result["samples"]["generator"]
    running, waiting = generator["cpu_share"], generator["cpu_wait_share"]
    limit = running + waiting >= SATURATED
    assert (result["verdict"], result["samples"]["errors"]) == ("inconclusive" if limit else "pass", {})
    assert bool(result["reasons"] and LIMIT.fullmatch(result["reasons"][-1])) is limit
    return running, waiting


def test_a_process_that_is_never_done_is_the_limit(library):
    before = time.process_time()
    result = probe(target=library, scenarios=READ_IT, vus=4, duration_s=1.5)
    used = (time.process_time() - before) / 1.5
    running, waiting = shares(result)
    assert 0.2 * used < running <= used
    assert 0.8 < running + waiting < 1.1


def test_processes_that_share_a_core_wait_for_it(one_core, library):
    result = probe(target=library, scenarios=READ_IT, vus=8, duration_s=2, processes=2)
    running, waiting = shares(result)
    assert 0 < running < 0.8
    assert 0.3 < waiting < 1.1


def test_a_process_that_mostly_waits_for_answers_is_not(library):
    result = probe(target=f"{library}/short", vus=1, duration_s=1.5, scenarios=[
        {"name": "short", "think_s": 0.02, "requests": [{"path": "/short"}]}])
    running, waiting = shares(result)
    assert 0 < running < 0.5
    assert running + waiting < SATURATED
