# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight said that the fleet is ready; ask the fleet itself."""

testinfra_hosts = ["ansible://app1"]


def test_the_application_host_is_as_preflight_said(host):
    for name, port in (("db1", 5432), ("cache1", 6379)):
        assert host.addr(name).port(port).is_reachable
    assert host.service("docker").is_running
