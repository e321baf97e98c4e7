# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put the health endpoint's program and its configuration on a host, or take them away."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import stat
from typing import Any, Mapping, Sequence

from .._core import files
from .._core.errors import FleetError, InputError
from .._core.program import archive
from . import endpoint
from .breaker import Limits
from .checks import validate
from .options import CHECK

#: The rooms that the program consists of; of each only what this module brought along.
ROOMS = ("_core", "_wire", "_client", "_health")

PROGRAM_MODE, CONFIG_MODE = 0o644, 0o600
HIDDEN = "********"


def program() -> bytes:
    """Return the endpoint as an archive that Python runs."""
    return archive(ROOMS, endpoint)


def ensure(
    state: str,
    checks: Sequence[Mapping[str, Any]],
    service: str,
    cache_s: float,
    stale_s: float,
    retry_s: float,
    idle_s: float,
    breaker: Mapping[str, Any],
    owner: str,
    program_path: str,
    config_path: str,
    check_mode: bool = False,
) -> dict[str, Any]:
    """Bring both files to their declared content; the arguments are those of the module health_endpoint.

    :raises InputError: when a parameter is wrong, before anything was changed.
    """
    config = {
        "checks": list(checks), "service": service, "cache_s": cache_s, "stale_s": stale_s, "retry_s": retry_s,
        "idle_s": idle_s, "breaker": dict(breaker),
    }  # fmt: skip
    if state == "absent":
        wanted: dict[str, tuple[bytes | None, int, str]] = {
            program_path: (None, 0, "root"),
            config_path: (None, 0, "root"),
        }
    else:
        _refuse_nonsense(config)
        text = json.dumps(config, indent=1, sort_keys=True).encode() + b"\n"
        wanted = {program_path: (program(), PROGRAM_MODE, "root"), config_path: (text, CONFIG_MODE, owner)}
    diff = [{"before_header": path, "after_header": path, **_shown(path, wanted[path][0])} for path in wanted]
    changed = [path for path in wanted if not _is_as_wanted(path, *wanted[path])]
    if not check_mode:
        for path in changed:
            _bring(path, *wanted[path])
    return {"changed": bool(changed), "diff": [entry for entry in diff if entry["before_header"] in changed]}


def _refuse_nonsense(config: Mapping[str, Any]) -> None:
    if not config["checks"]:
        raise InputError("checks", [], "at least one check", "[{name: ssh, type: tcp, port: 22}]")
    validate(config["checks"])
    Limits(**config["breaker"])
    for name, least in (("cache_s", 1.0), ("stale_s", 0.0), ("retry_s", 0.0), ("idle_s", 10.0)):
        if not least <= config[name] < float("inf"):
            raise InputError(name, config[name], f"{least:g} or more seconds", "10")
    slowest = max(config["checks"], key=lambda check: float(check["timeout_s"]))
    needed_s = slowest["timeout_s"] + config["retry_s"]
    if config["stale_s"] < needed_s:
        expected = f"time for the slowest look, {needed_s:g} s for {slowest['name']} (timeout_s + retry_s)"
        raise InputError("stale_s", config["stale_s"], expected, f"{needed_s * 2:g}")


def _uid(owner: str) -> int:
    """Return the number of a user; -1, which no file has, when there is none yet."""
    try:
        return pwd.getpwnam(owner).pw_uid
    except KeyError:
        return -1


def _is_as_wanted(path: str, content: bytes | None, mode: int, owner: str) -> bool:
    if content is None or not os.path.isfile(path):
        return content is None and not os.path.lexists(path)
    found = os.stat(path)
    return files.read(path) == content and (stat.S_IMODE(found.st_mode), found.st_uid) == (mode, _uid(owner))


def _bring(path: str, content: bytes | None, mode: int, owner: str) -> None:
    try:
        if content is None:
            os.unlink(path)
            with contextlib.suppress(OSError):  # others may have files there
                os.rmdir(os.path.dirname(path))
            return
        uid = _uid(owner)
        if uid < 0:
            raise InputError("owner", owner, "a user of this host", "evenkeel-health")
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        files.replace(path, content, mode)
        os.chmod(path, mode)
        os.chown(path, uid, -1)
    except OSError as error:
        raise FleetError(f"cannot change {path}: {error.strerror}.", "Run as root (become).") from error


def _shown(path: str, content: bytes | None) -> dict[str, str]:
    """Return the difference for people: the configuration without its secrets, the program by its size only."""
    return {"before": _safe(files.read(path) or None), "after": _safe(content)}


def _safe(content: bytes | None) -> str:
    if content is None:
        return ""
    try:
        config = json.loads(content)
    except ValueError:
        return f"(a program of {len(content)} bytes)\n"
    for check in config.get("checks", []):
        check.update({name: HIDDEN for name in check if CHECK.get(name, {}).get("no_log") and check[name]})
    return json.dumps(config, indent=1, sort_keys=True) + "\n"
