# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compose runtime: what an engine answers, and where an image is."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.compose import (
    Compose,
    check_reference,
    repository_of,
)
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.engine import Engine, Unreachable, registry_of

DIGEST = "sha256:" + "c" * 64

#: Answers of Docker Engine 20.10, shortened to what is read.
CONTAINER = {"Name": "/shop-blue-shop-1", "Config": {"Image": f"r:5000/shop@{DIGEST}"}, "RestartCount": 2,
             "State": {"Running": True, "Status": "running", "ExitCode": 0, "StartedAt": "2026-11-21T08:31:59.1Z"}}
LISTED = [{"Id": "1f", "Labels": {"evenkeel.service": "shop", "evenkeel.slot": "blue", "evenkeel.release": "v1",
                                  "evenkeel.config": "c1"}}]


@pytest.fixture
def engine(tmp_path):
    """A server on a unix socket that speaks HTTP as the Docker Engine does; ``answers`` by path."""
    answers: dict[str, object] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.partition("?")[0]
            found = path in answers
            body = json.dumps(answers[path] if found else {"message": f"no such thing: {path}"}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

        def address_string(self):
            return "unix"

    path = str(tmp_path / "docker.sock")
    with socketserver.ThreadingUnixStreamServer(path, Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield Engine(path, 5), answers
        server.shutdown()


def test_instances_by_slot(engine):
    api, answers = engine
    answers.update({"/containers/json": LISTED, "/containers/1f/json": CONTAINER})
    blue = Compose("shop", api).instances()["blue"]
    assert (blue["release"], blue["digest"], blue["running"], blue["restarts"]) == ("v1", DIGEST, True, 2)


def test_a_slot_runs_with_all_of_its_replicas(engine):
    api, answers = engine
    second = {"Id": "2f", "Labels": {**LISTED[0]["Labels"], "evenkeel.replica": "2"}}
    stopped = {**CONTAINER, "Name": "/shop-blue-shop-2-1", "State": {**CONTAINER["State"], "Running": False}}
    answers.update({"/containers/json": [second, *LISTED], "/containers/1f/json": CONTAINER,
                    "/containers/2f/json": CONTAINER})
    blue = Compose("shop", api).instances()["blue"]
    assert (blue["running"], [one["replica"] for one in blue["replicas"]]) == (True, [1, 2])
    answers["/containers/2f/json"] = stopped
    blue = Compose("shop", api).instances()["blue"]
    assert (blue["running"], blue["container"]) == (False, "shop-blue-shop-2-1")
    assert [one["running"] for one in blue["replicas"]] == [True, False]


def test_of_two_containers_of_a_replica_the_one_that_runs_counts(engine):
    api, answers = engine
    left = {**CONTAINER, "Name": "/old", "State": {**CONTAINER["State"], "Running": False}}
    answers.update({"/containers/json": [*LISTED, {**LISTED[0], "Id": "2f"}], "/containers/1f/json": CONTAINER,
                    "/containers/2f/json": left})
    (replica,) = Compose("shop", api).instances()["blue"]["replicas"]
    assert replica["container"] == "shop-blue-shop-1"


def test_a_tag_is_resolved_by_its_registry(engine):
    api, answers = engine
    answers["/distribution/r:5000/shop:v1/json"] = {"Descriptor": {"digest": DIGEST}}
    image = Compose("shop", api).resolve("r:5000/shop:v1")
    assert image == {"reference": "r:5000/shop:v1", "digest": DIGEST, "present": False,
                     "pinned": f"r:5000/shop@{DIGEST}"}


def test_without_its_registry_a_tag_is_what_is_here(engine):
    api, answers = engine
    answers["/images/r:5000/shop:v1/json"] = {"RepoDigests": [f"other/shop@sha256:{'0' * 64}", f"r:5000/shop@{DIGEST}"]}
    assert Compose("shop", api).resolve("r:5000/shop:v1")["digest"] == DIGEST


def test_a_pinned_image_that_is_here_needs_no_registry(engine):
    api, answers = engine
    answers[f"/images/r:5000/shop@{DIGEST}/json"] = {"RepoDigests": []}
    assert Compose("shop", api).resolve(f"r:5000/shop@{DIGEST}")["present"]


def test_a_missing_image_is_one_clear_message(engine):
    with pytest.raises(FleetError, match=r"Image r:5000/shop:v9: expected it on this host or in its registry"):
        Compose("shop", engine[0]).resolve("r:5000/shop:v9")


def test_no_engine(tmp_path):
    with pytest.raises(Unreachable, match="docker_socket: expected a Docker Engine"):
        Engine(str(tmp_path / "nothing")).containers("a=b")


@pytest.mark.parametrize(("reference", "repository", "registry"), [
    ("r:5000/shop:v1", "r:5000/shop", "r:5000"),
    ("r:5000/team/shop", "r:5000/team/shop", "r:5000"),
    (f"registry.example.org/shop:v1@{DIGEST}", "registry.example.org/shop", "registry.example.org"),
    ("library/redis:7", "library/redis", "https://index.docker.io/v1/"),
    ("redis:7", "redis", "https://index.docker.io/v1/"),
    ("docker.io/acme/shop:v1", "docker.io/acme/shop", "https://index.docker.io/v1/"),
    ("localhost/shop:v1", "localhost/shop", "localhost"),
])
def test_references(reference, repository, registry):
    assert (repository_of(reference), registry_of(reference)) == (repository, registry)


@pytest.mark.parametrize(("reference", "listed"), [
    ("docker.io/acme/shop:v1", "acme/shop"), ("library/redis:7", "redis"), ("index.docker.io/library/redis:7", "redis"),
    ("redis:7", "redis"), ("r:5000/library/redis:7", "r:5000/library/redis")])
def test_images_are_found_under_the_name_that_the_engine_gives_them(engine, reference, listed):
    api, answers = engine
    answers["/images/json"] = [{"RepoDigests": [f"{listed}@{DIGEST}", f"other@{DIGEST}"]}]
    answers[f"/images/{reference}/json"] = {"RepoDigests": [f"{listed}@{DIGEST}"]}
    compose, pinned = Compose("shop", api), f"{repository_of(reference)}@{DIGEST}"
    assert compose.stored(reference) == [pinned]
    assert compose.resolve(reference)["pinned"] == pinned


@pytest.mark.parametrize("reference", ["", "shop", "r:5000/shop", "shop v1", "-shop:v1"])
def test_references_that_pin_nothing_are_refused(reference):
    with pytest.raises(InputError, match="image: expected"):
        check_reference(reference)


HASH = "d" * 64
LOADED = f"shop:sha256-{HASH}"
ARCHIVE = f"docker-archive:/srv/shop-v2.tar@sha256:{HASH}"


@pytest.mark.parametrize("present", [False, True])
def test_an_archive_is_pinned_by_its_own_digest(engine, present):
    one, answers = engine
    if present:
        answers[f"/images/{LOADED}/json"] = {"RepoDigests": []}
    assert Compose("shop", one).resolve(ARCHIVE) == {
        "reference": ARCHIVE, "digest": f"sha256:{HASH}", "pinned": LOADED, "present": present}


def test_a_loaded_image_is_here_or_nowhere(engine):
    one, answers = engine
    with pytest.raises(FleetError, match="expected it on this host, found it is no longer here"):
        Compose("shop", one).resolve(LOADED)
    answers[f"/images/{LOADED}/json"] = {"RepoDigests": []}
    assert Compose("shop", one).resolve(LOADED)["pinned"] == LOADED


def test_an_archive_without_its_digest_is_refused(engine):
    with pytest.raises(InputError, match="expected an archive with the digest of its content"):
        Compose("shop", engine[0]).resolve("docker-archive:/srv/shop-v2.tar")


def test_loaded_images_of_the_service_are_stored(engine):
    one, answers = engine
    answers["/images/json"] = [{"RepoTags": [LOADED, "shop:v2"]}, {"RepoTags": [f"other:sha256-{HASH}"]},
                               {"RepoTags": None}]
    assert Compose("shop", one).stored(ARCHIVE) == [LOADED]


def test_a_container_of_a_loaded_image_has_the_digest_of_the_archive(engine):
    one, answers = engine
    answers["/containers/json"] = LISTED
    answers["/containers/1f/json"] = {**CONTAINER, "Config": {"Image": LOADED}}
    assert Compose("shop", one).instances()["blue"]["digest"] == f"sha256:{HASH}"
