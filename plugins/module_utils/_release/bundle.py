# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bundle: configuration and secrets that belong to one release, in one directory."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any, Mapping

from .._core import files
from .._core.errors import InputError

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
HIDDEN = "(secret)\n"


def write(path: str, config: Mapping[str, str], secrets: Mapping[str, str], check_mode: bool = False) -> dict[str, Any]:
    """Bring a directory's files to their declared contents, each whole or not at all and on disk.

    :arg path: the directory, made when it is missing; only its owner may read it.
    :arg config: contents by file name.
    :arg secrets: the same for what no diff may show.
    :raises InputError: for a name that is not a plain file name, or that is in both.
    """
    for name in (*config, *secrets):
        if not name or name in (".", "..") or os.path.basename(name) != name:
            raise InputError("config" if name in config else "secrets", name, "a plain file name", "compose.yaml")
    for name in sorted(set(config) & set(secrets)):
        raise InputError("secrets", name, "a name that is not in config as well", "environment")
    wanted = {name: text.encode() for name, text in {**config, **secrets}.items()}
    changed = [name for name, content in wanted.items() if not _in_place(os.path.join(path, name), content)]
    diff = [{"before_header": os.path.join(path, name), "after_header": os.path.join(path, name),
             "before": HIDDEN if name in secrets else files.read(os.path.join(path, name)).decode(errors="replace"),
             "after": HIDDEN.replace("secret", "another secret") if name in secrets else config[name]}
            for name in changed]
    ready = os.path.isdir(path) and _mode(path) == DIRECTORY_MODE
    if not check_mode:
        if not ready:
            os.makedirs(path, exist_ok=True)
            os.chmod(path, DIRECTORY_MODE)
        for name in changed:
            files.replace(os.path.join(path, name), wanted[name], FILE_MODE)
    return {"changed": bool(changed) or not ready, "files": sorted(wanted), "digest": digest(wanted), "diff": diff}


def digest(contents: Mapping[str, bytes]) -> str:
    """Return the SHA-256 that names and contents have together, in whatever order."""
    parts = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    return "sha256:" + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _in_place(path: str, content: bytes) -> bool:
    return os.path.isfile(path) and _mode(path) == FILE_MODE and files.read(path) == content


def _mode(path: str) -> int:
    return os.stat(path).st_mode & 0o7777
