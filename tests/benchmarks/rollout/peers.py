# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What many do instead, on one host of the lab, each in our own words of a few lines.

`recreate` is `docker compose up -d` with another image: the container is replaced in place. `scale` is the method of
docker-rollout: scale the service to two, wait until the new container is healthy, stop and remove the old one; a proxy
in front finds both. It is kind to it: it checks ten times a second and gives a refused request to the other one.
"""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

from benchmarks.rollout.lab import ROOT, Lab, load

HOME = "/opt/bench-peer"
PORT, PROXY_PORT, PORTS = 8010, 8088, "8010-8013"
SETTLE_S = 3
READY_S = 30
HEALTHY = ("import urllib.request as r; "
           "r.urlopen('http://127.0.0.1:8000/health', timeout=1)")
PROXY = """
global
    pidfile /tmp/bench-peer.pid
    daemon
defaults
    mode http
    option redispatch
    retries 3
    timeout connect 1s
    timeout client 30s
    timeout server 30s
listen peer
    bind :{port}
    option httpchk GET /health
    default-server check inter 100ms fall 1 rise 1 observe layer4 error-limit 1 on-error mark-down
{servers}
"""


class Peer:
    """The service `peer` on the first app host, with the image, the environment and the load of ours."""

    def __init__(self, fleet: Lab) -> None:
        self.fleet, self.host = fleet, fleet.hosts[0]
        inventory = json.loads(subprocess.check_output(["ansible-inventory", "--list"], cwd=ROOT))
        addresses = inventory["_meta"]["hostvars"]
        self.stores = [f"{name}:{addresses[name]['lab_address']}"
                       for group in ("postgres", "redis") for name in inventory[group]["hosts"]]
        current = fleet.ledgers()[self.host]["status"]["current"]
        self.environment = f"/opt/evenkeel/pitch/{current['slot']}/environment"

    def __enter__(self) -> Peer:
        self.on(self.host, f"mkdir -p {HOME} && cp {self.environment} {HOME}/environment")
        servers = "\n".join(f"    server peer{port} {self.host}:{port}" for port in range(PORT, PORT + 4))
        self.write(self.fleet.edge, "/tmp/bench-peer.cfg", PROXY.format(port=PROXY_PORT, servers=servers))
        self.on(self.fleet.edge, "haproxy -f /tmp/bench-peer.cfg")
        return self

    def __exit__(self, *dummy: object) -> None:
        self.on(self.fleet.edge, "kill $(cat /tmp/bench-peer.pid); rm -f /tmp/bench-peer.*")
        self.on(self.host, f"docker compose --project-directory {HOME} down --timeout 1; rm -rf {HOME}")

    def recreate(self) -> dict[str, float]:
        """Count what fails while v2 replaces v1, and back."""
        self.compose("v1", str(PORT))
        self.on(self.host, self.up())
        self.wait_for(f"http://{self.host}:{PORT}/health")
        with load(self.fleet, f"http://{self.host}:{PORT}") as results:
            time.sleep(SETTLE_S)
            for release in ("v2", "v1"):
                self.compose(release, str(PORT))
                self.on(self.host, self.up())
                self.wait_for(f"http://{self.host}:{PORT}/health")
                time.sleep(SETTLE_S)
        return self.done(results)

    def scale(self) -> dict[str, float]:
        """Count what fails while v2 comes beside v1 and v1 goes, and back."""
        self.compose("v1", PORTS)
        self.on(self.host, self.up())
        self.wait_for(f"http://{self.fleet.edge}:{PROXY_PORT}/health")
        with load(self.fleet, f"http://{self.fleet.edge}:{PROXY_PORT}") as results:
            time.sleep(SETTLE_S)
            for release in ("v2", "v1"):
                self.compose(release, PORTS)
                (old,) = self.containers()
                self.on(self.host, self.up("--no-recreate --scale pitch=2"))
                (new,) = [one for one in self.containers() if one != old]
                self.wait_until_healthy(new)
                self.on(self.host, f"docker stop {old} && docker rm {old}")
                time.sleep(SETTLE_S)
        return self.done(results)

    def done(self, results: list[dict[str, Any]]) -> dict[str, float]:
        self.on(self.host, f"docker compose --project-directory {HOME} down --timeout 1")
        (result,) = results
        return {"failed": result["metrics"]["errors"], "requests": result["metrics"]["requests"]}

    def up(self, more: str = "") -> str:
        return f"docker compose --project-directory {HOME} up --detach {more}"

    def compose(self, release: str, ports: str) -> None:
        """Write the Compose file."""
        check = {"test": ["CMD", "python3", "-c", HEALTHY], "interval": "500ms", "timeout": "2s", "retries": 60}
        service = {"image": f"registry1:5000/pitch:{release}", "env_file": ["environment"],
                   "extra_hosts": self.stores, "ports": [f"{ports}:8000"], "healthcheck": check}
        project = {"name": "bench-peer", "services": {"pitch": service}}
        self.write(self.host, f"{HOME}/compose.yaml", json.dumps(project))

    def containers(self) -> list[str]:
        return self.on(self.host, f"docker compose --project-directory {HOME} ps --quiet").split()

    def wait_until_healthy(self, container: str) -> None:
        self.until(self.host, f"docker inspect --format '{{{{.State.Health.Status}}}}' {container} | grep -x healthy")

    def wait_for(self, url: str) -> None:
        command = f"import urllib.request as r; r.urlopen('{url}', timeout=1)"
        self.until("load1", f'python3 -c "{command}"')

    @staticmethod
    def until(host: str, command: str) -> None:
        """Run a command on a host of the lab again and again until it succeeds."""
        Peer.on(host, f"for try in $(seq {READY_S * 5}); do {command} >/dev/null 2>&1 && exit; sleep 0.2; done; exit 1")

    @staticmethod
    def on(host: str, command: str) -> str:
        """Run a command on a host of the lab."""
        done = subprocess.run(["docker", "exec", f"evenkeel-{host}", "sh", "-c", command], check=False, text=True,
                              capture_output=True)
        if done.returncode:
            raise RuntimeError(f"{host}: {command}: {done.stdout}{done.stderr}")
        return done.stdout

    @staticmethod
    def write(host: str, path: str, text: str) -> None:
        subprocess.run(["docker", "exec", "-i", f"evenkeel-{host}", "sh", "-c", f"cat > {path}"], check=True,
                       text=True, input=text)
