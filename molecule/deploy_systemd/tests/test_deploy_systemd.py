# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every host runs and remembers after its first release under systemd."""

import json
import re

testinfra_hosts = ["ansible://app"]
HOME = "/opt/evenkeel/chime"


def test_the_unit_runs_and_is_there_after_a_boot(host):
    unit = host.service("chime-blue@1")
    assert unit.is_running
    assert unit.is_enabled
    assert host.run("systemctl list-units --plain --no-legend 'chime-green@*'").stdout == ""


def test_the_service_answers_from_its_archive_with_its_environment(host):
    answer = json.loads(host.check_output("curl --silent --fail http://127.0.0.1:8091/"))
    assert answer == {"release": "v1", "slot": "blue", "greeting": 'ding "dong" \\ $HOME\n%d'}


def test_the_service_is_no_root_and_cannot_change_its_archive(host):
    pid = host.check_output("systemctl show --property=MainPID --value chime-blue@1")
    assert host.check_output(f"stat --format %u /proc/{pid}") != "0"
    directory = host.check_output(f"readlink /proc/{pid}/cwd")
    assert re.fullmatch(HOME + "/images/[0-9a-f]{64}", directory)
    assert (host.file(directory).user, host.file(directory).mode & 0o022) == ("root", 0)
    assert host.file(f"{directory}/server.py").mode & 0o022 == 0


def test_the_environment_is_for_root_alone(host):
    for name in ("environment", ".env", "replica-1.env"):
        found = host.file(f"{HOME}/blue/{name}")
        assert (found.user, found.mode) == ("root", 0o600)


def test_nothing_of_the_way_is_left(host):
    assert not [name for name in host.file(f"{HOME}/images").listdir() if len(name) != 64]


def test_further_directives_are_in_the_unit(host):
    assert host.check_output("systemctl show --property=MemoryMax --value chime-blue@1") == str(256 << 20)


def test_the_ledger_has_the_digest_of_the_archive(host):
    last = json.loads(host.file("/var/lib/evenkeel/chime/ledger.jsonl").content_string.splitlines()[-1])
    assert (last["state"], last["release"]) == ("COMMITTED", "v1")
    assert host.file(f"{HOME}/images/{last['data']['digest'].partition(':')[2]}").is_directory
