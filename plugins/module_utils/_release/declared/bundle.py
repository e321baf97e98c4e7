# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bundle: configuration and secrets of one release, in one directory that is named after its contents."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any, Iterator, Mapping

from ..._core import files
from ..._core.errors import FleetError, InputError

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
HIDDEN = "(secret)\n"


def write(path: str, config: Mapping[str, str], secrets: Mapping[str, str], expected: str = "", target: str = "",
          target_config: Mapping[str, str] | None = None, check_mode: bool = False) -> dict[str, Any]:
    """Bring a directory's files to their declared contents, each whole or not at all and on disk.

    :arg path: the directory, made when it is missing; only its owner may read it.
    :arg config: contents by file name. Neither these nor secrets: the bundle has to be there, and is not changed.
    :arg secrets: the same for what no diff may show.
    :arg expected: the digest that the bundle has to have.
    :arg target: another directory that gets a copy of the bundle, readable by its owner only.
    :arg target_config: further files of the target.
    :raises InputError: for a name that is not a plain file name, or that is in both.
    :raises FleetError: when the bundle is missing or does not have the expected digest.
    """
    extra = dict(target_config or {})
    for name in (*config, *secrets, *extra):
        if not name or name in (".", "..") or os.path.basename(name) != name:
            field = "config" if name in config else "secrets" if name in secrets else "target_config"
            raise InputError(field, name, "a plain file name", "compose.yaml")
    for name in sorted((set(config) & set(secrets)) | (set(extra) & {*config, *secrets})):
        raise InputError("secrets" if name in secrets else "target_config", name,
                         "a name that is not in config as well", "environment")
    wanted = {name: text.encode() for name, text in {**config, **secrets}.items()} or contents(path)
    found = digest(wanted)
    if not wanted or expected not in ("", found):
        raise FleetError(f"bundle {path}: expected {expected or 'its files'}, found {found if wanted else 'no files'}.",
                         "Take another release, or bring this one with its configuration of today (playbook rollout).")
    changes = [_bring(path, wanted, config, check_mode)] if config or secrets else []
    if target:
        plain = {**config, **extra}
        changes.append(_bring(target, {**wanted, **{name: text.encode() for name, text in extra.items()}}, plain,
                              check_mode))
    return {"changed": any(changed for changed, dummy in changes), "files": sorted(wanted), "digest": found,
            "diff": [one for dummy, diff in changes for one in diff]}


def digest(parts: Mapping[str, bytes]) -> str:
    """Return the SHA-256 that names and contents have together, in whatever order."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()}
    return "sha256:" + hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def name_of(release: str, config: str) -> str:
    """Return the name of the bundle of a release: ``v2`` and ``sha256:4f53cda1…`` is ``v2-4f53cda18c2b``."""
    return f"{release}-{config.partition(':')[2][:12]}"


def contents(path: str) -> dict[str, bytes]:
    """Return what is in a bundle, nothing when it is missing; a write that a crash cut off does not count."""
    return {entry.name: files.read(entry.path) for entry in _entries(path) if entry.is_file()
            and not entry.name.endswith(".tmp")}


def stored(directory: str) -> dict[str, str]:
    """Return the digests of all bundles in a directory, by name."""
    return {entry.name: digest(contents(entry.path)) for entry in _entries(directory) if entry.is_dir()}


def _entries(path: str) -> Iterator[os.DirEntry[str]]:
    if os.path.isdir(path):
        with os.scandir(path) as entries:
            yield from sorted(entries, key=lambda entry: entry.name)


def _bring(path: str, wanted: Mapping[str, bytes], plain: Mapping[str, str],
           check_mode: bool) -> tuple[bool, list[dict[str, str]]]:
    """Bring the files to these contents; return whether that is a change, and the diff, which shows what is plain."""
    changed = [name for name, content in wanted.items() if not _in_place(os.path.join(path, name), content)]
    diff = [{"before_header": os.path.join(path, name), "after_header": os.path.join(path, name),
             "before": files.read(os.path.join(path, name)).decode(errors="replace") if name in plain else HIDDEN,
             "after": plain.get(name, HIDDEN.replace("secret", "another secret"))} for name in changed]
    ready = os.path.isdir(path) and _mode(path) == DIRECTORY_MODE
    if not check_mode:
        if not ready:
            os.makedirs(path, exist_ok=True)
            os.chmod(path, DIRECTORY_MODE)
        for name in changed:
            files.replace(os.path.join(path, name), wanted[name], FILE_MODE)
    return bool(changed) or not ready, diff


def _in_place(path: str, content: bytes) -> bool:
    return os.path.isfile(path) and _mode(path) == FILE_MODE and files.read(path) == content


def _mode(path: str) -> int:
    return os.stat(path).st_mode & 0o7777
