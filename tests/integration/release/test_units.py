# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systemd runtime with a real systemd: what it says of instances, and a stop from where the guard stands."""

from __future__ import annotations

import json
import shlex
import subprocess
import time

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.clock import epoch_s
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.program import archive
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime import units as runtime

HOME, PROGRAM, TEMPLATE = "/opt/evenkeel/chirp", "/run/chirp.pyz", "/etc/systemd/system/chirp-blue@.service"
UNITS = [f"chirp-blue@{number}.service" for number in (1, 2, 3)]
UNIT = """
[Service]
ExecStart=/bin/sleep infinity
Restart=always
RestartSec=200ms
TimeoutStopSec=2
[Install]
WantedBy=multi-user.target
"""
#: How the guard's unit confines it.
CONFINED = "systemd-run --quiet --wait --pipe -p NoNewPrivileges=true -p ProtectHome=true -p PrivateTmp=true"


@pytest.fixture
def on(lab):
    """Return what runs a command on app1, where a service has three instances of which two are declared."""

    def run(command, stdin=b"", strict=True):
        done = subprocess.run(["docker", "exec", "-i", lab.container("app1"), "sh", "-c", command], input=stdin,
                              capture_output=True, timeout=60, check=False)
        assert not (strict and done.returncode), done.stderr.decode()
        return done.stdout.decode()

    declared = "EVENKEEL_PORT=8001\nEVENKEEL_PORT_2=8003\nEVENKEEL_RELEASE=v1\nEVENKEEL_IMAGE=chirp@sha256:ab\n"
    run(f"cat > {PROGRAM}", archive(("_core", "_runtime"), runtime))
    run(f"cat > {TEMPLATE}", UNIT.encode())
    run(f"mkdir -p {HOME}/blue && cat > {HOME}/blue/.env", declared.encode())
    run(f"systemctl daemon-reload && systemctl enable --no-reload {' '.join(UNITS)} && systemctl start "
        f"{' '.join(UNITS)}")
    yield run
    run(f"systemctl stop 'chirp-blue@*.service'; rm -rf {HOME} {TEMPLATE} {PROGRAM} "
        "/etc/systemd/system/multi-user.target.wants/chirp-*; systemctl daemon-reload; systemctl reset-failed",
        strict=False)


def asked(on, what, confined=""):
    """Return what the runtime answers on the host."""
    program = (f"import json, sys; sys.path.insert(0, {PROGRAM!r}); from evenkeel_fleet._runtime.units import Units; "
               f"print(json.dumps(Units('chirp', {HOME!r}).{what}))")
    return json.loads(on(f"{confined} /usr/bin/python3 -B -c {shlex.quote(program)}"))


def test_what_systemd_says_of_instances(on):
    blue = asked(on, "instances()")["blue"]
    assert [(one["container"], one["running"], one["restarts"]) for one in blue["replicas"]] == [
        (UNITS[0], True, 0), (UNITS[1], True, 0)]
    assert abs(time.time() - epoch_s(blue["started_at"])) < 60
    on(f"systemctl kill --signal=SIGKILL {UNITS[1]}; sleep 1")
    assert [one["restarts"] for one in asked(on, "instances()")["blue"]["replicas"]] == [0, 1]


@pytest.mark.parametrize("confined", ["", CONFINED], ids=["free", "confined"])
def test_a_stop_ends_every_instance_and_keeps_it_from_coming_back(on, confined):
    assert asked(on, "stop('blue', 2)", confined) is None
    assert on(f"systemctl is-active {' '.join(UNITS)}", strict=False).split() == ["inactive"] * 3
    assert on(f"systemctl is-enabled {' '.join(UNITS)}", strict=False).split() == ["disabled"] * 3
    assert [one["running"] for one in asked(on, "instances()")["blue"]["replicas"]] == [False, False]
    asked(on, "stop('blue', 2)", confined)


def test_a_unit_that_is_gone_is_no_obstacle(on):
    asked(on, "stop('blue', 2)")
    on(f"rm {TEMPLATE} && systemctl daemon-reload")
    asked(on, "stop('blue', 2)")
    blue = asked(on, "instances()")["blue"]
    assert (blue["running"], blue["status"], blue["started_at"]) == (False, "inactive", "")
