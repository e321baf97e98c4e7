# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the fault tests need: hosts as machines, users who count, and a controller to be killed in a given moment."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

from integration.rollout.fleet import ENVIRONMENT, ROOT, Fleet, Run

#: How a ledger may end. A host whose release was only staged has nothing to go back from.
ENDS = (("COMMITTED", "result"), ("ROLLED_BACK", "result"), ("STAGED", "intent"), ("STAGED", "result"))

#: As short as the plan allows, so that a test of a dead controller takes a minute and not four.
SHORT = {
    "rollout_guard_ttl_s": 28,
    "rollout_soak_s": 1,
    "release_guard_look_s": 5,
    "release_health": {"path": "/health", "consecutive": 2, "interval_s": 0.2, "deadline_s": 10},
    "release_switch_deadline_s": 8,
    "release_drain_deadline_s": 2,
    "rollout_gate_alone": {"rate_rps": 30, "duration_s": 0.5, "thresholds": ["error_rate < 1%"]},
    "rollout_gate_wave": {"rate_rps": 50, "duration_s": 1, "thresholds": ["error_rate < 1%"]},
}


class Machines:
    """The lab's hosts from outside: their files through the kernel, their containers through Docker."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        found = fleet.ask("app:edge:postgres", "ansible.builtin.debug", "var=ansible_host")
        self.names = {host: one["ansible_host"] for host, one in found.items()}
        found = fleet.ask("edge", "ansible.builtin.debug", "var=lab_address")
        self.addresses = {host: one["lab_address"] for host, one in found.items()}
        self.address = self.addresses[fleet.edge]

    def run(self, host: str, command: str, check: bool = True) -> str:
        """Run a shell command on a host."""
        return subprocess.run(["docker", "exec", self.names[host], "sh", "-c", command], text=True, capture_output=True,
                              check=check).stdout

    def path(self, host: str, path: str) -> Path:
        """Return where this machine sees a host's file."""
        command = ["docker", "inspect", "-f", "{{.State.Pid}}", self.names[host]]
        return Path("/proc", subprocess.check_output(command, text=True).strip(), "root", path)

    def kept(self, host: str, name: str) -> Path:
        """Return where this machine sees what is kept of the service on a host."""
        return self.path(host, f"var/lib/evenkeel/{self.fleet.service}/{name}")

    @contextlib.contextmanager
    def out_of_reach(self, host: str) -> Iterator[None]:
        """Let the controller not find a host for the time of a ``with`` block; the host goes on as it does."""
        name = self.names[host]
        subprocess.run(["docker", "rename", name, f"{name}-elsewhere"], check=True)
        self.names[host] = f"{name}-elsewhere"
        try:
            yield
        finally:
            subprocess.run(["docker", "rename", f"{name}-elsewhere", name], check=True)
            self.names[host] = name

    def ledger(self, host: str) -> Path:
        """Return where this machine sees a host's ledger."""
        return self.kept(host, "ledger.jsonl")

    def last(self, host: str) -> dict[str, Any]:
        """Return the last record of a host's ledger."""
        return _last(self.ledger(host))

    def guard(self, edge: str = "") -> dict[str, Any]:
        """Return the order of a load balancer's guard."""
        path = self.kept(edge or self.fleet.edge, "guard-balancer.json")
        return json.loads(path.read_text()) if path.exists() else {"state": "none"}


def _last(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return json.loads(path.read_text().splitlines()[-1])
    return {"seq": 0, "run": "", "state": "", "phase": ""}


def wait_until(holds: Callable[[], Any], seconds: float, pause_s: float = 0.02) -> None:
    """Return as soon as it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(pause_s)


class Users:
    """Ask the service at a constant rate; keep who answered."""

    def __init__(self, address: str, rate_rps: float = 40.0, port: int = 80) -> None:
        self._address, self._rate_rps, self._port = address, rate_rps, port
        self.answers: list[str] = []
        self.failed: list[str] = []
        self._end = threading.Event()

    def __enter__(self) -> Users:
        self._thread = threading.Thread(target=self._ask_on)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        self._thread.join()

    def _ask_on(self) -> None:
        begun, number = time.monotonic(), 0
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            while not self._end.wait(max(0.0, begun + number / self._rate_rps - time.monotonic())):
                pool.submit(self._ask)
                number += 1

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._address, self._port, timeout=15)
        try:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                self.failed.append(f"{time.strftime('%X')} {answer.status}")
            else:
                self.answers.append(answer.headers["X-Release"])
        except OSError as error:
            self.failed.append(f"{time.strftime('%X')} {error!r}")
        finally:
            connection.close()

    def next(self, count: int) -> collections.Counter[str]:
        """Return the releases of as many answers from now on."""
        seen = len(self.answers)
        wait_until(lambda: len(self.answers) >= seen + count, 60)
        return collections.Counter(self.answers[seen:seen + count])


@contextlib.contextmanager
def controller(release: str, playbook: str = "rollout", **variables: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a playbook in a process group of its own, of which nothing is left afterwards; pytest has its output."""
    wanted = {"rollout": "release_name", "rollback": "rollback_to"}[playbook]
    # What a shell starts with & has SIGINT ignored, and so has everything that it starts.
    command = ["env", "--default-signal=INT", "ansible-playbook", f"evenkeel.fleet.{playbook}", "-e",
               json.dumps({**SHORT, wanted: release, "rollout_watch": False, **variables})]
    process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def comes_to(machines: Machines, host: str, state: str, phase: str) -> Callable[[subprocess.Popen[bytes]], bool]:
    """Return what says whether a host's ledger has a new record like this; its controller has to live until then."""
    ledger, before = machines.ledger(host), machines.last(host)["seq"]  # a run that is resumed keeps its name

    def there(process: subprocess.Popen[bytes]) -> bool:
        last = _last(ledger)
        assert process.poll() is None, f"the controller ended with {process.returncode} before {state} {phase}"
        return last["seq"] > before and (last["state"], last["phase"]) == (state, phase)

    return there


def kill_at(machines: Machines, release: str, host: str, state: str, phase: str, how: signal.Signals,
            **variables: Any) -> None:
    """Kill the controller of a rollout, or of a rollback, as soon as a host's ledger has this record."""
    there = comes_to(machines, host, state, phase)
    with controller(release, **variables) as process:
        wait_until(lambda: there(process), 150)
        kill(process, how)


def kill(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Kill a controller.

    SIGINT reaches the whole process group, as Ctrl-C does; the other signals the controller alone: its children and
    what they have begun on the hosts go on.
    """
    if how is signal.SIGINT:
        os.killpg(process.pid, how)
    else:
        process.send_signal(how)
    process.wait(60)


def one_release(machines: Machines, users: Users) -> str:
    """Return the release that every witness says all hosts serve; no ledger is broken, and none is in the middle."""
    answers = users.next(200)
    assert len(answers) == 1, answers
    release, = answers
    serving = set()
    for host, found in machines.fleet.ledgers().items():
        assert not found["problems"], found["problems"]
        status = found["status"]
        assert (status["state"], status["phase"]) in ENDS, (host, status)
        assert status["current"]["release"] == release, (host, status["current"])
        running = {slot: one["release"] for slot, one in found["instances"].items() if one["running"]}
        assert running == {status["current"]["slot"]: release}, (host, running)
        serving.add(f"{host}-{status['current']['slot']}")
    assert all(servers == serving for servers in machines.fleet.serving().values()), (machines.fleet.serving(), serving)
    return release


def settled(machines: Machines) -> bool:
    """Whether no guard of a load balancer is armed and no host is in the middle of anything."""
    return "armed" not in {machines.guard(edge)["state"] for edge in machines.fleet.edges} and all(
        (last["state"], last["phase"]) in ENDS for last in map(machines.last, machines.fleet.hosts))


def play(fleet: Fleet, playbook: str, **variables: Any) -> Run:
    """Run a playbook with the same short times."""
    return fleet.play(playbook, **{**SHORT, **variables})
