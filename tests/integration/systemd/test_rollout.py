# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases that are archives and run as systemd units, there and back as those of Compose."""

from __future__ import annotations

import signal

import pytest
from integration.rollout.faults import Machines, Users, kill_at, one_release, play, settled, wait_until
from integration.rollout.fleet import QUICK, ROOT

PORT = 8098
FAULTS = pytest.mark.faults  # whole rollouts, a minute each
#: The watch counts, what else judges is short.
COUNTED = {**QUICK, "rollout_watch": True}


@pytest.fixture
def on_v1(fleet):
    """The fleet on v1, whatever the test before left."""
    done = fleet.play("deploy", release_name="v1", **QUICK)
    assert done.rc == 0, done.output
    return fleet


def units(fleet, pattern="chime-*@*"):
    """Return the units that run, by host."""
    found = fleet.ask("app", "ansible.builtin.command",
                      f"systemctl list-units --state=active --plain --no-legend {pattern}")
    return {host: [line.split()[0] for line in one["stdout_lines"]] for host, one in found.items()}


@pytest.mark.parametrize("old", ["v1", pytest.param("v1-abrupt", marks=FAULTS)])
def test_there_and_back_fails_no_request(on_v1, old):
    fleet = on_v1
    if old != "v1":
        assert fleet.play("rollout", release_name=old, **QUICK).rc == 0
    plan = fleet.play("rollout", "--check", release_name="v2")
    assert plan.changed == 0
    assert "to v2, image chime@sha256:" in plan.text
    done = fleet.play("rollout", release_name="v2", **COUNTED)
    assert done.rc == 0, done.output
    assert done.failed_requests == 0, done.output
    assert fleet.is_on("v2")
    assert {len(ones) for ones in units(fleet).values()} == {1}
    again = fleet.play("rollout", release_name="v2", **COUNTED)
    assert (again.rc, again.changed) == (0, 0), again.output
    back = fleet.play("rollback", rollback_to="previous", **COUNTED)
    assert back.rc == 0, back.output
    assert back.failed_requests == 0, back.output
    assert fleet.is_on(old)


@FAULTS
def test_a_release_that_crashes_is_sent_back_before_it_has_traffic(on_v1):
    done = on_v1.play("rollout", release_name="bad-crash", **COUNTED)
    assert done.rc == 2, done.output
    assert done.failed_requests == 0, done.output
    assert "restart" in done.text
    assert "rolled back on every host" in done.text
    assert on_v1.is_on("v1")
    assert {len(ones) for ones in units(on_v1).values()} == {1}


@FAULTS
def test_another_archive_than_the_digest_says_is_refused_before_anything_moves(on_v1):
    image = f"{ROOT}/.cache/lab/chime/chime-v2.tar.gz@sha256:{'0' * 64}"
    done = on_v1.play("rollout", release_name="v2", release_image=image, **QUICK)
    assert done.rc == 2, done.output
    assert f"expected sha256:{'0' * 64}, found sha256:" in done.text
    assert on_v1.is_on("v1")
    left = on_v1.ask("app", "ansible.builtin.command", "ls /opt/evenkeel/chime/images")
    assert not [one["stdout"] for one in left.values() if "." in one["stdout"]]


@pytest.mark.parametrize(("image", "problem"), [
    ("/srv/chime-v2.tar.gz", "image: expected an archive with the digest of its content"),
    (f"chime@sha256:{'0' * 64}", "expected it on this host"),
], ids=["no-digest", "pruned"])
def test_an_image_that_cannot_be_is_refused_with_nothing_changed(on_v1, image, problem):
    done = on_v1.play("rollout", release_name="v9", release_image=image, **QUICK)
    assert (done.rc, done.changed) == (2, 0), done.output
    assert problem in done.text


@FAULTS
def test_an_archive_comes_from_a_web_server_and_old_ones_go(on_v1):
    (address,) = {one["lab_address"] for one in on_v1.ask("load", "ansible.builtin.debug", "var=lab_address").values()}
    on_v1.ask("load", "ansible.builtin.copy", f"src={ROOT}/.cache/lab/chime", "dest=/srv")
    on_v1.ask("load", "ansible.builtin.command",
              "systemd-run --unit=archives --property=WorkingDirectory=/srv/chime python3 -m http.server 8097")
    digest = next(iter(on_v1.ask("load", "ansible.builtin.stat", "path=/srv/chime/chime-v3.tar.gz",
                                 "checksum_algorithm=sha256").values()))["stat"]["checksum"]
    try:
        done = on_v1.play("rollout", release_name="v3", release_keep_releases=1,
                          release_image=f"http://{address}:8097/chime-v3.tar.gz@sha256:{digest}", **QUICK)
    finally:
        on_v1.ask("load", "ansible.builtin.command", "systemctl stop archives")
    assert done.rc == 0, done.output
    assert on_v1.is_on("v3")
    for found in on_v1.ledgers().values():
        assert found["stored"] == [] or found["stored"] == [f"chime@sha256:{digest}"]
    kept = on_v1.ask("app", "ansible.builtin.command", "ls /opt/evenkeel/chime/images")
    assert {one["stdout"] for one in kept.values()} == {digest}
    back = on_v1.play("rollback", rollback_to="v1")
    assert (back.rc, back.changed) == (2, 0), back.output


@FAULTS
def test_replicas_come_and_go(on_v1):
    for count in (2, 1):
        done = on_v1.play("rollout", release_name="v1", release_replicas=count, **COUNTED)
        assert done.rc == 0, done.output
        assert done.failed_requests == 0, done.output
        assert on_v1.is_on("v1", count)
        assert {len(ones) for ones in units(on_v1).values()} == {count}


@FAULTS
def test_a_migration_runs_in_a_unit_of_its_own(on_v1):
    told = ('import json, os; release = json.load(open("release.json"))["name"]; '
            'print(release, os.environ["GREETING"][:4], os.getuid() > 0)')
    migration = {"name": "tell", "systemd": ["/usr/bin/python3", "-c", f"{told}; raise SystemExit(3)"]}
    done = on_v1.play("rollout", release_name="v2", rollout_migration=migration, **QUICK)
    assert done.rc == 2, done.output
    assert "v2 ding True" in done.text
    assert on_v1.is_on("v1")
    migration["systemd"][-1] = told
    done = on_v1.play("rollout", release_name="v2", rollout_migration=migration, **QUICK)
    assert done.rc == 0, done.output
    assert on_v1.is_on("v2")


@FAULTS
def test_the_slot_in_use_is_restarted_without_a_failed_request(on_v1):
    health = [{"name": "chime", "type": "http", "url": "http://127.0.0.1:{port}/health"}]
    chime = {"name": "chime", "runtime": "systemd_slot", "backend": "be_chime", "health": health}
    ours = f"{{{{ {[chime]} if inventory_hostname in groups.app else [] }}}}"
    before, asked = units(on_v1), ("systemctl show --property=MainPID", "chime-*@1.service")
    mains = on_v1.ask("app", "ansible.builtin.command", *asked)
    with Users(Machines(on_v1).address, port=PORT) as users:
        done = on_v1.play("restart", graceful_restart_services=ours)
    assert done.rc == 0, done.output
    assert f"{len(on_v1.hosts)} of {len(on_v1.hosts)} instances restarted" in done.text
    assert users.failed == []
    assert units(on_v1) == before
    for host, found in on_v1.ask("app", "ansible.builtin.command", *asked).items():
        assert found["stdout"] != mains[host]["stdout"]
    assert on_v1.is_on("v1")


@FAULTS
@pytest.mark.parametrize(("state", "phase", "ends"), [
    ("SWITCHED", "result", ("v1",)), ("COMMITTED", "intent", ("v1", "v2")),
])
def test_a_dead_controller_leaves_one_release(on_v1, state, phase, ends):
    machines = Machines(on_v1)
    health = {"release_health": {"consecutive": 2, "interval_s": 0.2, "deadline_s": 10}}
    with Users(machines.address, port=PORT) as users:
        kill_at(machines, "v2", on_v1.hosts[0], state, phase, signal.SIGKILL, **health)
        wait_until(lambda: settled(machines), 120, 0.5)
        assert one_release(machines, users) in ends
        again = play(on_v1, "rollout", release_name="v2", **health)
        assert again.rc == 0, again.output
        assert one_release(machines, users) == "v2"
    assert users.failed == []
