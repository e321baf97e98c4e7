# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring one Redis server to its settings: running values and managed file together, or neither."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any, Mapping

from .._client.redis import RedisClient
from .._core.errors import FleetError
from . import config_file
from .catalogue import shown
from .plan import NONE, RESTART, SET, Change, masked, propose, refuse_open_secrets
from .server import Refused, Server, read, set_values
from .values import aligned


@dataclass(frozen=True)
class Request:
    """What is wanted.

    ``settings`` and ``secret_settings`` give values by parameter; ``sources`` says where a setting comes
    from; ``config_file`` is the path of the managed file, None to leave files alone; ``force`` allows a
    ``maxmemory`` below the memory in use.
    """

    settings: Mapping[str, Any]
    secret_settings: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    config_file: str | None = None
    force: bool = False


@dataclass(frozen=True)
class _File:
    """A file as it is (``before`` None: it does not exist) and as it is to be."""

    path: str
    before: str | None
    after: str
    attributes: config_file.Attributes

    @property
    def differs(self) -> bool:
        return self.before != self.after or config_file.attributes(self.path) != self.attributes

    def diff(self) -> dict[str, str]:
        return {
            "before_header": self.path, "before": config_file.mask(self.before or ""),
            "after_header": self.path, "after": config_file.mask(self.after),
        }


def ensure(client: RedisClient, request: Request, check_mode: bool) -> dict[str, Any]:
    """Apply the request and return the module's result; in check mode propose the same and change nothing.

    :raises FleetError: when anything is refused or reads back differently; everything is as before then.
    """
    refuse_open_secrets(request.settings)
    server = read(client)
    changes = propose({**request.settings, **request.secret_settings}, server, request.force)
    files, overruled = _files(request, changes, server)
    if not check_mode:
        changes = _apply(client, server, changes)
        try:
            for file in files:
                config_file.write(file.path, file.after, file.attributes)
        except OSError as error:
            _restore(client, server, changes, files)
            raise FleetError(
                f"config_file: cannot write {error.filename}: {error.strerror}; every setting is as before.",
                "Run as a user who may write it (become), or leave config_file out.",
            ) from error
    return _result(client, request, server, changes, files, overruled)


def _files(request: Request, changes: list[Change], server: Server) -> tuple[list[_File], list[str]]:
    """Return the files that differ, the included one first, and the directives that overruled it."""
    path = request.config_file
    if not path:
        return [], []
    main = server.info.get("config_file", "")
    owner = config_file.attributes(main) if main else None
    if owner is None:
        raise FleetError(
            f"config_file: expected a server that was started with a configuration file on this host, found {main!r}.",
            "Start Redis with a configuration file and run on its host, or leave config_file out.",
        )
    if not os.path.isdir(os.path.dirname(path)) or os.path.realpath(path) == os.path.realpath(main):
        raise FleetError(
            f"config_file: expected an absolute path in a directory that exists, other than {main}, found {path!r}.",
            "Example: /etc/redis/evenkeel.conf",
        )
    text = config_file.render({change.setting: change.after for change in changes}, main, request.sources)
    main_text = config_file.read_text(main) or ""
    main_after, overruled = config_file.include_last(main_text, path)
    executable = server.info.get("executable", "")
    files = [
        _File(path, config_file.read_text(path), text, owner),
        _File(main, main_text, main_after, owner),
    ]
    if files[0].differs and os.access(executable, os.X_OK):
        config_file.try_parse(executable, text)
    return [file for file in files if file.differs], overruled


def _apply(client: RedisClient, server: Server, changes: list[Change]) -> list[Change]:
    """Set what can be set live, read it back, and return the changes as they came out."""
    while True:
        try:
            set_values(client, _live(changes), server.config, server.is_atomic)
            break
        except Refused as refused:
            if not refused.needs_restart:
                raise
            changes = [
                replace(change, action=RESTART) if change.setting == refused.setting else change for change in changes
            ]
    config = read(client).config
    for change in changes:
        found = aligned(change.setting, config[change.setting], change.after)
        if change.action == SET and found != change.after:
            _restore(client, server, changes, [])
            raise FleetError(
                f"settings.{change.setting}: expected {shown(change.setting, change.after)!r} to be read back, "
                f"found {shown(change.setting, found)!r}; every setting is as before.",
                f"Write settings.{change.setting} as the server prints it, or choose a value that it keeps.",
            )
    return changes


def _restore(client: RedisClient, server: Server, changes: list[Change], files: list[_File]) -> None:
    """Put back what the server ran with, and the files that were already replaced."""
    for file in files:
        if file.before is None and os.path.exists(file.path):
            os.unlink(file.path)
        elif file.before is not None and config_file.read_text(file.path) != file.before:
            config_file.write(file.path, file.before, file.attributes)
    set_values(client, {name: server.config[name] for name in _live(changes)}, server.config, server.is_atomic)


def _live(changes: list[Change]) -> dict[str, str]:
    return {change.setting: change.after for change in changes if change.action == SET}


def _result(
    client: RedisClient, request: Request, server: Server, changes: list[Change], files: list[_File],
    overruled: list[str],
) -> dict[str, Any]:
    rows = [{**masked(change), "source": request.sources.get(change.setting, "")} for change in changes]
    running = [row for row in rows if row["action"] == SET]
    header = f"redis {client.where} (running)"
    diff = [{
        "before_header": header, "before": "".join(f"{row['setting']} {row['before']}\n" for row in running),
        "after_header": header, "after": "".join(f"{row['setting']} {row['after']}\n" for row in running),
    }] if running else []
    managed = {change.setting for change in changes}
    return {
        "changed": bool(running or files),
        "settings": rows,
        "counts": {action: sum(row["action"] == action for row in rows) for action in (NONE, SET, RESTART)},
        "restart_debt": [
            {"setting": row["setting"], "running": row["before"], "wanted": row["after"]}
            for row in rows if row["action"] == RESTART
        ],
        "files": [file.path for file in files],
        "overruled": sorted(set(overruled) & managed),
        "evidence": server.evidence(),
        "diff": diff + [file.diff() for file in files],
    }
