# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._health import host
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.preflight import conclude, look
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "supported", "level"),
    [
        ('ID=debian\nVERSION_ID="12"\n', ["debian 12"], "pass"),
        ("ID=ubuntu\nVERSION_ID='22.04'\n", ["debian 12", "ubuntu 22"], "pass"),
        ('ID=debian\nVERSION_ID="13"\n', ["debian 12"], "fail"),
        ('ID=debian\nVERSION_ID="120"\n', ["debian 12"], "fail"),
        ("", ["debian 12"], "fail"),
    ],
)
def test_operating_system(tmp_path, text, supported, level):
    path = tmp_path / "os-release"
    path.write_text(text)
    found = host.operating_system(supported, str(path))
    assert found["level"] == level
    assert bool(found["remedy"]) == (level == "fail")


def test_memory_and_disk_are_judged_by_size():
    assert host.memory("1mb")["level"] == "pass"
    assert host.memory("1000tb")["level"] == "fail"
    assert host.disk("/not/yet/there", "1kb")["level"] == "pass"
    assert host.disk("/not/yet/there", "1000000tb")["remedy"] == "Free space at /."
    with pytest.raises(InputError, match="disk: /"):
        host.disk("/", "much")


def test_file_descriptors_of_this_user():
    assert host.file_descriptors("user", 1)["level"] == "pass"
    assert host.file_descriptors("none.service", 1)["level"] == "warn"


def test_a_port_is_free_or_held_by_who_may_hold_it():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        own = (host.PROC / str(os.getpid()) / "comm").read_text().strip()
        wanted = [{"port": port, "process": own}, {"port": port, "process": "haproxy"}, {"port": port, "process": None}]
        mine, other, nobody = host.ports(wanted)
    (free,) = host.ports([{"port": port, "process": None}])
    assert [item["level"] for item in (mine, other, nobody, free)] == ["pass", "fail", "fail", "pass"]
    assert other["found"] == f"held by {own}"


@given(st.floats(-100, 100), st.floats(0, 20), st.floats(0, 1))
def test_a_clock_is_bad_only_when_it_is_certain(skew_s, delay_s, share):
    before, after = 1e9, 1e9 + delay_s
    read_at = before + delay_s * share
    level = host.clock(before, read_at + skew_s, after, 5)["level"]
    if abs(skew_s) <= 4.999:
        assert level == "pass"
    if abs(skew_s) > 5.001 + delay_s:
        assert level == "fail"


def test_all_findings_come_at_once():
    result = look(
        supported=["plan9 4"], python="99", memory="1000tb", disk={"/": "1000000tb"}, file_descriptors={"user": 10**9},
        ports=[], checks=[],
    )  # fmt: skip
    assert result["verdict"] == "fail"
    assert len(result["reasons"]) == result["metrics"]["fail"] >= 4
    assert result["changed"] is False


def test_a_warning_does_not_fail():
    warning = host.finding(False, "unit", "installed", "missing", "None.", bad="warn")
    assert conclude([warning])["verdict"] == "pass"
    assert conclude([warning])["metrics"] == {"pass": 0, "warn": 1, "fail": 0}
