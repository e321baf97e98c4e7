# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Docker Engine of the tests' own, on a small disk, and a registry that misbehaves as it is told."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import io
import json
import os
import re
import subprocess
import tarfile
import threading
import time
from pathlib import Path
from typing import Iterator

LAYER_BYTES = 1_500_000


@contextlib.contextmanager
def small_engine(directory: Path, disk_mb: int) -> Iterator[subprocess.Popen[bytes]]:
    """A dockerd that listens on ``directory/docker.sock``, has a disk of its own and tries a layer once.

    It also has a bridge of its own: with ``--bridge=none`` it would remove docker0, which is the machine's.
    """
    data = directory / "data"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={disk_mb}m", "tmpfs", str(data)], check=True)
    socket = directory / "docker.sock"
    log = directory / "dockerd.log"
    bridge = f"evenkeel{os.getpid() % 10_000}"
    command = ["dockerd", f"--host=unix://{socket}", f"--data-root={data}", f"--exec-root={directory / 'exec'}",
               f"--pidfile={directory / 'pid'}", f"--bridge={bridge}", "--iptables=false",
               "--max-download-attempts=1"]
    try:
        subprocess.run(["ip", "link", "add", bridge, "type", "bridge"], check=True)
        subprocess.run(["ip", "address", "add", "172.31.251.1/29", "dev", bridge], check=True)
        with log.open("wb") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as process:
            try:
                deadline = time.monotonic() + 60
                while b"API listen on" not in log.read_bytes():
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError(log.read_text())
                    time.sleep(0.1)
                yield process
            finally:
                process.terminate()
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)
        subprocess.run(["ip", "link", "delete", bridge], check=True)


class Registry:
    """One image, ``app:v1``, of random layers.

    ``pause_s`` is the time for each 16th of a layer, ``password_wanted`` refuses who sends none, ``cut_layers`` breaks
    off in the middle of a layer, ``silent`` answers nothing. ``asked`` counts requests.
    """

    def __init__(self, layers: int = 3) -> None:
        self.blobs: dict[str, bytes] = {}
        self.pause_s = 0.0
        self.password_wanted = False
        self.silent = False
        self.cut_layers = False
        self.asked = 0
        packed = [_layer(f"layer-{number}") for number in range(layers)]
        config = json.dumps({
            "architecture": _architecture(), "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [digest(plain) for plain, _blob in packed]},
        }).encode()
        self.layers = [self._keep(blob) for _plain, blob in packed]
        kind = "application/vnd.docker."
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": f"{kind}distribution.manifest.v2+json",
            "config": {"mediaType": f"{kind}container.image.v1+json", "size": len(config),
                       "digest": self._keep(config)},
            "layers": [{"mediaType": f"{kind}image.rootfs.diff.tar.gzip", "size": len(self.blobs[one]),
                        "digest": one} for one in self.layers],
        }).encode()
        self.digest = digest(self.manifest)
        self.bytes = sum(len(self.blobs[one]) for one in self.layers)

    def _keep(self, blob: bytes) -> str:
        self.blobs[digest(blob)] = blob
        return digest(blob)

    def __enter__(self) -> Registry:
        """Listen on 127.0.0.1, which engines ask without TLS."""
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                registry.answer(self)

            do_HEAD = do_GET

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        """Answer one request, or do not."""
        self.asked += 1
        if self.silent:
            time.sleep(60)
        if self.password_wanted and "Authorization" not in request.headers:
            _send(request, 401, _error("UNAUTHORIZED", "authentication required"), "application/json",
                  {"WWW-Authenticate": 'Basic realm="test"'})
            return
        what = request.path.rpartition("/")[2]
        if request.path == "/v2/":
            _send(request, 200, b"{}", "application/json")
        elif re.match(r"/v2/app/manifests/", request.path) and what in ("v1", self.digest):
            _send(request, 200, self.manifest, "application/vnd.docker.distribution.manifest.v2+json",
                  {"Docker-Content-Digest": self.digest})
        elif what in self.blobs:
            blob = self.blobs[what]
            _head(request, 200, len(blob), "application/octet-stream")
            with contextlib.suppress(OSError):
                self._send_slowly(request, what, blob)
        else:
            _send(request, 404, _error("MANIFEST_UNKNOWN", "manifest unknown"), "application/json")

    def _send_slowly(self, request: http.server.BaseHTTPRequestHandler, name: str, blob: bytes) -> None:
        size = len(blob) // 16 + 1
        for start in range(0, len(blob), size):
            if self.cut_layers and name in self.layers and start > len(blob) // 2:
                request.close_connection = True
                request.connection.close()
                return
            request.wfile.write(blob[start:start + size])
            request.wfile.flush()
            if name in self.layers:
                time.sleep(self.pause_s)


def digest(data: bytes) -> str:
    """Return the name that registries give to these bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]


def _layer(name: str) -> tuple[bytes, bytes]:
    """Return a layer with one file, plain and packed."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = LAYER_BYTES
        archive.addfile(entry, io.BytesIO(os.urandom(LAYER_BYTES)))
    return stream.getvalue(), gzip.compress(stream.getvalue(), 1)


def _error(code: str, message: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


def _head(request: http.server.BaseHTTPRequestHandler, status: int, size: int, kind: str,
          headers: dict[str, str] | None = None) -> None:
    request.send_response(status)
    for name, value in {"Content-Type": kind, "Content-Length": str(size), **(headers or {})}.items():
        request.send_header(name, value)
    request.end_headers()


def _send(request: http.server.BaseHTTPRequestHandler, status: int, body: bytes, kind: str,
          headers: dict[str, str] | None = None) -> None:
    _head(request, status, len(body), kind, headers)
    if request.command != "HEAD":
        request.wfile.write(body)
