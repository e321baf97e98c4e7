# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images from a registry that misbehaves, by an engine with a small disk; and from the lab's registry on the lab."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.engine import Engine, Unreachable
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.pull import pull

sys.path.insert(0, str(Path(__file__).parents[2]))
from integration.runtime.servers import Registry, small_engine

ROOT = Path(__file__).parents[3]
IMAGE = "registry1:5000/pitch:bad-leak"


@pytest.fixture
def engine(tmp_path):
    """The process of an engine whose disk has 20 MB; its socket is ``tmp_path/docker.sock``."""
    with small_engine(tmp_path, 20) as process:
        yield process


@pytest.fixture
def registry():
    with Registry() as one:
        yield one


@pytest.fixture
def fetch(engine, registry, tmp_path):
    """Pull from the registry."""
    def call(reference="app:v1", **options):
        return pull(f"{registry.address}/{reference}", str(tmp_path / "docker.sock"), **options)

    return call


def images(tmp_path):
    return Engine(str(tmp_path / "docker.sock")).images()


def test_a_pull_is_counted_and_happens_once(fetch, registry):
    first = fetch()
    assert (first["changed"], first["digest"], first["layers"]) == (True, registry.digest, 3)
    assert (first["layers_pulled"], first["bytes_pulled"]) == (3, registry.bytes)
    assert first["pinned"] == f"{registry.address}/app@{registry.digest}"
    asked = registry.asked
    again = fetch()
    assert {**again, "duration_s": 0} == {**first, "changed": False, "layers_pulled": 0, "bytes_pulled": 0,
                                          "duration_s": 0}
    assert fetch(f"app@{registry.digest}")["changed"] is False
    assert registry.asked == asked


def test_a_digest_is_pulled(fetch, registry):
    done = fetch(f"app@{registry.digest}")
    assert (done["changed"], done["digest"], done["bytes_pulled"]) == (True, registry.digest, registry.bytes)


def test_a_tag_on_layers_that_are_here_brings_none(fetch, registry):
    fetch(f"app@{registry.digest}")
    done = fetch()
    assert (done["changed"], done["layers"], done["layers_pulled"], done["bytes_pulled"]) == (True, 3, 0, 0)


def test_check_mode_asks_the_registry_and_pulls_nothing(fetch, registry, tmp_path):
    would = fetch(check_mode=True)
    assert (would["changed"], would["digest"], would["layers"]) == (True, registry.digest, None)
    assert images(tmp_path) == []
    with pytest.raises(FleetError, match="Push the image"):
        fetch("app:v2", check_mode=True)
    fetch()
    assert fetch(check_mode=True)["changed"] is False


def test_the_status_file_tells_how_it_is_going_and_is_gone_afterwards(fetch, registry, tmp_path):
    registry.pause_s = 0.15
    path, seen, over = tmp_path / "status.json", [], threading.Event()

    def watch():
        while not over.wait(0.05):
            if path.exists():
                seen.append(json.loads(path.read_text()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    fetch(status_path=str(path))
    over.set()
    watcher.join()
    assert not path.exists()
    assert seen[0]["layers_all"] == 0
    assert seen[-1]["layers_all"] == 3
    assert 0 < seen[-1]["bytes_done"] <= seen[-1]["bytes_all"] == registry.bytes
    assert [one["bytes_done"] for one in seen] == sorted(one["bytes_done"] for one in seen)
    assert len({one["elapsed_s"] for one in seen}) <= seen[-1]["elapsed_s"] + 2


def test_a_status_file_that_cannot_be_written_is_named_before_anything_is_pulled(fetch, registry, tmp_path):
    with pytest.raises(FleetError, match="status_path: expected a file that can be written"):
        fetch(status_path=str(tmp_path / "nowhere/status.json"))
    assert registry.asked == 0


def test_credentials_are_those_of_docker_login(fetch, registry, tmp_path, monkeypatch):
    registry.password_wanted = True
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with pytest.raises(FleetError, match=f"Run docker login {registry.address} as the user"):
        fetch()
    login = {"auths": {registry.address: {"auth": base64.b64encode(b"alice:secret").decode()}}}
    (tmp_path / "config.json").write_text(json.dumps(login))
    assert fetch()["changed"]


@pytest.mark.parametrize(("reference", "remedy"), [
    ("app:v2", "Push the image, or correct its name"),
    ("nothing:v1", "Push the image, or correct its name"),
    ("app@sha256:" + "0" * 64, "Push the image, or correct its name"),
])
def test_what_the_registry_does_not_have(fetch, reference, remedy):
    with pytest.raises(FleetError, match=remedy):
        fetch(reference)


def test_no_registry(fetch, registry):
    registry.close()
    with pytest.raises(FleetError, match=r"connection refused\. Make sure that 127\.0\.0\.1:\d+ answers this host"):
        fetch()


def test_a_registry_that_breaks_off_leaves_nothing_that_hurts(fetch, registry, tmp_path):
    registry.cut_layers = True
    with pytest.raises(FleetError, match=r"Make sure that .* answers this host, and pull again"):
        fetch()
    assert images(tmp_path) == []
    registry.cut_layers = False
    assert fetch()["bytes_pulled"] == registry.bytes


@pytest.mark.parametrize("fault", [{"silent": True}, {"pause_s": 30}], ids=["at once", "in the middle of a layer"])
def test_a_registry_that_says_nothing_is_given_up(fetch, registry, tmp_path, fault):
    vars(registry).update(fault)
    began = time.monotonic()
    with pytest.raises(FleetError, match=r"the engine told nothing for 1\.5 s \(stall_s\).* Make sure that"):
        fetch(stall_s=1.5)
    assert time.monotonic() - began < 5
    assert images(tmp_path) == []
    registry.silent, registry.pause_s = False, 0
    assert fetch()["changed"]


def test_a_full_disk(fetch, registry, tmp_path):
    (tmp_path / "data/ballast").write_bytes(os.urandom(17_000_000))
    with pytest.raises(FleetError, match=r"no space left on device\. Free space where the engine keeps its data"):
        fetch()
    (tmp_path / "data/ballast").unlink()
    assert fetch()["changed"]


def test_an_engine_that_goes_away_in_the_middle(fetch, engine, registry):
    registry.pause_s = 0.2
    killer = threading.Timer(1, engine.kill)
    killer.start()
    with pytest.raises(FleetError, match="the connection to the engine was lost in the middle"):
        fetch()
    killer.join()


def test_no_engine(tmp_path):
    with pytest.raises(Unreachable, match="docker_socket: expected a Docker Engine"):
        pull("shop:v1", str(tmp_path / "nothing"))


def play(tmp_path, hosts, tasks, **environment):
    """Run tasks; return the output."""
    path = tmp_path / "play.yml"
    path.write_text(json.dumps([{"hosts": hosts, "gather_facts": False, "become": hosts != "localhost",
                                 "tasks": tasks}]))
    done = subprocess.run(
        ["ansible-playbook", str(path)], cwd=ROOT, text=True, capture_output=True, check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACKS_ENABLED": "evenkeel.fleet.progress",
             "EVENKEEL_PROGRESS_INTERVAL": "1", **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.controller
def test_a_task_shows_its_progress(engine, registry, tmp_path):
    registry.pause_s = 0.2
    before = set(Path("/tmp").glob("evenkeel-*.json*"))
    task = {"evenkeel.fleet.image_pull": {"image": f"{registry.address}/app:v1",
                                          "docker_socket": str(tmp_path / "docker.sock")}}
    said = play(tmp_path, "localhost", [task])
    assert "of 3 layers, " in said
    assert said.index("[localhost] pull ") < said.index("changed: [localhost]")
    assert "[localhost] pull " not in play(tmp_path, "localhost", [task])
    assert set(Path("/tmp").glob("evenkeel-*.json*")) == before


@pytest.mark.usefixtures("lab")
def test_on_the_lab(tmp_path):
    name = "evenkeel.fleet.image_pull"
    remove = {"ansible.builtin.command": f"docker image rm {IMAGE}", "failed_when": False}
    play(tmp_path, "app3", [
        remove,
        {name: {"image": IMAGE}, "check_mode": True, "register": "would"},
        {name: {"image": IMAGE}, "register": "first"},
        {name: {"image": IMAGE}, "register": "second"},
        {name: {"image": "{{ first.pinned }}"}, "register": "pinned"},
        {name: {"image": "registry1:5000/pitch:nothing"}, "register": "missing", "ignore_errors": True},
        {name: {"image": "192.0.2.1:5000/pitch:v1", "stall_s": 2}, "register": "silent", "ignore_errors": True},
        {name: {"image": IMAGE, "docker_socket": "/nothing"}, "register": "down", "ignore_errors": True},
        remove,
        {"ansible.builtin.assert": {"that": [
            "would is changed", "first is changed", "second is not changed", "pinned is not changed",
            "would.pinned == first.pinned == second.pinned == pinned.pinned",
            "first.layers == second.layers", "first.layers > 0",
            "missing.msg is search('Push the image, or correct its name')",
            "silent.msg is search('Make sure that 192.0.2.1:5000 answers this host')",
            "down.msg is search('docker_socket: expected a Docker Engine at /nothing')",
        ]}},
    ])
