# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that survive a crash: written whole or not at all, on disk before the caller goes on."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import Iterator


def make_directory(path: str) -> None:
    """Make a directory that only root may read, and its parents."""
    os.makedirs(path, mode=0o750, exist_ok=True)


def sync_directory(path: str) -> None:
    """Put the names in a directory on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append(path: str, data: bytes) -> None:
    """Append to a file and put it on disk."""
    created = not os.path.exists(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        _write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if created:
        sync_directory(os.path.dirname(path))


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


def truncate(path: str, size: int) -> None:
    """Cut a file to ``size`` bytes and put it on disk."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: str, data: bytes, mode: int = 0o640, durable: bool = True) -> None:
    """Write a whole file: readers see the old content or the new one, never a part.

    :arg durable: whether it is on disk when this returns.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        _write(descriptor, data)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)
    if durable:
        sync_directory(os.path.dirname(path))


def read(path: str) -> bytes:
    """Return the content of a file, empty when there is none."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return b""


@contextlib.contextmanager
def exclusive(path: str) -> Iterator[None]:
    """Let one process of this host at a time into the block; a process that dies lets the next one in."""
    with _locked(path, fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def shared(path: str) -> Iterator[None]:
    """Let any number into the block together, and none while another one is in :func:`exclusive` with this path."""
    with _locked(path, fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def _locked(path: str, how: int) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
