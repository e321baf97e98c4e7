# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A throw-away Redis per test: started with a configuration file, stopped, started again."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._client.redis import RedisClient
from ansible_collections.evenkeel.fleet.plugins.module_utils._redis.settings import Request, ensure

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.common import free_port, require


class RedisServer:
    """A real server in a directory of its own, listening on a port and on a Unix socket."""

    def __init__(self, directory: Path) -> None:
        self.password = "correct horse"
        self.program = require("redis-server")
        self.port = free_port()
        self.socket = directory / "redis.sock"
        self.main = directory / "redis.conf"
        self.managed = directory / "evenkeel.conf"
        self.main.write_text(
            f"port {self.port}\nbind 127.0.0.1\nunixsocket {self.socket}\ndir {directory}\n"
            f'requirepass "{self.password}"\n'
        )
        self.main.chmod(0o640)

    def start(self, *arguments: str) -> None:
        """Start with the configuration file, or with these arguments instead of it."""
        command = [self.program, *(arguments or [str(self.main)])]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self.main.parent)
        deadline = time.monotonic() + 10
        while not self.socket.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"redis-server did not start, see its answer to: {command}")
            time.sleep(0.02)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)

    def restart(self) -> None:
        self.stop()
        self.start()

    def client(self, **options: object) -> RedisClient:
        return RedisClient(**{"port": self.port, "password": self.password, **options})

    def config(self) -> dict[str, str]:
        with self.client() as client:
            flat = client.call("CONFIG", "GET", "*")
        return dict(zip(flat[::2], flat[1::2]))

    def ensure(self, settings: dict, check_mode: bool = False, **request: object) -> dict:
        """Apply settings with the managed file, unless ``config_file`` says otherwise."""
        with self.client() as client:
            return ensure(client, Request(settings, **{"config_file": str(self.managed), **request}), check_mode)

    def files(self) -> dict[str, str | None]:
        return {path.name: path.read_text() if path.exists() else None for path in (self.main, self.managed)}


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()
