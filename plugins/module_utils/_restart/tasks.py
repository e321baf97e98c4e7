# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module evenkeel.fleet.service_restart does on one host with one service."""

from __future__ import annotations

import os
import signal
import time
from typing import Any, Mapping, Sequence

from .._core.clock import Deadline
from .._core.errors import FleetError, InputError
from .._health.checks import validate
from .._release.control.stop import StopFlag
from .._runtime.instance import Instance, State
from .._runtime.slot import slot_in_use
from .need import RELOAD, RESTART, Need, choose, find_needs
from .restart import Operation
from .sockets import Connections

SYSTEMD, CONTAINER, COMPOSE, SYSTEMD_SLOT = "systemd", "container", "compose", "systemd_slot"
RUNTIMES = (SYSTEMD, CONTAINER, COMPOSE, SYSTEMD_SLOT)
UNITS = (SYSTEMD, SYSTEMD_SLOT)
STAMPS = "/run/evenkeel/restart"

STOP = "stop"


def find(service: str, runtime: str, name: str, home: str, directory: str,
         replica: int = 1) -> tuple[Instance, str, int]:
    """Return an instance of a service on this host, its slot and how many replicas that has, where there are slots.

    :raises FleetError: when there is no such replica.
    """
    if runtime in UNITS:
        from .._runtime.systemd import Unit
        from .._runtime.units import Units

        if runtime == SYSTEMD:
            return Unit(name), "", 1
        units = Units(name, home)
        slot, replicas = _in_use(service, name, units.instances(), directory, replica)
        return Unit(replicas[replica], units.port(slot, replica)), slot, len(replicas)
    from .._runtime.compose import Compose  # the HTTP client, which units do not need
    from .._runtime.container import Container
    from .._runtime.engine import Engine

    engine = Engine()
    if runtime == CONTAINER:
        return Container(name, engine), "", 1
    slot, replicas = _in_use(service, name, Compose(name, engine).instances(), directory, replica)
    return Container(replicas[replica], engine), slot, len(replicas)


def _in_use(service: str, name: str, slots: Mapping[str, Mapping[str, Any]], directory: str,
            replica: int) -> tuple[str, dict[int, str]]:
    """Return the slot that is in use, and what its replicas are called; the runtime knows the service by its name."""
    slot = slot_in_use(name, slots, lambda: _committed_slot(service, directory))
    replicas = {one["replica"]: str(one["container"]) for one in slots[slot]["replicas"]}
    if replica not in replicas:
        raise FleetError(f"Expected replica {replica} of {service} in slot {slot}, found {len(replicas)} replicas.",
                         "Run the playbook restart again, which counts them anew.")
    return slot, replicas


def _committed_slot(service: str, directory: str) -> str:
    """Return the slot of the release that was committed here last, empty without one."""
    from .._release.ledger.history import committed
    from .._release.ledger.records import Ledger

    history = committed(Ledger(service, directory).read().records)
    return str(history[-1].get("slot", "")) if history else ""


def restart(service: str, runtime: str, name: str | None, action: str, method: str, only_if: str,
            reload_signal: str | None, renews: str, programs: Sequence[str], files: Sequence[str],
            checks: Sequence[Mapping[str, Any]], consecutive: int, interval_s: float, quiet_s: float,
            stop_deadline_s: float, start_deadline_s: float, run: str, directory: str, home: str | None, replica: int,
            check_mode: bool, stamps: str = STAMPS) -> dict[str, Any]:
    """Restart or stop the service here, or say what would be done.

    :raises FleetError: with everything that is known so far in its details.
    """
    _check(reload_signal, runtime, renews, quiet_s, stop_deadline_s, start_deadline_s)
    left_out = [check for check in checks if check_mode and check["type"] == "command" and not check["read_only"]]
    checks = [check for check in checks if check not in left_out]
    clock = Deadline(0)
    name = name or service
    instance, slot, replicas = find(service, runtime, name, home or f"/opt/evenkeel/{name}", directory, replica)
    checks = [{**check, "url": instance.fill(check["url"])} if check["url"] else check for check in checks]
    validate(checks)
    before = instance.state()
    operation = Operation(instance, checks, consecutive, interval_s)
    sick = operation.sick(before)
    result: dict[str, Any] = {
        "instance": instance.label, "slot": slot, "replicas": replicas, "alive": before.alive, "healthy": not sick,
        "left_out": [check["name"] for check in left_out], "open": Connections(before.pid).count()}
    stamp = os.path.join(stamps, instance.label)
    if action == STOP:
        chosen, why, needs = STOP, "asked for", [Need("asked for")] if before.alive or before.sockets else []
    else:
        needs = find_needs(before, max(before.started_s, _modified_s(stamp)), sick, programs, files)
        chosen, why = choose(method, before, needs, reload_signal, renews)
    changed = bool(needs) or (action != STOP and only_if == "always")
    result.update(method=chosen, why=why, needs=[need.text for need in needs], wanted=changed, changed=changed)
    if changed and not check_mode:
        if action != STOP:
            StopFlag(service, directory).check_start(run)
        began_s = time.time()
        try:
            _carry_out(operation, chosen, reload_signal, renews, quiet_s, stop_deadline_s, start_deadline_s)
        except FleetError as error:
            raise FleetError(error.msg, error.remedy, **{**result, **operation.report, **error.details}) from error
        if chosen == RELOAD:
            _touch(stamp, began_s)
        result.update(operation.report, healthy=chosen != STOP)
    after = instance.state() if changed and not check_mode else before
    return {**result, "duration_ms": round(clock.elapsed_s * 1000, 1), "status": after.status, "pid": after.pid,
            "diff": _diff(instance.label, before, after, chosen if changed and check_mode else "")}


def _carry_out(operation: Operation, method: str, reload_signal: str | None, renews: str, quiet_s: float,
               stop_deadline_s: float, start_deadline_s: float) -> None:
    if method == STOP:
        operation.stop(quiet_s, stop_deadline_s, sockets=True)
    elif method == RELOAD:
        operation.reload(reload_signal, renews, start_deadline_s)
    else:
        operation.restart(quiet_s if method == RESTART else 0.0, stop_deadline_s, start_deadline_s)


def _check(reload_signal: str | None, runtime: str, renews: str, *seconds: float) -> None:
    if reload_signal is not None and reload_signal not in signal.Signals.__members__:
        raise InputError("reload_signal", reload_signal, "the name of a signal", "SIGHUP")
    if runtime not in UNITS and renews != "none":
        raise InputError("renews", renews, f"'none' for the runtime {runtime}", "none")
    for field, value in zip(("quiet_s", "stop_deadline_s", "start_deadline_s"), seconds):
        if value < 0:
            raise InputError(field, value, "0 or more seconds", "30")


def _diff(label: str, before: State, after: State, planned: str) -> dict[str, Any]:
    then = {"status": before.status, "main_process": before.pid, "generation": before.generation}
    now = {"status": after.status, "main_process": after.pid, "generation": after.generation}
    return {"before_header": label, "after_header": label, "before": then,
            "after": {**then, "planned": planned} if planned else now}


def _modified_s(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return 0.0


def _touch(path: str, when_s: float) -> None:
    """Remember when the configuration was last read; a reboot, which starts everything, forgets it."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    with open(path, "ab"):
        os.utime(path, (when_s, when_s))
