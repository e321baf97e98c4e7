# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hooks run in their places and are in the ledger, one that fails sends the wave back; webhooks hear of it."""

from __future__ import annotations

import json
import socket

import pytest
from integration.rollout.fleet import ENVIRONMENT, QUICK, ROOT
from integration.rollout.webhook import Webhook

TOKEN = "Bearer of-the-webhook"


def records(fleet, host):
    """Return the records of the last run on a host."""
    found = fleet.ledgers()[host]
    return [record for record in found["records"] if record["run"] == found["status"]["run"]]


def hook(name, command="true", **more):
    return {"name": name, "command": command, **more}


@pytest.fixture
def nobody():
    """The URL of a port at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/of-the-url"


@pytest.fixture
def become_for_all(tmp_path, monkeypatch):
    """Everybody becomes somebody by a program that the lab's hosts have and this machine has not."""
    path = tmp_path / "become.yml"
    others = {"vars": {"ansible_become_user": "nobody", "ansible_become_exe": "/nowhere/sudo", "ansible_become": True},
              "children": {"lab": {"vars": {"ansible_become_user": "root", "ansible_become_exe": "sudo"}}}}
    path.write_text(json.dumps({"all": others}))
    monkeypatch.setitem(ENVIRONMENT, "ANSIBLE_INVENTORY", f"{ROOT}/inventories/lab,{path}")


def test_hooks_run_in_their_places_and_webhooks_hear_of_it(fleet, nobody, become_for_all, tmp_path):
    written = tmp_path / "hooks"
    hooks = {
        "before_stage": [hook("first", "test $EVENKEEL_HOST = " + fleet.hosts[0], where="once")],
        "before_switch": [hook("all", "test $EVENKEEL_RELEASE = v2"),
                          hook("here", f"echo $EVENKEEL_PHASE $EVENKEEL_HOSTS >> {written}", where="controller")],
        "after_switch": [hook("after")],
        "before_commit": [hook("last", where="once")],
        "after_commit": [hook("too late", "echo it does not matter; exit 3", where="once")],
    }
    with Webhook() as webhook:
        notify = [{"url": webhook.url, "headers": {"Authorization": TOKEN}}, {"url": nobody, "events": ["start"]}]
        done = fleet.play("rollout", release_name="v2", rollout_hooks=hooks, rollout_notify=notify,
                          rollout_commit="4f53cda", **{**QUICK, "rollout_soak_s": 1})
    assert done.rc == 0, done.output
    assert fleet.is_on("v2")
    assert f"warning: hook too late of after_commit failed on {fleet.hosts[0]}: rc 3: it does not matter" in done.text
    assert written.read_text().splitlines() == [
        f"before_switch {fleet.hosts[0]}", f"before_switch {' '.join(fleet.hosts[1:])}"]

    steps = records(fleet, fleet.hosts[0])
    noted = {(step["state"], one["name"]): one["rc"] for step in steps for one in step["data"].get("hooks", [])}
    assert noted == {("STAGED", "first"): 0, ("SWITCHED", "all"): 0, ("SWITCHED", "here"): 0, ("SOAKING", "after"): 0,
                     ("COMMITTED", "last"): 0}
    audit = steps[0]["data"]["audit"]
    assert (steps[0]["state"], audit["commit"], audit["collection"].count(".")) == ("PLANNED", "4f53cda", 2)

    assert [(token, body["event"]) for token, body in webhook.told] == [
        (TOKEN, "start"), (TOKEN, "wave"), (TOKEN, "wave"), (TOKEN, "committed")]
    end = webhook.told[-1][1]
    assert (end["schema"], end["release"], end["verdict"]) == ("evenkeel.fleet/notification/1", "v2", "pass")
    assert set(end["states"]) == set(fleet.hosts)
    assert "notification start was not taken by 127.0.0.1" in done.text
    for secret in (TOKEN, "of-the-url"):
        assert secret not in done.output + json.dumps(steps)
    back = fleet.play("rollback", rollback_to="previous", **QUICK)
    assert back.rc == 0, back.output


@pytest.mark.faults
def test_a_hook_that_fails_on_one_host_sends_the_whole_wave_back(fleet):
    not_here = hook("not here", f"test $EVENKEEL_HOST != {fleet.hosts[-1]}")
    hooks = {"before_switch": [not_here, hook("unreached", "exit 9")],
             "after_rollback": [hook("swept", "touch /tmp/evenkeel-swept", where="once")]}
    with Webhook() as webhook:
        done = fleet.play("rollout", release_name="v2", rollout_hooks=hooks,
                          rollout_strategy="blue_green", rollout_notify=[{"url": webhook.url}], **QUICK)
    assert done.rc == 2, done.output
    assert f"hook not here of before_switch failed on {fleet.hosts[-1]}: rc 1" in done.text
    assert "before_switch: unreached" not in done.output.partition("PLAY [3.")[2]
    assert fleet.is_on("v1")
    for host in fleet.hosts:
        assert "SWITCHED" not in {step["state"] for step in records(fleet, host)}
    assert [body["event"] for dummy, body in webhook.told] == ["start", "rolled_back"]
    swept = fleet.ask(fleet.hosts[0], "ansible.builtin.file", "path=/tmp/evenkeel-swept", "state=absent")
    assert swept[fleet.hosts[0]]["changed"]


def test_everything_that_means_nothing_is_told_at_once_and_nothing_is_changed(fleet):
    done = fleet.play("rollout", "--check", release_name="v2",
                      rollout_hooks={"sometime": []}, rollout_notify=[{"url": "of-the-url"}],
                      rollout_migration={"command": "true", "host": "db9"}, rollout_waves=[{"group": "mars"}])
    output = done.text
    assert done.rc != 0
    assert "Nothing was changed. The rollout has 4 problem(s)" in output
    for message in ("rollout_hooks: expected phases out of before_stage", "rollout_notify[0].url: expected a URL",
                    "rollout_migration.host: expected a host of the inventory",
                    "rollout_waves: expected a group of the inventory"):
        assert message in output
    assert "of-the-url" not in done.output
    assert done.changed == 0
