# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Compose runtime: a service has two slots on a host, each a Compose project of its own with one or more replicas.

Containers say who they are by labels: ``evenkeel.service``, ``evenkeel.slot``, ``evenkeel.release``,
``evenkeel.config`` (a hash of the configuration they were started with) and, from the second replica of a slot on,
``evenkeel.replica``.

An image comes from a registry, pinned as ``registry:5000/shop@sha256:…``, or from an archive of ``docker save``, whose
image is here under the name ``shop:sha256-…``; the digest is that of the archive then.
"""

from __future__ import annotations

import re
from typing import Any, Mapping

from .._core.errors import FleetError, InputError
from .engine import Engine
from .slot import slot_from

LABEL = "evenkeel."

_HUB = re.compile(r"^(?:(?:index\.)?docker\.io/)?(?:library/)?")
_PINNED = re.compile(r"^(?P<repository>.+)@(?P<digest>sha256:[0-9a-f]{64})$")
#: ``docker-archive:<path or URL>@sha256:…``, or the name of the image that came from one.
_ARCHIVED = re.compile(r"^(?:(?P<archive>docker-archive:.+)@sha256:|[^/@]+:sha256-)(?P<hash>[0-9a-f]{64})$")


def repository_of(reference: str) -> str:
    """Return an image reference without its tag and digest: ``registry:5000/app:v1`` is ``registry:5000/app``."""
    name = reference.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    return f"{head}{slash}{tail.partition(':')[0]}"


def familiar(reference: str) -> str:
    """Return the repository as the engine lists it: of Docker Hub's names, ``docker.io/library/redis`` is ``redis``."""
    return _HUB.sub("", repository_of(reference))


def _digest_of(pinned: str) -> str:
    """Return the digest in a pinned reference, of the image or of the archive that it came from."""
    match = _ARCHIVED.match(pinned)
    return f"sha256:{match['hash']}" if match else pinned.partition("@")[2]


class Compose:
    """What the service's slots on this host are and where its images come from."""

    def __init__(self, service: str, engine: Engine) -> None:
        self._service = service
        self._engine = engine

    def instances(self) -> dict[str, dict[str, Any]]:
        """Return each slot that has containers: ``replicas`` in their order, and what the slot is as a whole."""
        found = [self._describe(one) for one in self._engine.containers(f"{LABEL}service={self._service}")]
        found.sort(key=lambda one: bool(one["running"]))  # of several containers of a replica, a running one
        replicas = {(one["slot"], one["replica"]): one for one in found}
        slots: dict[str, list[dict[str, Any]]] = {}
        for (slot, dummy), one in sorted(replicas.items()):
            slots.setdefault(slot, []).append(one)
        return {slot: slot_from(ones) for slot, ones in slots.items()}

    def stop(self, slot: str, grace_s: int) -> None:
        """Stop the containers of a slot: SIGTERM, after ``grace_s`` seconds SIGKILL. They stay on the host."""
        for one in self._engine.containers(f"{LABEL}service={self._service}"):
            if one["Labels"].get(f"{LABEL}slot") == slot:
                self._engine.post(f"/containers/{one['Id']}/stop?t={grace_s}", wait_s=grace_s)

    def _describe(self, listed: Mapping[str, Any]) -> dict[str, Any]:
        labels, full = listed["Labels"], self._engine.container(listed["Id"])
        reference = full["Config"]["Image"]
        return {
            "slot": labels.get(f"{LABEL}slot", ""),
            "replica": int(labels.get(f"{LABEL}replica", "1")),
            "release": labels.get(f"{LABEL}release", ""),
            "config": labels.get(f"{LABEL}config", ""),
            "image": reference,
            "digest": _digest_of(reference),
            "container": full["Name"].lstrip("/"),
            "running": bool(full["State"]["Running"]),
            "status": full["State"]["Status"],
            "exit_code": full["State"]["ExitCode"],
            "restarts": full["RestartCount"],
            "started_at": full["State"]["StartedAt"],
        }

    def resolve(self, reference: str) -> dict[str, Any]:
        """Return ``{reference, pinned, digest, present}`` of an image, which is here, can be pulled or can be loaded.

        A reference with a digest is looked for here first, then in its registry. A tag may have moved, so its
        registry is asked first; what is here counts when the registry cannot be asked.

        :raises InputError: when it has neither tag nor digest.
        :raises FleetError: when the image is neither here nor in its registry.
        """
        check_reference(reference)
        archived = _ARCHIVED.match(reference)
        if archived:
            return self._from_archive(reference, bool(archived["archive"]))
        match = _PINNED.match(reference)
        local = self._engine.image(reference)
        if match and local:
            return self._resolved(reference, match["digest"], True)
        try:
            digest = self._engine.registry_digest(reference)
        except FleetError as error:
            if local and not match:
                for name in local.get("RepoDigests") or []:
                    if familiar(name) == familiar(reference):
                        return self._resolved(reference, name.partition("@")[2], True)
            raise FleetError(
                f"Image {reference}: expected it on this host or in its registry, found neither ({error.msg}).",
                "Push the image, correct release_image or release_name, or log in to the registry.",
            ) from error
        present = self._engine.image(f"{repository_of(reference)}@{digest}") is not None
        return self._resolved(reference, digest, present)

    def stored(self, reference: str) -> list[str]:
        """Return the images of the same repository that are on this host, pinned by digest."""
        if _ARCHIVED.match(reference):
            return sorted({name for image in self._engine.images() for name in image.get("RepoTags") or []
                           if _ARCHIVED.match(name) and repository_of(name) == self._service})
        return sorted({f"{repository_of(reference)}@{name.partition('@')[2]}" for image in self._engine.images()
                       for name in image.get("RepoDigests") or [] if familiar(name) == familiar(reference)})

    def _from_archive(self, reference: str, can_be_loaded: bool) -> dict[str, Any]:
        digest = _digest_of(reference)
        pinned = f"{self._service}:{digest.replace(':', '-')}"
        present = self._engine.image(pinned) is not None
        if not (present or can_be_loaded):
            raise FleetError(f"Image {reference}: expected it on this host, found it is no longer here.",
                             "Give release_image its archive, or take another release.")
        return {"reference": reference, "digest": digest, "present": present, "pinned": pinned}

    @staticmethod
    def _resolved(reference: str, digest: str, present: bool) -> dict[str, Any]:
        return {"reference": reference, "digest": digest, "present": present,
                "pinned": f"{repository_of(reference)}@{digest}"}


def check_reference(reference: str) -> str:
    """Return an image reference.

    :raises InputError: when it is not one, or has neither tag nor digest.
    """
    tail = reference.rpartition("/")[2]
    if _ARCHIVED.match(reference):
        return reference
    if reference.startswith("docker-archive:"):
        raise InputError("image", reference, "an archive with the digest of its content",
                         "docker-archive:/srv/builds/shop-v42.tar@sha256:<64 hexadecimal digits>")
    if not re.match(r"^[a-z0-9][a-zA-Z0-9._\-/:@]*$", reference) or not ("@" in tail or ":" in tail):
        raise InputError("image", reference, "an image with a tag or a digest", "registry.example.org/shop:v42")
    return reference
