# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of this host: systemd, container and command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any, Mapping, Sequence

from .._core.systemctl import parse_properties
from .observation import FAIL, PASS, WARN, Observation, judge_version

_NOT_FOUND = "command not found"
_PROPERTIES = "LoadState,ActiveState,SubState,NRestarts,ExecMainCode,ExecMainStatus"
_ENDS = {"1": "exit code", "2": "signal", "3": "signal"}  # CLD_EXITED, CLD_KILLED and CLD_DUMPED of sigaction(2)


def run_command(argv: Sequence[str], timeout_s: float) -> tuple[int, str, str]:
    """Return exit code, output and error output; 124 on a time-out and 127 where there is no such command."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
            encoding="utf-8", errors="replace", start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError:
        return 127, "", _NOT_FOUND
    except OSError as error:
        return 126, "", str(error)
    with process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return 124, "", f"no end within {timeout_s:g} s"
    return process.returncode, out, err


def check_systemd(check: Mapping[str, Any], timeout_s: float) -> Observation:
    """Ask systemd whether a unit is in the wanted state; failed, masked and unknown units are hopeless.

    So is one that was restarted more than ``max_restarts`` times since it was started (any number without a value).
    """
    expected = f"unit {check['unit']} is {check['state']}"
    command = ["systemctl", "show", f"--property={_PROPERTIES}", "--", check["unit"]]
    rc, out, err = run_command(command, timeout_s)
    if rc != 0:
        return Observation(FAIL, expected, f"systemctl: {(err or out).strip()}", "Check that systemd runs here.")
    found = parse_properties(out)
    active, load = found.get("ActiveState", ""), found.get("LoadState", "")
    restarts, most = _restarts(found), check["max_restarts"]
    if most is not None and restarts > most:
        output = f"systemd restarted it {restarts} times{_last_end(found)}."
        return Observation(FAIL, expected, output, f"Read journalctl -u {check['unit']}.", "restarting", hopeless=True)
    if active == check["state"] and load != "not-found":  # systemd calls what it does not know inactive
        return Observation(PASS, expected, value=active)
    output = f"it is {active} ({found.get('SubState', '')}), {load}."
    remedy = f"Read journalctl -u {check['unit']}." if load == "loaded" else "Install or unmask the unit."
    return Observation(FAIL, expected, output, remedy, active, hopeless=load != "loaded" or active == "failed")


def _restarts(found: Mapping[str, str]) -> int:
    """Return how often a unit was restarted, with the restart that systemd is about to do, as Docker counts them."""
    return int(found.get("NRestarts") or 0) + (found.get("SubState") == "auto-restart")


def _last_end(found: Mapping[str, str]) -> str:
    """Return how the main process ended last; nothing while it runs."""
    status, word = found.get("ExecMainStatus", "0"), _ENDS.get(found.get("ExecMainCode", ""), "")
    return f", last after {word} {status}" if word and status != "0" else ""


def check_container(check: Mapping[str, Any], timeout_s: float) -> Observation:
    """Ask Docker for a container: it has to run and, where it has a health check that counts, to be healthy.

    Missing, ended without a restart to come, or restarted more than ``max_restarts`` times since it was started (any
    number without a value) is hopeless.
    """
    expected = f"container {check['container']} runs" + (" and is healthy" if check["own_health"] else "")
    rc, out, err = run_command(["docker", "container", "inspect", "--", check["container"]], timeout_s)
    if rc != 0:
        missing = "No such container" in err
        remedy = "Start the container." if missing else "Check that Docker runs and that this user may use it."
        return Observation(FAIL, expected, f"docker: {err.strip()}", remedy, hopeless=missing)
    found = json.loads(out)[0]
    state, most = found["State"], check["max_restarts"]
    if most is not None and found["RestartCount"] > most:
        code = f", last after exit code {state['ExitCode']}" if state["ExitCode"] else ""  # 0 while it runs
        output = f"Docker restarted it {found['RestartCount']} times{code}."
        remedy = f"Read docker logs {check['container']}."
        return Observation(FAIL, expected, output, remedy, "restarting", hopeless=True)
    runs = state["Status"] == "running"  # what does not run is unhealthy in the words of Docker, without being asked
    health = (state.get("Health") or {}).get("Status", "") if runs and check["own_health"] else ""
    word = health or state["Status"]
    if runs and health in ("", "healthy"):
        return Observation(PASS, expected, value=word)
    ended = state["Status"] in ("exited", "dead")
    output = f"it is {word}" + (f" with code {state['ExitCode']}" if ended else "") + "."
    return Observation(FAIL, expected, output, f"Read docker logs {check['container']}.", word, hopeless=ended)


def check_command(check: Mapping[str, Any], timeout_s: float) -> Observation:
    """Run a command without a shell and judge its exit code, its output and a version in it."""
    argv = check["argv"]
    expected = f"{' '.join(argv)} ends with {' or '.join(map(str, check['rc']))}"
    rc, out, err = run_command(argv, timeout_s)
    if rc == 127 and err == _NOT_FOUND:
        status = WARN if check["missing"] == "warn" else FAIL
        return Observation(status, expected, f"there is no command {argv[0]}.", f"Install {argv[0]}.", hopeless=True)
    if rc not in check["rc"]:
        last = (err.strip() or out.strip() or "no output").splitlines()[-1][:200]
        return Observation(FAIL, expected, f"ended with {rc}: {last}", value=rc, unit="exit code")
    outdated = judge_version(os.path.basename(argv[0]), out, check["min_version"])
    if outdated:
        return outdated
    if check["contains"] is not None and check["contains"] not in out:
        output = f"the output does not contain {check['contains']!r}."
        return Observation(FAIL, expected, output, value=rc, unit="exit code")
    return Observation(PASS, expected, value=rc, unit="exit code")
