# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers: the same service in one, and the reference app in the slot that is in use."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from integration.restart.shops import BELL, HOSTS, PROGRAM, SETTINGS, Load, on

PORT = 9098
RUN = (f"docker run --detach --name bell --restart always --publish {PORT}:9099 --volume {SETTINGS}:{SETTINGS} "
       f"--volume {PROGRAM}:{PROGRAM} registry1:5000/pitch:v1 python3 {PROGRAM} 9099 {SETTINGS}")
CALL = {"service": "bell", "runtime": "container",
        "checks": [{**BELL["health"][0], "url": "http://127.0.0.1:{port}/health"}]}


@pytest.fixture
def container(lab_with_bell):
    """Start it anew with further arguments; the module is called as it is."""
    def start(arguments=""):
        on("app1", "docker rm --force bell", strict=False)
        on("app1", f"mkdir -p {Path(PROGRAM).parent} && cat > {PROGRAM}",
           data=Path(__file__).with_name("server.py").read_text())
        lab_with_bell.set("app1", "text=one")
        on("app1", f"{RUN} {arguments}")
        on("app1", f"for i in $(seq 50); do curl -sf http://127.0.0.1:{PORT}/health && break; sleep 0.1; done")

    start()
    start.call = lambda **options: lab_with_bell.module("app1", "service_restart", **{**CALL, **options})
    yield start
    on("app1", "docker rm --force bell", strict=False)


def inspect(what):
    return on("app1", f"docker inspect --format '{{{{{what}}}}}' bell")


def test_a_container_is_restarted_and_its_connections_are_seen(container):
    before = inspect(".State.StartedAt")
    done = container.call()
    assert (done["method"], done["killed"], done["connections"]["ports"]) == ("restart", False, [9099]), done
    assert done["startup_ms"] > 0
    assert inspect(".State.StartedAt") != before


def test_one_that_ignores_sigterm_is_killed_and_who_was_cut_off_is_counted(container):
    container("ignore-term")
    slow = f"for i in 1 2 3; do curl -s -o /dev/null 'http://app1:{PORT}/slow?60' & done; sleep 1"
    on("load1", f"({slow}) > /dev/null 2>&1")
    done = container.call(stop_deadline_s=2)
    assert (done["killed"], done["connections"]["cut_off"]) == (True, 3), done
    assert 2000 <= done["stop_ms"] < 5000


def test_a_reload_by_signal_keeps_the_container_and_its_restart_policy(container, lab_with_bell):
    before = inspect(".State.Pid")
    on("app1", f"printf 'text=two' > {SETTINGS}")
    done = container.call(reload_signal="SIGHUP")
    assert done["method"] == "reload", done
    assert (inspect(".State.Pid"), on("app1", f"curl -s http://127.0.0.1:{PORT}/")) == (before, "two")
    on("app1", f"kill -KILL {before}")
    time.sleep(2)
    assert inspect(".State.Running") == "true"


@pytest.mark.faults
def test_a_shutdown_keeps_its_deadline_where_a_unit_and_a_container_ignore_sigterm(bells, container, tmp_path):
    bells.install("app1", "ignore-term")
    container("ignore-term")
    bells.serve()
    box = {"name": "box", "runtime": "container", "container": "bell", "health": CALL["checks"]}
    bells.declare(app1=[BELL, box], app2=[], app3=[])
    slow = f"for i in 9099 {PORT}; do curl -s -o /dev/null http://app1:$i/slow?60 & done; sleep 1"
    on("load1", f"({slow}) > /dev/null 2>&1")
    try:
        done = bells.restart(graceful_restart_mode="shutdown", graceful_restart_shutdown_deadline_s=8,
                             report_directory=str(tmp_path))
    finally:
        assert bells.play("stop", stop_state="absent").rc == 0
        for host in (*HOSTS, "edge1"):
            on(host, "rm -rf /var/lib/evenkeel/box")
    assert done.rc == 0, done.output
    assert "2 of 2 instances shut down" in done.text
    for name in ("bell", "box"):  # each has a quarter of the time until SIGTERM, and another one until SIGKILL
        assert f"app1/{name}: stop, ended in 2" in done.text
    assert done.text.count("killed, 1 connections cut off") == 2
    record = next(found for found in map(json.loads, (path.read_text() for path in tmp_path.rglob("*.json")))
                  if found["step"] == "shutdown")
    took_ms = [one["connections"]["waited_ms"] + one["stop_ms"] for one in record["data"]["instances"].values()]
    assert 8000 <= sum(took_ms) < 10000, took_ms
    time.sleep(8)  # longer than the engine would wait for it to end, and than it takes to start it again
    assert on("app1", "systemctl is-active bell.service", strict=False) in ("inactive", "failed")
    assert inspect(".State.Running") == "false"
    assert not on("app1", "pgrep --full /opt/bell/server.p[y]", strict=False)
    assert not on("app1", f"ss -Hltn 'sport = :9099 or sport = :{PORT}'")


@pytest.fixture
def deployed(lab_with_bell):
    """Deploy the reference app with so many replicas; afterwards it has one again."""
    def deploy(replicas=1):
        done = lab_with_bell.play("deploy", release_name="v1", release_replicas=replicas)
        assert done.rc == 0, done.output

    yield deploy
    deploy()


def started():
    """Return when each container of the reference app that runs was started, by host."""
    return {host: on(host, "docker inspect --format '{{.State.StartedAt}}' "
                           "$(docker ps --quiet --filter label=evenkeel.service=pitch)").split() for host in HOSTS}


@pytest.mark.parametrize("replicas", [1, pytest.param(2, marks=pytest.mark.faults)])
def test_the_slot_in_use_is_restarted_under_load_without_a_failed_request(lab_with_bell, deployed, replicas):
    deployed(replicas)
    lab_with_bell.declare({
        "name": "pitch", "runtime": "compose", "backend": "be_pitch",
        "health": [{"name": "pitch", "type": "http", "url": "http://127.0.0.1:{port}/health"}]})
    before = started()
    with Load("http://edge1", path="/health") as load:
        done = lab_with_bell.restart()
    assert done.rc == 0, done.output
    assert load.metrics["errors"] == 0, load.result
    assert f"{replicas * len(HOSTS)} of {replicas * len(HOSTS)} instances restarted" in done.output
    after = started()
    for host in HOSTS:
        assert len(after[host]) == replicas
        assert not set(before[host]) & set(after[host])
