# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests drive: a real HAProxy of this machine with real servers behind it, on free ports of the loopback."""

from __future__ import annotations

import http.server
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.tasks import change_servers, read_servers

CONFIGURATION = """
global
    stats socket {directory}/admin.sock mode 660 level admin
    server-state-file {directory}/server-state
ring evenkeel
    format raw
    maxlen 2048
    size 262144
defaults
    mode http
    option httplog
    timeout connect 1s
    timeout client 30s
    timeout server 30s
    retries 2
    option redispatch 1
    retry-on conn-failure empty-response
    load-server-state-from-file global
frontend fe_shop
    bind 127.0.0.1:{port}
    log ring@evenkeel local0 info
    default_backend be_shop
frontend fe_metrics
    bind 127.0.0.1:{metrics_port}
    http-request use-service prometheus-exporter if {{ path /metrics }}
backend be_shop
    option httpchk GET /health
    default-server check inter 200ms fastinter 100ms downinter 100ms rise 3 fall 2 disabled
{servers}
backend be_unchecked
    server only 127.0.0.1:9 disabled
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Shop:
    """A server whose health and slowness a test sets while it runs."""

    def __init__(self) -> None:
        shop = self
        self.health_answers: Iterator[int] = iter(lambda: 200, None)
        self.health_checks: list[int] = []
        #: Statuses of all other requests; 0 hangs up without an answer.
        self.answers: Iterator[int] = iter(lambda: 200, None)
        #: How long each of them takes, in seconds.
        self.delays: Iterator[float] = iter(lambda: 0.0, None)
        self.release_slow = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/health":
                    code = next(shop.health_answers)
                    shop.health_checks.append(code)
                else:
                    code = next(shop.answers)
                    time.sleep(next(shop.delays))
                if self.path == "/slow":
                    shop.release_slow.wait(20)
                if not code:
                    return
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.release_slow.set()
        self._server.shutdown()
        self._server.server_close()


class Balancer:
    """The HAProxy under test; ``switch`` and ``read`` are what the modules call."""

    def __init__(self, directory: Path, shops: dict[str, Shop]) -> None:
        self.directory = directory
        self.socket = str(directory / "admin.sock")
        self.state_file = directory / "server-state"
        self.shops = shops
        self.port, self.metrics_port = free_port(), free_port()
        self.warnings: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, ports: dict[str, int] | None = None) -> None:
        ports = {**{name: shop.port for name, shop in self.shops.items()}, **(ports or {})}
        servers = "\n".join(f"    server {name} 127.0.0.1:{port} port {self.shops[name].port}"
                            for name, port in ports.items())
        configuration = self.directory / "haproxy.cfg"
        configuration.write_text(
            CONFIGURATION.format(
                directory=self.directory, port=self.port, metrics_port=self.metrics_port, servers=servers
            ),
            encoding="utf-8",
        )
        self._process = subprocess.Popen(
            ["haproxy", "-db", "-f", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: Path(self.socket).exists() and self.read("be_shop") is not None)

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            Path(self.socket).unlink(missing_ok=True)

    def switch(self, *servers: dict[str, Any], backend: str = "be_shop", **options: Any) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "socket": self.socket,
            "backend": backend,
            "servers": servers,
            "healthy": False,
            "deadline_s": 5.0,
            "drain_deadline_s": 0.0,
            "tunnel_drain_deadline_s": None,
            "state_file": str(self.state_file),
            "check_mode": False,
            "warn": self.warnings.append,
        }
        return change_servers(**{**arguments, **options})

    def read(self, backend: str = "be_shop") -> dict[str, dict[str, Any]]:
        found = read_servers(self.socket, backend, check_mode=False, warn=self.warnings.append)
        return {server["name"]: server for server in found["backends"][backend]["servers"]}

    def states(self) -> dict[str, str]:
        return {name: server["state"] for name, server in self.read().items()}

    def get(self, path: str = "/") -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer:
            return int(answer.status)


def until(holds: Any, seconds: float = 5.0) -> None:
    """Wait until ``holds()`` is true; an OSError or FleetError on the way counts as not yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except Exception:
            if time.monotonic() > end:
                raise
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)
