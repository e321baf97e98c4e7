# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Docker Engine's API over its unix socket: what is running here, where an image is, and commands to containers."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import socket
import urllib.parse
from typing import Any, Iterator

from .._core.errors import FleetError

SOCKET = "/var/run/docker.sock"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    """One Docker Engine; every call opens one connection. ``timeout_s`` is for one answer, in seconds."""

    def __init__(self, socket_path: str = SOCKET, timeout_s: float = 30.0) -> None:
        self.socket_path = socket_path
        self.timeout_s = timeout_s

    def containers(self, label: str) -> list[dict[str, Any]]:
        """Return all containers, running or not, that carry ``label`` (``key=value``)."""
        filters = urllib.parse.quote(json.dumps({"label": [label]}))
        found: list[dict[str, Any]] = self._get(f"/containers/json?all=true&filters={filters}")
        return found

    def container(self, identity: str) -> dict[str, Any]:
        """Return one container in full."""
        found: dict[str, Any] = self._get(f"/containers/{identity}/json")
        return found

    def images(self) -> list[dict[str, Any]]:
        """Return all images that are present here."""
        found: list[dict[str, Any]] = self._get("/images/json")
        return found

    def image(self, reference: str) -> dict[str, Any] | None:
        """Return an image that is present here, or None."""
        try:
            found: dict[str, Any] = self._get(f"/images/{urllib.parse.quote(reference, safe='/:@')}/json")
        except NotFound:
            return None
        return found

    def registry_digest(self, reference: str) -> str:
        """Ask the image's registry, through this engine and its settings, for the digest of a reference.

        :raises FleetError: when the registry does not have it or cannot be asked.
        """
        answer = self._get(f"/distribution/{urllib.parse.quote(reference, safe='/:@')}/json",
                           {"X-Registry-Auth": _credentials(reference)})
        return str(answer["Descriptor"]["digest"])

    def post(self, path: str, wait_s: float = 0.0) -> None:
        """Give a command, such as ``/containers/<id>/stop?t=10``, that takes up to ``wait_s`` seconds by itself."""
        self._ask("POST", path, timeout_s=self.timeout_s + wait_s)

    def pull(self, repository: str, tag: str) -> Iterator[bytes]:
        """Pull an image, by a tag or a digest; yield what the engine tells meanwhile, one JSON document a line.

        The engine gives the pull up when this is left before its end.

        :raises EngineError: when the engine refuses; what goes wrong later on is among the lines.
        :raises Silent: when nothing comes for ``timeout_s``.
        """
        query = urllib.parse.urlencode({"fromImage": repository, "tag": tag})
        with self._answer("POST", f"/images/create?{query}", {"X-Registry-Auth": _credentials(repository)}) as answer:
            yield from iter(answer.readline, b"")

    def _get(self, path: str, headers: dict[str, str] | None = None) -> Any:
        return json.loads(self._ask("GET", path, headers))

    def _ask(self, method: str, path: str, headers: dict[str, str] | None = None,
             timeout_s: float | None = None) -> bytes:
        with self._answer(method, path, headers, timeout_s) as answer:
            return answer.read()

    @contextlib.contextmanager
    def _answer(self, method: str, path: str, headers: dict[str, str] | None = None,
                timeout_s: float | None = None) -> Iterator[http.client.HTTPResponse]:
        timeout_s = timeout_s or self.timeout_s
        connection = _UnixConnection(self.socket_path, timeout_s)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            if response.status >= 400:
                raise _refusal(response)
            yield response
        except socket.timeout as error:
            raise Silent(f"docker_socket: the Docker Engine at {self.socket_path} sent nothing for {timeout_s:g} s.",
                         "Look into its log on this host (journalctl -u docker).") from error
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"docker_socket: expected a Docker Engine at {self.socket_path}, found: {error}.",
                              "Install and start Docker Engine 20.10 or newer on this host.") from error
        finally:
            connection.close()


class EngineError(FleetError):
    """The engine refused."""


class NotFound(EngineError):
    """The engine does not have it."""


class Unreachable(FleetError):
    """There is no engine to ask."""


class Silent(Unreachable):
    """The engine is there and says nothing."""


def _refusal(response: http.client.HTTPResponse) -> EngineError:
    body = response.read()
    try:
        message = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        message = body.decode(errors="replace")
    kind = NotFound if response.status == 404 else EngineError
    return kind(f"Docker Engine answered {response.status}: {message}")


def registry_of(reference: str) -> str:
    """Return the registry of an image reference as ``docker login`` knows it; without a name it is Docker Hub."""
    first, slash, _rest = reference.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return first if named and first not in ("docker.io", "index.docker.io") else "https://index.docker.io/v1/"


def _credentials(reference: str) -> str:
    """Return what ``docker login`` stored in this user's config.json for the registry, as the engine wants it."""
    path = os.path.join(os.environ.get("DOCKER_CONFIG", os.path.expanduser("~/.docker")), "config.json")
    try:
        with open(path, encoding="utf-8") as stream:
            stored = json.load(stream).get("auths", {}).get(registry_of(reference), {})
    except (OSError, ValueError):
        stored = {}
    user, _colon, password = base64.b64decode(stored.get("auth", "")).decode().partition(":")
    content = {"username": user, "password": password, "identitytoken": stored.get("identitytoken", "")}
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
