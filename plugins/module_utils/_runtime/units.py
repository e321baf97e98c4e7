# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systemd runtime: a service has two slots on a host, each a template unit with one or more instances.

``shop-blue@2.service`` is the second replica of the slot blue. What a slot is stands in the file ``.env`` of its
directory, ``<home>/blue``. Images are unpacked archives: each is a directory in ``<home>/images``, named after the
SHA-256 of its archive, and put there whole.
"""

from __future__ import annotations

import os
import re
from typing import Any, Mapping, Sequence

from .._core import files
from .._core.errors import FleetError, InputError
from .._core.systemctl import parse_properties, parse_units, systemctl
from .slot import slot_from
from .systemd import ENDED, UP

_PROPERTIES = ("Id", "ActiveState", "ExecMainStatus", "NRestarts", "ExecMainStartTimestamp")
_PINNED = re.compile(r"(?P<source>.+)@sha256:(?P<digest>[0-9a-f]{64})")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PORT = re.compile(r"EVENKEEL_PORT(_[0-9]+)?")
_LATE_S = 15.0  # for systemd to kill what did not end in its time


class Units:
    """What the service's slots on this host are and which of its images are here."""

    def __init__(self, service: str, home: str) -> None:
        if not home:
            raise InputError("home", home, "the directory of the service on the host", f"/opt/evenkeel/{service}")
        self._service = service
        self._home = home

    def instances(self) -> dict[str, dict[str, Any]]:
        """Return each slot that has an image: ``replicas`` in their order, and what the slot is as a whole."""
        slots = self._slots()
        units = {slot: _declared(self._service, slot, declared) for slot, declared in slots.items()}
        found = _show([unit for own in units.values() for unit in own])
        return {slot: slot_from([_describe(slot, number, slots[slot], found[unit])
                                 for number, unit in enumerate(own, 1)])
                for slot, own in units.items()}

    def port(self, slot: str, replica: int) -> str:
        """Return where a replica, counted from 1, listens."""
        return self._slots()[slot][f"EVENKEEL_PORT_{replica}" if replica > 1 else "EVENKEEL_PORT"]

    def stop(self, slot: str, grace_s: int) -> None:
        """Stop the instances of a slot, also those no longer declared, and keep a reboot from starting them.

        They have ``grace_s`` seconds; after TimeoutStopSec of the unit, which is that long, systemd kills them.

        :raises FleetError: when one is still there then.
        """
        units = list(dict.fromkeys([*_declared(self._service, slot, self._slots().get(slot, {})),
                                    *self._loaded(slot)]))
        if not units:
            return
        # Both fail for a unit that is gone, or that ends by itself meanwhile; what counts is what there is afterwards.
        systemctl("disable", "--no-reload", "--", *units, strict=False)
        systemctl("stop", "--", *units, strict=False, longest_s=grace_s + _LATE_S)
        left = [f"{unit} {found['ActiveState']}" for unit, found in _show(units).items()
                if found["ActiveState"] not in ENDED]
        if "enabled" in systemctl("is-enabled", "--", *units, strict=False).split():
            left.append("that it starts at a reboot")
        if left:
            raise FleetError(f"Expected slot {slot} of {self._service} to be stopped, found: {', '.join(left)}.",
                             f"Run systemctl disable --now {' '.join(units)} on this host and read what it says.")

    def resolve(self, reference: str) -> dict[str, Any]:
        """Return ``{reference, pinned, digest, present}`` of an image, which is here or can be fetched.

        :raises InputError: when it does not say its digest.
        :raises FleetError: when the image is not here and the reference does not say where it comes from.
        """
        match = _PINNED.fullmatch(reference)
        if not match:
            raise InputError("image", reference, "an archive with the digest of its content",
                             "https://builds.example.org/shop-v42.tar.gz@sha256:<64 hexadecimal digits>")
        present = os.path.isdir(os.path.join(self._images, match["digest"]))
        if not present and not {"/", "."} & set(match["source"]):
            raise FleetError(f"Image {reference}: expected it on this host, found it is no longer here.",
                             "Give release_image the address of its archive, or take another release.")
        return {"reference": reference, "digest": f"sha256:{match['digest']}", "present": present,
                "pinned": self._pinned(match["digest"])}

    def stored(self, reference: str) -> list[str]:
        """Return the service's images that are on this host, pinned by digest."""
        names = os.listdir(self._images) if os.path.isdir(self._images) else []
        return [self._pinned(name) for name in sorted(names) if _DIGEST.fullmatch(name)]

    @property
    def _images(self) -> str:
        return os.path.join(self._home, "images")

    def _pinned(self, digest: str) -> str:
        return f"{self._service}@sha256:{digest}"

    def _slots(self) -> dict[str, dict[str, str]]:
        """Return what is declared of each slot that has an image and a port."""
        names = sorted(os.listdir(self._home)) if os.path.isdir(self._home) else []
        paths = {name: os.path.join(self._home, name, ".env") for name in names}
        found = {name: parse_properties(files.read(path).decode(errors="replace")) for name, path in paths.items()
                 if os.path.isfile(path)}
        return {name: one for name, one in found.items() if one.get("EVENKEEL_IMAGE") and _declared("", name, one)}

    def _loaded(self, slot: str) -> list[str]:
        """Return the instances of a slot that systemd knows of, whatever is declared now."""
        lines = systemctl("list-units", "--full", "--all", "--plain", "--no-legend", "--",
                          f"{self._service}-{slot}@*.service").splitlines()
        return [line.split()[0] for line in lines if line.strip()]


def _declared(service: str, slot: str, declared: Mapping[str, str]) -> list[str]:
    """Return the instances of a slot, one for each of its ports."""
    ports = [name for name in declared if _PORT.fullmatch(name)]
    return [f"{service}-{slot}@{number}.service" for number in range(1, len(ports) + 1)]


def _show(units: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the properties of units, also of those that systemd does not know."""
    found = parse_units(systemctl("show", f"--property={','.join(_PROPERTIES)}", "--", *units)) if units else {}
    return {unit: {**dict.fromkeys(_PROPERTIES, ""), "Id": unit, **found.get(unit, {})} for unit in units}


def _describe(slot: str, replica: int, declared: Mapping[str, str], found: Mapping[str, str]) -> dict[str, Any]:
    image = declared["EVENKEEL_IMAGE"]
    return {
        "slot": slot,
        "replica": replica,
        "release": declared.get("EVENKEEL_RELEASE", ""),
        "config": declared.get("EVENKEEL_CONFIG", ""),
        "image": image,
        "digest": image.partition("@")[2],
        "container": found["Id"],
        "running": found["ActiveState"] in UP,
        "status": found["ActiveState"],
        "exit_code": int(found["ExecMainStatus"] or 0),
        "restarts": int(found["NRestarts"] or 0),
        "started_at": started_at(found["ExecMainStartTimestamp"]),
    }


def started_at(text: str) -> str:
    """Return a time of systemctl in UTC as ISO 8601: ``Sun 2026-11-22 18:00:00 UTC``; empty when there is none."""
    words = text.split()
    return f"{words[1]}T{words[2]}Z" if len(words) == 4 else ""
