# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""release_bundle on a real host: nothing in check mode, once, then nothing; no secret in what it returns."""

from __future__ import annotations

import json
import uuid

from integration.rollout.fleet import Fleet


def test_a_bundle_is_proposed_written_and_left_alone():
    fleet, path = Fleet(), f"/tmp/bundle-{uuid.uuid4().hex}"
    options = json.dumps({"path": path, "config": {"compose.yaml": "services: {}\n"},
                          "secrets": {"environment": "PASSWORD=hunter2-and-more\n"}})

    def write():
        (result,) = fleet.ask("app[0]", "evenkeel.fleet.release_bundle", options).values()
        return result

    try:
        written = write()
        assert written["changed"]
        assert written["files"] == ["compose.yaml", "environment"]
        assert "hunter2" not in str(written)
        (listed,) = fleet.ask("app[0]", "ansible.builtin.command", f"stat -c %a:%n {path} {path}/environment").values()
        assert listed["stdout_lines"] == [f"700:{path}", f"600:{path}/environment"]
        again = write()
        assert (again["changed"], again["digest"]) == (False, written["digest"])
    finally:
        fleet.ask("app[0]", "ansible.builtin.file", f"path={path}", "state=absent")


def test_a_name_that_leads_out_of_the_bundle_is_refused():
    options = json.dumps({"path": "/tmp/bundle", "secrets": {"../passwd": "x"}})
    (result,) = Fleet().ask("app[0]", "evenkeel.fleet.release_bundle", options).values()
    assert "changed" not in result or not result["changed"]
    assert "a plain file name" in result["msg"]
