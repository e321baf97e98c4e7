# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks ran over ssh, and the hosts say as whom."""

testinfra_hosts = ["ansible://edge1", "ansible://app1", "ansible://db1"]


def test_the_session_is_that_of_an_unprivileged_user(host):
    assert "Accepted publickey for ops" in host.check_output("journalctl --unit ssh --no-pager --since -30min")
    assert host.user("ops").uid != 0
