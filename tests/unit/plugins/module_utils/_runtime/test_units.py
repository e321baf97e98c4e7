# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""systemd runtime: what a slot's file and systemd tell of it, what a stop leaves, and which images are here.

systemctl is a script here that answers as systemd 252 does and writes down what it was asked.
"""

from __future__ import annotations

import shlex

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.systemctl import parse_units
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.info import read
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.records import Ledger
from ansible_collections.evenkeel.fleet.plugins.module_utils._restart.tasks import find
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.compose import Compose
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.runtime import runtime_of
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.units import Units, started_at
from hypothesis import given
from hypothesis import strategies as st

HEX = "c" * 64
PINNED = f"shop@sha256:{HEX}"
ADDRESS = f"https://builds.example.org/shop-v42.tar.gz@sha256:{HEX}"

BLUE = ["shop-blue@1.service", "shop-blue@2.service"]
RUNS = """\
NRestarts=0
ExecMainStartTimestamp=Sun 2026-11-22 18:00:00 UTC
ExecMainStatus=0
Id=shop-blue@1.service
ActiveState=active
"""
CRASHES = """\
NRestarts=4
ExecMainStartTimestamp=Sun 2026-11-22 18:00:07 UTC
ExecMainStatus=3
Id=shop-blue@2.service
ActiveState=activating
"""
UNKNOWN = """\
NRestarts=0
ExecMainStartTimestamp=
ExecMainStatus=0
Id=shop-green@1.service
ActiveState=inactive
"""


@pytest.fixture
def home(tmp_path):
    """A service with two replicas in slot blue; what else there is in its directory is no slot."""
    root = tmp_path / "shop"
    (root / "images").mkdir(parents=True)
    for name, lines in {
        "blue": ["EVENKEEL_SLOT=blue", "EVENKEEL_PORT=8001", "EVENKEEL_PORT_2=8003", "EVENKEEL_CONFIG=sha256:ab",
                 "EVENKEEL_RELEASE=v2", f"EVENKEEL_IMAGE={PINNED}"],
        "compose": ["EVENKEEL_SLOT=compose", "EVENKEEL_PORT=8009"],
        "bundles": None,
    }.items():
        (root / name).mkdir()
        if lines:
            (root / name / ".env").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def systemctl(tmp_path, monkeypatch):
    """Return a function that makes systemctl answer so by its first argument; it returns what was asked then."""
    asked = tmp_path / "asked"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(**answers):
        cases = "\n".join(f"{verb}) printf %s {shlex.quote(text)} ;;"
                          for verb, text in ((verb.replace("_", "-"), text) for verb, text in answers.items()))
        (tmp_path / "systemctl").write_text(
            f'#!/bin/sh\necho "$*" >> {asked}\ncase $1 in\n{cases}\n'
            '*) echo "Failed: no such unit" >&2; exit 5 ;;\nesac\n')
        (tmp_path / "systemctl").chmod(0o755)
        return lambda: asked.read_text().splitlines()

    return make


def test_a_slot_is_what_its_file_says_and_runs_with_all_of_its_replicas(home, systemctl):
    asked = systemctl(show=f"{RUNS}\n{CRASHES}")
    slots = Units("shop", str(home)).instances()
    assert set(slots) == {"blue"}
    blue = slots["blue"]
    assert blue["replicas"][0] == {
        "slot": "blue", "replica": 1, "release": "v2", "config": "sha256:ab", "image": PINNED,
        "digest": f"sha256:{HEX}", "container": BLUE[0], "running": True, "status": "active", "exit_code": 0,
        "restarts": 0, "started_at": "2026-11-22T18:00:00Z"}
    assert (blue["container"], blue["running"], blue["status"]) == (BLUE[1], False, "activating")
    assert (blue["exit_code"], blue["restarts"]) == (3, 4)
    (question,) = asked()
    assert question.endswith(f" -- {' '.join(BLUE)}")


def test_a_slot_whose_units_systemd_does_not_know_does_not_run(home, systemctl):
    systemctl(show=UNKNOWN)
    (home / "blue/.env").rename(home / "blue/.env.tmp")
    (home / "green").mkdir()
    (home / "green/.env").write_text(f"EVENKEEL_IMAGE={PINNED}\nEVENKEEL_PORT=8002\n")
    green = Units("shop", str(home)).instances()["green"]
    assert (green["running"], green["started_at"], green["release"]) == (False, "", "")


@pytest.mark.parametrize("lines", ["", f"EVENKEEL_IMAGE={PINNED}\n", "EVENKEEL_IMAGE=\nEVENKEEL_PORT=8001\n"])
def test_without_an_image_or_a_port_there_is_no_slot_and_nothing_to_ask(home, systemctl, lines):
    systemctl()
    (home / "blue/.env").write_text(lines)
    assert Units("shop", str(home)).instances() == {}
    assert Units("shop", str(home / "nothing")).instances() == {}


def test_a_restart_finds_a_replica_of_the_slot_in_use_and_where_it_listens(home, systemctl):
    systemctl(show=f"{RUNS}\n{CRASHES}")
    found = [find("shop", "systemd_slot", "shop", str(home), "/nowhere", replica) for replica in (1, 2)]
    assert [(unit.label, slot, replicas) for unit, slot, replicas in found] == [(one, "blue", 2) for one in BLUE]
    assert [unit.fill("http://h:{port}/health") for unit, *dummy in found] == [
        "http://h:8001/health", "http://h:8003/health"]
    with pytest.raises(FleetError, match="Expected replica 3 of shop in slot blue, found 2 replicas"):
        find("shop", "systemd_slot", "shop", str(home), "/nowhere", 3)


def test_systemd_that_does_not_answer_is_an_error(home, systemctl):
    systemctl()
    with pytest.raises(FleetError, match=r"ended with 5: Failed: no such unit Read journalctl -u shop-blue@1\.service"):
        Units("shop", str(home)).instances()


def test_a_stop_ends_also_what_is_no_longer_declared(home, systemctl):
    third = "shop-blue@3.service"
    asked = systemctl(list_units=f"{BLUE[0]} loaded active running Shop 1\n{third} loaded active running Shop 3\n",
                      show=_inactive(*BLUE, third))
    Units("shop", str(home)).stop("blue", 1)  # disable and stop fail here, as they do for units that are gone
    units = " ".join([*BLUE, third])
    assert asked()[1:3] == [f"disable --no-reload -- {units}", f"stop -- {units}"]


def test_a_stop_that_leaves_a_unit_running_fails(home, systemctl):
    systemctl(list_units="", disable="", stop="", show=f"{RUNS.replace('=active', '=failed')}\n{CRASHES}")
    with pytest.raises(FleetError, match=r"slot blue of shop to be stopped, found: shop-blue@2\.service activating\."):
        Units("shop", str(home)).stop("blue", 1)


def test_a_stop_that_leaves_a_unit_enabled_fails(home, systemctl):
    systemctl(list_units="", show=_inactive(*BLUE), is_enabled="disabled\nenabled\n")
    with pytest.raises(FleetError, match="found: that it starts at a reboot"):
        Units("shop", str(home)).stop("blue", 1)


def test_a_stop_of_nothing_asks_for_nothing(home, systemctl):
    asked = systemctl(list_units="")
    Units("shop", str(home)).stop("green", 1)
    assert len(asked()) == 1


def _inactive(*units):
    return "\n".join(f"Id={unit}\nActiveState=inactive\n" for unit in units)


def test_an_image_is_here_once_its_directory_is(home):
    units = Units("shop", str(home))
    assert units.resolve(ADDRESS) == {"reference": ADDRESS, "digest": f"sha256:{HEX}", "present": False,
                                      "pinned": PINNED}
    with pytest.raises(FleetError, match=f"Image {PINNED}: expected it on this host, found it is no longer here"):
        units.resolve(PINNED)
    (home / "images" / HEX).mkdir()
    (home / "images" / f"{HEX}.part").mkdir()
    assert units.resolve(ADDRESS)["present"]
    assert units.resolve(PINNED) == {"reference": PINNED, "digest": f"sha256:{HEX}", "present": True, "pinned": PINNED}
    assert units.stored(ADDRESS) == [PINNED]
    assert Units("shop", str(home / "nothing")).stored(ADDRESS) == []


@given(st.text(max_size=80))
def test_a_reference_without_a_digest_is_refused(text):
    with pytest.raises(InputError, match="image: expected an archive with the digest of its content"):
        Units("shop", "/nowhere").resolve(text)


@given(st.dictionaries(st.from_regex(r"[a-z]+@[0-9]+\.service", fullmatch=True),
                       st.dictionaries(st.sampled_from(["ActiveState", "NRestarts", "Environment"]),
                                       st.text(st.characters(min_codepoint=32, max_codepoint=126)))))
def test_what_systemctl_shows_of_many_units_is_read_back(units):
    blocks = ["".join(f"{name}={value}\n" for name, value in {**one, "Id": unit}.items())
              for unit, one in units.items()]
    assert parse_units("\n".join(blocks)) == {unit: {**one, "Id": unit} for unit, one in units.items()}


@pytest.mark.parametrize(("text", "time"), [
    ("Sun 2026-11-22 18:00:00 UTC", "2026-11-22T18:00:00Z"), ("", ""), ("n/a", "")])
def test_times(text, time):
    assert started_at(text) == time


def test_a_service_has_the_runtime_that_it_names(home):
    assert isinstance(runtime_of("systemd", "shop", str(home), ""), Units)
    assert isinstance(runtime_of("compose", "shop", "", "/nowhere"), Compose)
    with pytest.raises(InputError, match="home: expected the directory of the service"):
        runtime_of("systemd", "shop", "", "")


def test_the_info_of_a_service_has_its_slots_and_images(home, systemctl, tmp_path):
    systemctl(show=f"{RUNS}\n{CRASHES}")
    (home / "images" / HEX).mkdir()
    found = read("shop", str(tmp_path / "ledgers"), runtime="systemd", image=ADDRESS, home=str(home))
    assert (found["instances"]["blue"]["release"], found["image"]["present"], found["stored"], found["problems"]) == (
        "v2", True, [PINNED], [])
    (problem,) = read("shop", str(tmp_path / "ledgers"), runtime="systemd", image="shop:v2", home=str(home))["problems"]
    assert problem.startswith("image: expected an archive")


def test_the_info_of_a_service_says_which_of_its_images_others_of_the_host_committed(home, systemctl, tmp_path):
    systemctl(show=RUNS)
    (home / "images" / HEX).mkdir()
    ledgers, other = tmp_path / "ledgers", f"sha256:{'d' * 64}"
    for service, digests in {"shop": [f"sha256:{HEX}"], "web": [f"sha256:{HEX}", other], "worker": [other]}.items():
        for digest in digests:
            Ledger(service, str(ledgers)).append(
                [{"state": state, "phase": "result", "data": {"digest": digest} if state == "COMMITTED" else {}}
                 for state in ("PLANNED", "STAGED", "VERIFIED", "SWITCHED", "COMMITTED")],
                token=1, run="r1", release="v1", host="app1", operator="alice")
    (ledgers / "changed").mkdir()
    (ledgers / "changed" / "ledger.jsonl").write_text("{}\n")
    (ledgers / "restarted").mkdir()  # by graceful_restart, which has a lock there and no ledger
    (ledgers / "health.json").touch()  # of the health probe
    found = read("shop", str(ledgers), runtime="systemd", image=ADDRESS, home=str(home))
    assert found["neighbours"] == {"changed": None, "web": [PINNED]}
