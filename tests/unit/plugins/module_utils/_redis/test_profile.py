# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._redis.profile import declare

CACHE = {
    "name": "cache", "maxmemory_share": 0.75, "policies": ["allkeys-lfu", "allkeys-lru"],
    "settings": {
        "maxmemory-policy": {"value": "allkeys-lfu", "source": "the book"},
        "save": {"value": [], "source": "the book"},
        "replica-priority": {"value": 100, "source": "the book"},
    },
}
QUEUE = {
    "name": "queue", "maxmemory_share": 0.6, "policies": ["noeviction"],
    "settings": {
        "maxmemory-policy": {"value": "noeviction", "source": "the book"},
        "appendonly": {"value": True, "source": "the book"},
        "save": {"value": [], "source": "the book"},
    },
}


def test_the_profile_gives_defaults_and_their_sources():
    declared = declare(CACHE, {}, "1gb")
    assert declared.settings == {
        "maxmemory-policy": "allkeys-lfu", "save": [], "replica-priority": 100, "maxmemory": 805306368,
    }
    assert declared.sources["maxmemory"] == "cache profile: 75% of 1.0 GiB"
    assert declared.sources["save"] == "cache profile: the book"
    assert declared.problems == []


def test_settings_win_under_any_spelling_of_the_name():
    declared = declare(CACHE, {"MaxMemory-Policy": "allkeys-lru", "slave-priority": 5, "maxmemory": "100mb"}, "1gb")
    assert declared.settings == {
        "save": [], "maxmemory-policy": "allkeys-lru", "slave-priority": 5, "maxmemory": "100mb",
    }
    assert declared.sources["slave-priority"] == "redis_tuning_settings"


def test_a_share_of_ones_own():
    assert declare(QUEUE, {}, "1gb", share=0.5).settings["maxmemory"] == 536870912


@pytest.mark.parametrize(("profile", "settings", "problem"), [
    (CACHE, {"maxmemory-policy": "noeviction"}, "expected one of allkeys-lfu, allkeys-lru for redis_tuning"),
    (QUEUE, {"maxmemory-policy": "allkeys-lru"}, "redis_tuning_settings.maxmemory-policy: expected one of noeviction"),
    (CACHE, {"maxmemory": 0}, "redis_tuning_settings.maxmemory: expected a limit"),
    (CACHE, {"maxmemory": "800mb"}, "expected at most 75% of 1.0 GiB without persistence, found 800.0 MiB"),
    (CACHE, {"maxmemory": "700mb", "appendonly": True}, "expected at most 60% of 1.0 GiB with persistence"),
    (CACHE, {"maxmemory": "700mb", "save": "900 1"}, "expected at most 60% of 1.0 GiB with persistence"),
    (QUEUE, {"maxmemory": "700mb"}, "expected at most 60% of 1.0 GiB with persistence"),
    (CACHE, {"maxmemory": "much"}, "settings.maxmemory: expected a number"),
    (CACHE, {"RequirePass": "hunter2"}, "redis_tuning_settings.requirepass: expected secrets in redis_tuning_secrets"),
])
def test_contradictions(profile, settings, problem):
    (found,) = declare(profile, settings, "1gb").problems
    assert problem in found
    assert "hunter2" not in found


def test_all_problems_at_once():
    wanted = {"maxmemory-policy": "noeviction", "maxmemory": "2gb", "masterauth": "x"}
    assert len(declare(CACHE, wanted, "1gb").problems) == 3


def test_force_allows_a_larger_share_only():
    assert declare(CACHE, {"maxmemory": "900mb"}, "1gb", force=True).problems == []
    assert declare(CACHE, {"maxmemory-policy": "noeviction"}, "1gb", force=True).problems


@pytest.mark.parametrize("memory", ["", "plenty", "4 cores"])
def test_memory_that_is_no_size(memory):
    (found,) = declare(CACHE, {}, memory).problems
    assert found.startswith("redis_tuning_memory: expected")
