# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet under test: a small service as systemd unit on every app host, behind the lab's load balancer."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

ROOT = Path(__file__).parents[3]
HOSTS = ("app1", "app2", "app3")
PORT, EDGE_PORT = 9099, 8099
SETTINGS, PROGRAM = "/etc/bell.conf", "/opt/bell/server.py"
ENVIRONMENT = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"}

UNIT = """
[Service]
Type={type}
NotifyAccess=all
ExecStart=/usr/bin/python3 {program} {port} {settings} {options}
{more}
"""
SOCKET = f"""
[Socket]
ListenStream=0.0.0.0:{PORT}
Backlog=1024
[Install]
WantedBy=sockets.target
"""
#: What a host declares of it; tests change parts.
BELL: dict[str, Any] = {
    "name": "bell",
    "health": [{"name": "bell", "type": "http", "url": f"http://127.0.0.1:{PORT}/health", "timeout_s": 2}],
    "programs": ["/opt/bell"],
    "files": [SETTINGS],
    "backend": "be_bell",
}
BALANCER = [
    {"name": "pitch", "port": 80},
    {"name": "bell", "port": EDGE_PORT,
     "servers": [{"name": host, "address": host, "port": PORT} for host in HOSTS]},
]


@dataclass(frozen=True)
class Run:
    """One run of a playbook."""

    rc: int
    output: str

    @property
    def text(self) -> str:
        """The output without its line breaks."""
        return " ".join(self.output.split())

    @property
    def changed(self) -> int:
        return sum(map(int, re.findall(r"changed=(\d+)", self.output)))

    @property
    def turns(self) -> list[str]:
        """The instances of every turn, in the order in which they went."""
        return [name for name in re.findall(r"TASK \[.*: Turn \| Restart (.*?)\]", self.output) if name]


def on(host: str, command: str, strict: bool = True, data: str | None = None) -> str:
    """Run a shell command on a host of the lab."""
    done = subprocess.run(["docker", "exec", "-i", f"evenkeel-{host}", "sh", "-c", command], input=data, text=True,
                          capture_output=True, check=False)
    assert not strict or done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout.strip()


def wait_until(condition: Callable[[], Any], deadline_s: float, interval_s: float = 0.1) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    ends = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < ends, f"not within {deadline_s:g} s"
        time.sleep(interval_s)


class Shops:
    """The service on every app host, and the playbooks that are tried on it."""

    def __init__(self, directory: Path) -> None:
        self.inventory = directory / "inventory.yml"

    def declare(self, *services: dict[str, Any], **by_host: list[dict[str, Any]]) -> None:
        """Write the inventory that stands beside the lab's."""
        hosts = {host: {"graceful_restart_services": by_host.get(host, list(services))} for host in HOSTS}
        self.inventory.write_text(json.dumps({
            "app": {"hosts": hosts},
            "edge": {"hosts": {"edge1": {"load_balancer_services": BALANCER, "graceful_restart_services": []}}}}))

    def install(self, host: str, options: str = "", type: str = "notify", more: str = "", settings: str = "text=one",
                socket: bool = False) -> None:
        """Install the unit anew and start it."""
        on(host, "systemctl stop bell.socket; systemctl kill -s KILL bell.service; systemctl stop bell.service; "
                 "rm -f /etc/systemd/system/bell.*", strict=False)  # one that ignores SIGTERM would take its 90 s
        program = (Path(__file__).parent / "server.py").read_text()
        on(host, f"mkdir -p {Path(PROGRAM).parent} && cat > {PROGRAM}", data=program)
        self.set(host, settings)
        unit = UNIT.format(type=type, program=PROGRAM, port=PORT, settings=SETTINGS, options=options, more=more)
        on(host, "cat > /etc/systemd/system/bell.service", data=unit)
        if socket:
            on(host, "cat > /etc/systemd/system/bell.socket", data=SOCKET)
        listen = "systemctl enable --quiet --now bell.socket &&" if socket else ""
        on(host, f"systemctl daemon-reload && systemctl reset-failed && {listen} systemctl start bell.service")

    def remove(self, host: str) -> None:
        """Take everything away again."""
        on(host, "systemctl disable --quiet --now bell.socket; systemctl kill -s KILL bell.service; "
                 "systemctl stop bell.service; rm -rf /etc/systemd/system/bell.* /opt/bell /etc/bell.conf "
                 "/var/lib/evenkeel/bell /run/evenkeel/restart/bell.service; systemctl daemon-reload; "
                 "systemctl reset-failed", strict=False)

    def set(self, host: str, settings: str) -> None:
        on(host, f"cat > {SETTINGS}", data=settings)

    def play(self, playbook: str, *arguments: str, **variables: Any) -> Run:
        """Run a playbook of the collection, or of a path."""
        name = playbook if "/" in playbook else f"evenkeel.fleet.{playbook}"
        done = subprocess.run(
            ["ansible-playbook", "-i", "inventories/lab", "-i", str(self.inventory), name, "-e", json.dumps(variables),
             *arguments], cwd=ROOT, env=ENVIRONMENT, text=True, capture_output=True, check=False)
        return Run(done.returncode, done.stdout + done.stderr)

    def restart_until(self, text: str, then: Callable[[], Any], *more: str) -> Run:
        """Restart, with more inventories, and do something as soon as a line of the output has this text."""
        output, done = "", False
        inventories = [word for one in ("inventories/lab", *more, str(self.inventory)) for word in ("-i", one)]
        with subprocess.Popen(["ansible-playbook", *inventories, "evenkeel.fleet.restart"], cwd=ROOT, text=True,
                              env={**ENVIRONMENT, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as process:
            for line in process.stdout:
                output += line
                if text in line and not done:
                    then()
                    done = True
        return Run(process.returncode, output)

    def kill_restart(self, when: Callable[[], bool], **variables: Any) -> None:
        """Restart, and kill the controller when a condition holds; what it has begun on a host goes on."""
        command = ["ansible-playbook", "-i", "inventories/lab", "-i", str(self.inventory), "evenkeel.fleet.restart",
                   "-e", json.dumps(variables)]
        with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            try:
                wait_until(lambda: process.poll() is not None or when(), 120)
                assert process.poll() is None, f"the restart ended with {process.returncode} before"
            finally:
                process.kill()

    def restart(self, *arguments: str, **variables: Any) -> Run:
        return self.play("restart", *arguments, **{"graceful_restart_backoff_s": 0.5, **variables})

    def serve(self) -> None:
        """Bring every server of the load balancer into traffic."""
        servers = [{"name": host, "state": "ready"} for host in HOSTS]
        self.balancer(servers, healthy=True)

    def balancer(self, servers: list[dict[str, Any]], **options: Any) -> None:
        done = self.module("edge1", "balancer_server", backend="be_bell", servers=servers, **options)
        assert not done.get("failed"), done

    def look(self, host: str, **arguments: Any) -> dict[str, Any]:
        """Run the module in check mode."""
        return self.module(host, "service_restart", "--check", "--diff", **arguments)

    def module(self, host: str, module: str, /, *flags: str, **arguments: Any) -> dict[str, Any]:
        """Run one module and return its result."""
        text = subprocess.run(
            ["ansible", "-i", "inventories/lab", host, "-m", f"evenkeel.fleet.{module}", "-a", json.dumps(arguments),
             *flags],
            cwd=ROOT, env={**ENVIRONMENT, "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
                           "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
            text=True, capture_output=True, check=False).stdout
        return json.loads(text[text.index("{"):])["plays"][0]["tasks"][0]["hosts"][host]

    def states(self) -> dict[str, str]:
        found = self.module("edge1", "balancer_info", backend="be_bell")
        return {server["name"]: server["state"] for server in found["backends"]["be_bell"]["servers"]}

    def pids(self) -> dict[str, str]:
        return {host: on(host, "systemctl show --value -p MainPID bell") for host in HOSTS}


class Load:
    """Requests at a constant rate from load1, while something else happens."""

    def __init__(self, url: str, rate_rps: int = 100, keep_alive: bool = True,
                 path: str = "/") -> None:
        self._stop = f"/tmp/bell-stop-{time.monotonic_ns()}"
        module = {"target": url, "executor": "constant_arrival_rate", "rate_rps": rate_rps, "duration_s": 120,
                  "stop_path": self._stop, "reuse": keep_alive, "timeout_s": 10,
                  "scenarios": [{"name": "bell", "requests": [{"path": path}]}]}
        self._process = subprocess.Popen(
            ["ansible", "-i", "inventories/lab", "load1", "-m", "evenkeel.fleet.load_probe",
             "-a", json.dumps(module)],
            cwd=ROOT, env={**ENVIRONMENT, "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
                           "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}, text=True, stdout=subprocess.PIPE)

    def __enter__(self) -> Load:
        time.sleep(3)  # until the module runs
        return self

    def __exit__(self, *_: Any) -> None:
        on("load1", f"touch {self._stop}")
        text = self._process.communicate(timeout=60)[0]
        on("load1", f"rm -f {self._stop}")
        self.result = json.loads(text[text.index("{"):])["plays"][0]["tasks"][0]["hosts"]["load1"]
        self.metrics = self.result["metrics"]
