# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed file: what Redis reads at its next start, kept out of reach of ``CONFIG REWRITE``.

The settings are written whole into a file of their own, which the server's configuration file includes in its
last line, because in ``redis.conf`` the last value wins. ``CONFIG REWRITE`` changes the server's own file only;
what it appends after the include is found, and the include is made the last line again.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Mapping

from .._core.errors import FleetError
from .catalogue import SECRETS, shown
from .values import lines

_HEADER = """\
# Managed by evenkeel.fleet.redis_settings, written whole: changes by hand are lost.
# Included in the last line of {main}, so that these values win at every start.
"""
_NOTE = "# evenkeel.fleet: this include stays the last line, so that its values win."
#: An unknown directive: the server's parser stops here, having taken every line before.
_SENTINEL = "evenkeel-end-of-trial"
#: Directives that act while they are read: they would change the directory, or create the file.
_NOT_TRIED = ("dir", "logfile")
_FATAL = re.compile(r"at line \d+\s+>>> '(?P<line>.*)'\s+(?P<reason>.*)")


@dataclass(frozen=True)
class Attributes:
    """Owner, group (ids; -1 leaves them) and mode of a file."""

    uid: int = -1
    gid: int = -1
    mode: int = 0o640


def render(settings: Mapping[str, str], main: str, sources: Mapping[str, str], masked: bool = False) -> str:
    """Return the text of the managed file: canonical settings in alphabetical order, each with its source."""
    text = [_HEADER.format(main=main)]
    for name, value in sorted(settings.items()):
        if name in sources:
            text.append("# " + " ".join(sources[name].split()))
        text.extend(lines(name, shown(name, value) if masked else value))
    return "\n".join(text) + "\n"


def mask(text: str) -> str:
    """Return the text of a configuration file without its secrets."""
    names = "|".join([*sorted(SECRETS), r"user\s+\S+"])
    return re.sub(rf"(?mi)^(\s*(?:{names})\s+).*$", lambda match: match.group(1) + shown("requirepass", "x"), text)


def include_last(text: str, path: str) -> tuple[str, list[str]]:
    """Return the server's configuration with ``include path`` as its last directive.

    The second value names the directives that stood after the include, and so won over the managed file.
    """
    kept = text.splitlines()
    at = [number for number, line in enumerate(kept) if _directive(line) == ["include", path]]
    after = [_directive(line)[0].lower() for line in kept[at[-1] + 1:] if _directive(line)] if at else []
    if len(at) == 1 and not after:
        return text, []
    kept = [line for number, line in enumerate(kept) if number not in at and line != _NOTE]
    return "\n".join([*kept, _NOTE, f"include {path}"]) + "\n", after


def _directive(line: str) -> list[str]:
    """Return the words of a line without quotes; nothing for a comment."""
    return [] if line.lstrip().startswith("#") else [word.strip("\"'") for word in line.split()]


def try_parse(executable: str, text: str) -> None:
    """Let the server's own parser read the text, without starting a server.

    :raises FleetError: with the line that the parser does not take.
    """
    tried = [line for line in text.splitlines() if _directive(line)[:1] not in ([name] for name in _NOT_TRIED)]
    run = subprocess.run(  # pylint: disable=ansible-bad-function
        [executable, "-"], input="\n".join([*tried, _SENTINEL, ""]), capture_output=True, text=True, timeout=10,
        check=False, errors="replace",
    )
    match = _FATAL.search(run.stdout + run.stderr)
    if match and match.group("line") == _SENTINEL:
        return
    line, reason = mask(match.group("line")) if match else "", match.group("reason") if match else ""
    name = (_directive(line) or ["?"])[0]
    raise FleetError(
        f"settings.{name}: expected a value that the server takes at its start, found {line!r}: {reason}; "
        "nothing was changed.",
        f"Correct settings.{name}.",
        cmd=f"{executable} -", rc=run.returncode, stdout=mask(run.stdout), stderr=mask(run.stderr),
    )


def read_text(path: str) -> str | None:
    """Return the text of a file; None when there is none.

    :raises FleetError: when there is one that cannot be read.
    """
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FleetError(
            f"config_file: cannot read {path}: {error.strerror}; nothing was changed.",
            "Run as a user who may read it (become), or leave config_file out.",
        ) from error


def attributes(path: str) -> Attributes | None:
    """Return owner, group and mode of a file; None when there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return Attributes(found.st_uid, found.st_gid, found.st_mode & 0o7777)


def write(path: str, text: str, attributes: Attributes) -> None:
    """Replace a file in one step, durably; a reader sees the old text or the new one.

    :raises OSError: when the directory cannot be written; the file is as before.
    """
    directory = os.path.dirname(path)
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=".evenkeel-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            file.flush()
            os.fchown(file.fileno(), attributes.uid, attributes.gid)
            os.fchmod(file.fileno(), attributes.mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    parent = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
