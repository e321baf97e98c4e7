# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._redis.plan import (
    Change,
    masked,
    propose,
    refuse_open_secrets,
)
from ansible_collections.evenkeel.fleet.plugins.module_utils._redis.server import Server

SERVER = Server(
    config={
        "maxmemory": "0", "maxmemory-policy": "noeviction", "databases": "16", "dir": "/var/lib/redis",
        "enable-protected-configs": "no", "requirepass": "old", "replica-priority": "100", "slave-priority": "100",
        "hash-max-listpack-entries": "512", "hash-max-ziplist-entries": "512",
    },
    info={"redis_version": "7.0.15", "used_memory": "1000000"},
)


def test_every_setting_has_its_action_in_alphabetical_order():
    wanted = {"maxmemory-policy": "noeviction", "maxmemory": "64mb", "databases": 32, "dir": "/srv"}
    assert propose(wanted, SERVER) == [
        Change("databases", "16", "32", "restart"),
        Change("dir", "/var/lib/redis", "/srv", "restart"),
        Change("maxmemory", "0", "67108864", "set"),
        Change("maxmemory-policy", "noeviction", "noeviction", "none"),
    ]


def test_protected_settings_are_live_where_the_server_allows_it():
    server = Server({**SERVER.config, "enable-protected-configs": "yes"}, SERVER.info)
    assert propose({"dir": "/srv"}, server)[0].action == "set"


def test_unknown_parameters_are_all_named_with_the_nearest_names():
    with pytest.raises(FleetError) as failure:
        propose({"maxmemory_policy": "allkeys-lru", "xyzzy": 1, "maxmemory": "1gb"}, SERVER)
    assert failure.value.msg == (
        "settings: expected parameters that Redis 7.0.15 knows, found maxmemory_policy, xyzzy; nothing was changed."
    )
    assert "maxmemory_policy: did you mean maxmemory-policy" in failure.value.remedy
    assert failure.value.details == {"unknown": ["maxmemory_policy", "xyzzy"]}


@pytest.mark.parametrize("wanted", [
    {"maxmemory": "1gb", "MaxMemory": "2gb"},
    {"replica-priority": 1, "slave-priority": 1},
    {"hash-max-listpack-entries": 1, "hash-max-ziplist-entries": 1},
])
def test_a_parameter_is_wanted_once(wanted):
    with pytest.raises(FleetError, match="expected every parameter once"):
        propose(wanted, SERVER)


def test_a_limit_below_the_memory_in_use_is_refused_unless_forced():
    with pytest.raises(InputError, match=r"settings\.maxmemory: expected at least the 976\.6 KiB in use"):
        propose({"maxmemory": "500kb"}, SERVER)
    assert propose({"maxmemory": "500kb"}, SERVER, force=True)[0].after == "512000"
    assert propose({"maxmemory": 0}, SERVER)[0].action == "none"


def test_a_full_cache_that_is_at_its_limit_stays_as_it_is():
    server = Server({**SERVER.config, "maxmemory": "512000"}, SERVER.info)
    assert propose({"maxmemory": "500kb"}, server)[0].action == "none"


def test_secrets_belong_where_they_are_not_shown():
    with pytest.raises(FleetError) as failure:
        refuse_open_secrets({"maxmemory": 1, "RequirePass": "hunter2"})
    assert "settings.RequirePass" in str(failure.value)
    assert "hunter2" not in str(failure.value)
    (change,) = propose({"requirepass": "hunter2"}, SERVER)
    assert masked(change) == {"setting": "requirepass", "before": "********", "after": "********", "action": "set"}
