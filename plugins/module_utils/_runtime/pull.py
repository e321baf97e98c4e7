# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pull an image through the engine's API, and tell how that is going while it does."""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from typing import Any, Iterable, Iterator, Mapping

from .._core import files
from .._core.errors import FleetError, InputError
from .compose import check_reference, familiar, repository_of
from .engine import SOCKET, Engine, EngineError, Silent, Unreachable, registry_of

#: How often the status file is written, in seconds.
INTERVAL_S = 1.0

_DIGEST = re.compile(r"Digest: (sha256:[0-9a-f]{64})")
_FETCHED = ("Verifying Checksum", "Download complete", "Extracting", "Pull complete")

#: What the engine says when a pull fails, and what can be done about it; the first that fits counts.
_REMEDIES = (
    (r"no space left|quota exceeded",
     "Free space where the engine keeps its data (docker system df shows what takes it) and pull again."),
    (r"unauthorized|no basic auth|authentication required|denied|toomanyrequests",
     "Run docker login {registry} as the user that this task becomes, or correct the image's name."),
    (r"no matching manifest", "Push the image for the platform of this host."),
    (r"manifest unknown|name unknown|not found|no such image", "Push the image, or correct its name."),
    (r"dial |lookup |time-?out|deadline|EOF|reset by peer|broken pipe|unreachable|TLS|x509|certificate|HTTP",
     "Make sure that {registry} answers this host, and pull again."),
    (r"", "Look into the engine's log on this host (journalctl -u docker) and pull again."),
)


def pull(image: str, docker_socket: str = SOCKET, stall_s: float = 60.0, status_path: str = "",
         check_mode: bool = False) -> dict[str, Any]:
    """Pull an image unless it is here.

    :arg stall_s: give up when the engine tells nothing for that long, in seconds.
    :arg status_path: file that has a :meth:`Progress.status` while the pull runs; empty for none.
    :raises FleetError: when it cannot be pulled; what is here is as it was.
    """
    check_reference(image)
    if stall_s <= 0:
        raise InputError("stall_s", stall_s, "seconds above 0", "60")
    engine, progress = Engine(docker_socket, stall_s), Progress()
    digest, found = "", engine.image(image)
    pulled = found is None
    if found is not None:
        digest = next((name.partition("@")[2] for name in found.get("RepoDigests") or []
                       if familiar(name) == familiar(image)), "")
    else:
        try:
            if check_mode:
                digest = engine.registry_digest(image)
            else:
                with _told(progress, status_path):
                    _follow(engine, image, progress)
                digest, found = progress.digest, engine.image(image)
        except EngineError as error:
            raise _explained(image, error) from None
    return {
        "changed": pulled, "image": image, "digest": digest,
        "pinned": f"{repository_of(image)}@{digest}" if digest else "",
        "layers": len(found["RootFS"].get("Layers") or []) if found else None,
        "layers_pulled": progress.layers_pulled, "bytes_pulled": progress.bytes_done, "duration_s": progress.elapsed_s,
    }


def _follow(engine: Engine, image: str, progress: Progress) -> None:
    name, _at, digest = image.partition("@")
    lines = engine.pull(repository_of(image), digest or name.rpartition(":")[2])
    why = "the connection to the engine was lost in the middle"
    try:
        for event in events(lines):
            progress.take(event)
    except Silent:
        why = f"the engine told nothing for {engine.timeout_s:g} s (stall_s): time-out"
    except Unreachable:
        if not progress.begun:
            raise
    if not progress.digest:
        raise EngineError(why)


def _explained(image: str, error: EngineError) -> FleetError:
    remedy = next(remedy for pattern, remedy in _REMEDIES if re.search(pattern, error.msg, re.IGNORECASE))
    registry = registry_of(image)
    return FleetError(f"image {image}: expected to pull it from {registry}, found: {error.msg}.",
                      remedy.format(registry=registry))


def events(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the events in the engine's lines; a line that was cut off is none.

    :raises EngineError: for an event that tells an error.
    """
    for line in lines:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(event, dict):
            continue
        if event.get("error"):
            raise EngineError(str(event["error"]))
        yield event


class _Layer:
    def __init__(self) -> None:
        self.done = False
        self.here = False
        self.bytes_done = 0
        self.bytes_all = 0


class Progress:
    """What the engine's events add up to. Neither layers nor bytes ever go back, also when the engine tries again."""

    def __init__(self) -> None:
        self.begun = False
        self.digest = ""
        self._layers: dict[str, _Layer] = {}
        self._started = time.monotonic()

    def take(self, event: Mapping[str, Any]) -> None:
        """Count one event."""
        self.begun = True
        status, layer = event.get("status"), event.get("id")
        if not isinstance(status, str):
            return
        match = _DIGEST.fullmatch(status)
        if match:
            self.digest = match[1]
        # The first event has the tag where the others have their layer.
        elif isinstance(layer, str) and not status.startswith("Pulling from "):
            detail = event.get("progressDetail")
            self._count(self._layers.setdefault(layer, _Layer()), status, detail if isinstance(detail, dict) else {})

    @staticmethod
    def _count(layer: _Layer, status: str, detail: Mapping[str, Any]) -> None:
        if status == "Downloading":
            layer.bytes_done = max(layer.bytes_done, _number(detail.get("current")))
            layer.bytes_all = max(layer.bytes_all, layer.bytes_done, _number(detail.get("total")))
        elif status in _FETCHED:
            layer.bytes_done = layer.bytes_all
        layer.here = layer.here or status == "Already exists"
        layer.done = layer.done or layer.here or status == "Pull complete"

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return round(time.monotonic() - self._started, 3)

    @property
    def bytes_done(self) -> int:
        """Bytes that were fetched, packed as the registry sends them."""
        return sum(layer.bytes_done for layer in list(self._layers.values()))

    @property
    def layers_pulled(self) -> int:
        """Layers that were fetched and unpacked."""
        return sum(layer.done and not layer.here for layer in list(self._layers.values()))

    def status(self) -> dict[str, Any]:
        """Return the counts; ``bytes_all`` is of the layers that the engine has begun to fetch."""
        layers = list(self._layers.values())
        return {"state": "running", "elapsed_s": self.elapsed_s,
                "layers_done": sum(layer.done for layer in layers), "layers_all": len(layers),
                "bytes_done": sum(layer.bytes_done for layer in layers),
                "bytes_all": sum(layer.bytes_all for layer in layers)}


def _number(value: Any) -> int:
    return max(0, value) if isinstance(value, int) else 0


@contextlib.contextmanager
def _told(progress: Progress, path: str) -> Iterator[None]:
    """Write the status until the block ends, then remove it.

    :raises InputError: when it cannot be written at the beginning.
    """
    if not path:
        yield
        return

    def tell() -> None:
        files.replace(path, json.dumps(progress.status()).encode(), mode=0o600, durable=False)

    over = threading.Event()

    def tell_on() -> None:
        while not over.wait(INTERVAL_S):
            with contextlib.suppress(OSError):
                tell()

    try:
        tell()
    except OSError as error:
        raise InputError("status_path", path, f"a file that can be written ({error.strerror})",
                         "/run/pull.json") from error
    thread = threading.Thread(target=tell_on, name="status", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with contextlib.suppress(OSError):
            os.remove(path)
