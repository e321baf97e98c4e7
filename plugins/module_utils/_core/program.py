# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program for a target, made of the rooms that run here: one archive that Python runs."""

from __future__ import annotations

import importlib
import importlib.util
import io
import pkgutil
import zipfile
from pathlib import PurePosixPath
from types import ModuleType
from typing import Iterator, Sequence

#: The rooms' name in the program, instead of the collection's.
PACKAGE = "evenkeel_fleet"


def archive(rooms: Sequence[str], entry: ModuleType) -> bytes:
    """Return the program: the same bytes every time, and of each room only what the calling module brought along.

    :arg rooms: such as ``_core``, or ``_release.guard``: rooms within a room are named one by one.
    :arg entry: the file in one of them whose ``main()`` is called.
    """
    sources = dict(_sources(rooms, entry))
    folders = {folder for path in sources for folder in PurePosixPath(path).parents if folder.name}
    sources.update({f"{folder}/__init__.py": "" for folder in folders})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as program:
        for path, text in sorted(sources.items()):
            program.writestr(zipfile.ZipInfo(path), text)  # without compression and at a fixed date
    return buffer.getvalue()


def _sources(rooms: Sequence[str], entry: ModuleType) -> Iterator[tuple[str, str]]:
    root = __name__.rsplit(".", 2)[0]
    yield "__main__.py", f"from {PACKAGE}.{entry.__name__[len(root) + 1:]} import main\n\nmain()\n"
    for room in rooms:
        package = importlib.import_module(f"{root}.{room}")
        for found in pkgutil.iter_modules(package.__path__):
            if found.ispkg:
                continue
            name = f"{root}.{room}.{found.name}"
            spec = importlib.util.find_spec(name)
            source = spec.loader.get_source(name) if spec and spec.loader else None  # type: ignore[attr-defined]
            yield f"{PACKAGE}/{room.replace('.', '/')}/{found.name}.py", source or ""
