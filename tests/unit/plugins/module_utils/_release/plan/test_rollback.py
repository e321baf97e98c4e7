# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rollback means, and that it is refused when its image or bundle is no longer there."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.declared.bundle import name_of
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.history import in_line
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.plan import rollback


def entry(release, config="a", **data):
    config = f"sha256:{config * 64}"
    return {"release": release, "image": f"r:5000/shop@{release}", "config": config, "bundle": name_of(release, config),
            **data}


def ledgers(*histories):
    return {f"app{number}": {"status": {"history": each, "previous": each[-2] if len(each) > 1 else None}}
            for number, each in enumerate(histories, 1)}


def test_a_release_means_the_last_commit_of_it_and_a_bundle_that_very_one():
    history = [entry("v1", "a"), entry("v1", "b"), entry("v2", "c")]
    both = ledgers(history, history)
    expected = {"release": "v1", "image": "r:5000/shop@v1", "configs": dict.fromkeys(both, "sha256:" + "b" * 64)}
    assert rollback.target(both, "previous") == expected
    assert rollback.target(both, "v1") == expected
    older = rollback.target(both, "v1-aaaaaaaaaaaa")
    assert (older["release"], older["configs"]["app1"]) == ("v1", "sha256:" + "a" * 64)


def test_each_host_has_a_configuration_of_its_own():
    both = ledgers([entry("v1", "a"), entry("v2")], [entry("v1", "b"), entry("v2")])
    configs = rollback.target(both, "v1")["configs"]
    assert configs == {"app1": "sha256:" + "a" * 64, "app2": "sha256:" + "b" * 64}


@pytest.mark.parametrize(("histories", "wanted", "message"), [
    ([[entry("v1"), entry("v2")]], "v9", "expected v9 in the ledger of app1, found: v1, v2"),
    ([[entry("v1")]], "previous", "a release before the current one"),
    ([[entry("v1"), entry("v2")], [entry("v0"), entry("v2")]], "previous",
     r"mean one release for all hosts, found v1 .* on app1; v0 .* on app2"),
])
def test_what_no_host_or_not_every_host_knows_is_refused(histories, wanted, message):
    with pytest.raises(FleetError, match=message):
        rollback.target(ledgers(*histories), wanted)


def test_previous_is_not_asked_for_while_a_run_commits():
    both = ledgers([entry("v1"), entry("v2")], [entry("v1"), entry("v2")])
    both["app2"]["status"].update(interrupted=True, state="COMMITTED", run="run-7", release="v3")
    with pytest.raises(FleetError, match=r"found that run run-7 commits v3 on app2\. Nothing was changed"):
        rollback.target(both, "previous")
    assert rollback.target(both, "v1")["release"] == "v1"
    both["app2"]["status"].update(interrupted=False)
    assert rollback.target(both, "previous")["release"] == "v1"


def test_another_configuration_of_the_same_release_is_something_to_go_back_from():
    first, second = entry("v1", "a"), entry("v1", "b")
    assert in_line([first, second]) == [first, second]
    assert in_line([first, second, second]) == [first, second]
    migrated = {**second, "migration": {"name": "split", "irreversible": True}}
    assert in_line([first, migrated, second]) == [first, migrated]
    back = {**second, "kind": "rollback", "migration": {}}
    assert in_line([first, migrated, entry("v2"), back]) == [first, {**back, "migration": migrated["migration"]}]
    again = {**first, "kind": "rollback"}
    assert in_line([first, second, again]) == [again]


def observed(*history, stored=None, bundles=None, image=True):
    return {"history": list(history), "image": {"digest": "d"} if image else None,
            "stored": [one["image"] for one in history] if stored is None else stored,
            "bundles": {one["bundle"]: one["config"] for one in history} if bundles is None else bundles}


V1, V2, V3 = entry("v1"), entry("v2", "b"), entry("v3", "c")
CONFIGS = {"app1": V1["config"], "app2": V1["config"]}


def test_a_bundle_and_an_image_that_are_there_are_no_problem():
    hosts = {"app1": observed(V1, V2), "app2": observed(V1, V2, stored=[])}  # its image is in the registry
    assert not list(rollback.problems(hosts, "v1", CONFIGS, hosts))


@pytest.mark.parametrize(("lacking", "found"), [
    ({"bundles": {V2["bundle"]: V2["config"]}}, "app2: bundle v1-aaaaaaaaaaaa: expected it on the host, found v2-bbb"),
    ({"bundles": {}}, "found none"),
    ({"bundles": {V1["bundle"]: V2["config"]}}, "found one that somebody changed"),
])
def test_a_bundle_that_is_gone_is_refused_with_what_is_there(lacking, found):
    hosts = {"app1": observed(V1, V2, V3, stored=[V2["image"], V3["image"]]), "app2": observed(V1, V2, V3, **lacking)}
    first, last = rollback.problems(hosts, "v1", CONFIGS, hosts)
    assert found in first
    kept = "v2-bbbbbbbbbbbb" if V2["bundle"] in hosts["app2"]["bundles"] else "no release"
    assert f"v1 was pruned (release_keep_releases). Image and bundle are on every host of: {kept}." in last


def test_an_image_that_is_nowhere_names_the_releases_that_are():
    hosts = {"app1": observed(V1, V2, V3, stored=[V2["image"], V3["image"]], image=False)}
    (only,) = rollback.problems(hosts, "v1", CONFIGS, hosts)
    assert "on every host of: v2-bbbbbbbbbbbb, v3-cccccccccccc." in only


def test_a_commit_of_a_time_without_bundles_is_refused():
    hosts = {"app1": observed(V1, V2)}
    assert "app1: bundle of v1: expected it on the host" in next(iter(rollback.problems(hosts, "v1", {}, hosts)))
