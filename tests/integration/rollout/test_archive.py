# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image that comes as an archive instead of from a registry."""

from __future__ import annotations

import hashlib
import subprocess

import pytest
from integration.rollout.fleet import QUICK, ROOT

pytestmark = pytest.mark.faults  # whole rollouts, half a minute each


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Release v2 as ``docker save`` writes it, as an image that says how it is to be found."""
    path = tmp_path_factory.mktemp("archive") / "pitch-v2.tar"
    registry = subprocess.check_output(["bash", "-c", "source tests/lab/common.sh; echo $LAB_REGISTRY"], cwd=ROOT,
                                       text=True).strip()
    subprocess.run(["docker", "save", "--output", path, f"{registry}/pitch:v2"], check=True)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_image_is_loaded_and_is_something_to_go_back_to(fleet, archive):
    path, digest = archive
    assert fleet.play("deploy", release_name="v1", **QUICK).rc == 0
    wrong = fleet.play("rollout", release_name="v2", release_image=f"docker-archive:{path}@sha256:{'0' * 64}", **QUICK)
    assert wrong.rc == 2, wrong.output
    assert f"expected sha256:{'0' * 64}, found sha256:{digest}" in wrong.text
    assert fleet.is_on("v1")

    image = f"docker-archive:{path}@sha256:{digest}"
    done = fleet.play("rollout", release_name="v2", release_image=image, **{**QUICK, "rollout_watch": True})
    assert done.rc == 0, done.output
    assert done.failed_requests == 0, done.output
    assert fleet.is_on("v2")
    again = fleet.play("rollout", release_name="v2", release_image=image, **QUICK)
    assert (again.rc, again.changed) == (0, 0), again.output

    for target in ("v1", "v2"):
        back = fleet.play("rollback", rollback_to=target, **QUICK)
        assert back.rc == 0, back.output
        assert fleet.is_on(target)
    for found in fleet.ledgers().values():
        assert found["status"]["current"]["image"] == f"pitch:sha256-{digest}"
    left = fleet.ask("app", "ansible.builtin.command", "ls /opt/evenkeel/pitch/images")
    assert {one["stdout"] for one in left.values()} == {""}
    assert fleet.play("deploy", release_name="v1", **QUICK).rc == 0
