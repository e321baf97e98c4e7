# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release and its configuration are one bundle: a rollback takes that of its release, and none that was pruned."""

from __future__ import annotations

import json

import pytest
from integration.rollout.fleet import QUICK

pytestmark = pytest.mark.faults  # whole rollouts, a minute each

SECRET = "hunter2-of-january"
SHORT = {**QUICK, "rollout_canary": False}


@pytest.fixture
def environment(fleet):
    """What the containers need anyway, as the inventory has it."""
    found = fleet.ask("app[0]", "ansible.builtin.debug", "var=release_environment")
    return found[fleet.hosts[0]]["release_environment"]


def month(fleet, host):
    """Return what the container that serves has as MONTH."""
    found = fleet.ledgers()[host]
    name = found["instances"][found["status"]["current"]["slot"]]["container"]
    return fleet.ask(host, "ansible.builtin.command", f"docker exec {name} printenv MONTH")[host].get("stdout", "")


def stored(fleet, host):
    """Return the releases of the bundles on a host."""
    listed = fleet.ask(host, "ansible.builtin.command", "ls /opt/evenkeel/pitch/bundles")[host]["stdout_lines"]
    return [name.rpartition("-")[0] for name in listed]


def test_a_rollback_takes_the_configuration_of_its_release(fleet, environment):
    host = fleet.hosts[-1]
    before = {"release_environment": {**environment, "MONTH": SECRET}, **SHORT}
    after = {"release_environment": {**environment, "MONTH": "february"}, **SHORT}
    try:
        for release, variables in (("v1", before), ("v2", after)):
            done = fleet.play("rollout", "--diff", release_name=release, **variables)
            assert done.rc == 0, done.output
            assert SECRET not in done.output.replace(json.dumps(variables), "")
        assert month(fleet, host) == "february"

        plan = fleet.play("rollback", "--check", rollback_to="previous", **after)
        assert plan.rc == 0, plan.output
        bundle = fleet.ledgers()[host]["status"]["previous"]["bundle"]
        assert f"bundle {bundle} ({', '.join(fleet.hosts)})" in plan.text

        back = fleet.play("rollback", "--diff", rollback_to="previous", **after)
        assert back.rc == 0, back.output
        assert fleet.is_on("v1")
        assert month(fleet, host) == SECRET
        assert SECRET not in back.output
        found = fleet.ledgers()[host]
        assert found["status"]["current"]["bundle"] == bundle
        assert SECRET not in json.dumps(found)

        again = fleet.play("rollback", rollback_to="v1", **after)
        assert (again.rc, again.changed) == (0, 0), again.output
    finally:
        done = fleet.play("deploy", release_name="v1")
        assert done.rc == 0, done.output
    assert month(fleet, host) == ""


def test_what_was_pruned_is_refused_before_anything_moves(fleet):
    host = fleet.hosts[0]
    for release in ("v2", "v1"):
        done = fleet.play("rollout", release_name=release, release_keep_releases=1, **SHORT)
        assert done.rc == 0, done.output
    assert stored(fleet, host) == ["v1"]
    refused = fleet.play("rollback", rollback_to="v2")
    output = refused.text
    assert refused.rc != 0
    assert f"{host}: bundle v2-" in output
    assert "v2 was pruned (release_keep_releases). Image and bundle are on every host of: v1-" in output
    assert refused.changed == 0
    assert fleet.is_on("v1")


def test_an_image_that_another_service_of_the_host_keeps_stays(fleet):
    one, other = fleet.hosts[:2]
    done = fleet.play("rollout", release_name="v2", release_keep_releases=1, **SHORT)
    assert done.rc == 0, done.output
    image = fleet.ledgers()[one]["status"]["current"]["image"]
    fleet.ask(one, "ansible.builtin.command", "cp -r /var/lib/evenkeel/pitch /var/lib/evenkeel/worker")
    try:
        for release in ("v1-abrupt", "v1"):  # the containers of v2 keep it too, until their slot is needed
            done = fleet.play("rollout", release_name=release, release_keep_releases=1, **SHORT)
            assert done.rc == 0, done.output
        found = {host: fleet.ask(host, "ansible.builtin.command", f"docker image inspect {image}")[host]["rc"] == 0
                 for host in (one, other)}
        assert found == {one: True, other: False}
    finally:
        fleet.ask(one, "ansible.builtin.command", "rm -r /var/lib/evenkeel/worker")
