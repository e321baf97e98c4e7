# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of the lab: reachable both ways, complete, and kept as they are by a second `up`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.usefixtures("lab")

INVENTORIES = {"docker": "inventories/lab", "ssh": "inventories/lab,tests/lab/ssh.yml"}


def ansible(connection: str, hosts: str, *arguments: str) -> str:
    """Run an ad-hoc command over one of the two connections; its output."""
    return subprocess.run(
        ["ansible", hosts, *arguments],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_INVENTORY": INVENTORIES[connection], "ANSIBLE_NOCOLOR": "1"},
        check=True,
        text=True,
        capture_output=True,
    ).stdout


def on(host: str, command: str) -> str:
    """What a shell command prints on a host."""
    return subprocess.check_output(["docker", "exec", f"evenkeel-{host}", "sh", "-c", command], text=True).strip()


def containers() -> dict[str, str]:
    """The lab's containers by name, with their ids."""
    listing = subprocess.check_output(
        ["docker", "ps", "--filter", "label=com.docker.compose.project=evenkeel-lab", "--format", "{{.Names}} {{.ID}}"],
        text=True,
    )
    return dict(line.split() for line in listing.splitlines())


@pytest.mark.parametrize("connection", ["docker", "ssh"])
def test_every_host_answers(connection: str) -> None:
    output = ansible(connection, "lab", "-m", "ansible.builtin.ping")
    assert output.count("| SUCCESS =>") == 8


def test_ssh_logs_in_unprivileged_and_becomes_root() -> None:
    arguments = ("edge1", "-m", "ansible.builtin.command", "-a", "id -un")
    assert ansible("ssh", *arguments, "-e", "ansible_become=false").endswith(">>\nops\n")
    assert ansible("ssh", *arguments).endswith(">>\nroot\n")


@pytest.mark.parametrize("connection", ["docker", "ssh"])
def test_become_reaches_the_database_superuser(connection: str) -> None:
    query = 'psql --no-align --tuples-only --command "SELECT current_user" pitch'
    arguments = ("--become-user", "postgres", "-m", "ansible.builtin.command", "-a", query)
    assert ansible(connection, "db1", *arguments).endswith(">>\npostgres\n")


@pytest.mark.parametrize(
    ("host", "command", "expected"),
    [
        ("edge1", "haproxy -v | head -1", "HAProxy version 2.6"),
        ("app1", "docker compose version --short", "2."),
        ("app2", "docker info --format '{{.Driver}}'", "overlay2"),
        ("app3", "docker info --format '{{json .RegistryConfig.IndexConfigs}}'", '"registry1:5000"'),
        ("db1", "psql --version", "psql (PostgreSQL) 15"),
        ("db1", "python3 -c 'import psycopg; print(psycopg.__version__)'", "3."),
        ("cache1", "redis-server --version", "v=7."),
        ("load1", "python3 --version", "Python 3.11"),
    ],
)
def test_hosts_have_what_their_group_needs(host: str, command: str, expected: str) -> None:
    assert expected in on(host, command)


def test_the_registry_offers_every_release() -> None:
    releases = [
        line.split()[0]
        for line in (ROOT / "tests/lab/app/releases.tsv").read_text().splitlines()
        if not line.startswith("#")
    ]
    tags = json.loads(on("app1", "curl -sf http://registry1:5000/v2/pitch/tags/list"))["tags"]
    assert set(releases) <= set(tags)


def test_containers_inside_an_app_host_find_the_lab() -> None:
    """They use the app host's resolver, and their groups live below the host's, so that they vanish with it."""
    command = "docker run --rm registry1:5000/pitch:v1 sh -c '{}'"
    assert on("app1", command.format("getent hosts db1")).split()[0] == "172.30.77.20"
    host_group = on("app1", "sed -n s/^.*:cpuset://p /proc/1/cgroup")
    assert on("app1", command.format("sed -n s/^.*:cpuset://p /proc/self/cgroup")).startswith(host_group)


def test_a_second_up_keeps_every_host() -> None:
    after = []
    for _ in range(2):
        subprocess.run([ROOT / "tests/lab/up"], check=True, stdout=subprocess.DEVNULL)
        after.append(containers())
    assert after[0] == after[1]
    assert len(after[0]) == 8


def test_up_refuses_unknown_options() -> None:
    refused = subprocess.run([ROOT / "tests/lab/up", "--frehs"], text=True, capture_output=True)
    assert (refused.returncode, refused.stderr) == (2, "usage: tests/lab/up [--fresh]\n")
