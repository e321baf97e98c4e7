# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of parameters: one canonical spelling, so that what is wanted and what runs can be compared.

The canonical spelling is one that ``CONFIG SET`` of every version accepts. Making a canonical value
canonical again changes nothing.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Mapping

from .._core.errors import InputError
from .._core.units import parse_bytes, parse_seconds
from .catalogue import DURATIONS, ENUMS, MASK, SECRETS, WORDS, is_text, modern

_BUFFER_CLASSES = ("normal", "replica", "pubsub")
#: What ``A`` stands for in ``notify-keyspace-events`` (``NOTIFY_ALL`` in ``src/server.h``, Redis 7.0).
_ALL_EVENTS = "g$lshzxetd"
_EVENTS = "AKEnm" + _ALL_EVENTS
_NUMBER = re.compile(r"-?\d+%?\Z")


def canonical(name: str, wanted: Any, running: str) -> str:
    """Return the canonical spelling of ``wanted``; ``running`` tells the kind of a parameter that no table knows.

    :raises InputError: naming ``settings.<name>``, when the value cannot be one of this parameter.
    """
    field = f"settings.{name}"
    if name in SECRETS and (isinstance(wanted, bool) or not isinstance(wanted, (str, int))):
        raise InputError(f"secret_{field}", MASK, "text")
    if wanted is None:
        raise InputError(field, wanted, "a value", f'{name}: "{running}"')
    return _kind(modern(name), running)(field, wanted)


def aligned(name: str, running: str, wanted: str) -> str:
    """Return the running value, canonical, and only the part that the canonical ``wanted`` speaks of."""
    value = canonical(name, running, running)
    if name != "client-output-buffer-limit":
        return value
    limits = _parse_buffer_limits(name, value)
    return _format_buffer_limits({kind: limits[kind] for kind in _parse_buffer_limits(name, wanted) if kind in limits})


def lines(name: str, value: str) -> list[str]:
    """Return the lines of ``redis.conf`` that give the parameter its canonical value, whatever stood before."""
    if name == "save":
        points = value.split()
        return ['save ""', *(f"save {' '.join(points[at:at + 2])}" for at in range(0, len(points), 2))]
    if name == "client-output-buffer-limit":
        return [f"{name} {kind} {' '.join(limits)}" for kind, limits in _parse_buffer_limits(name, value).items()]
    if name in WORDS and value:
        return [f"{name} {value}"]
    return [f"{name} {_quoted(value)}"]


def _kind(name: str, running: str) -> Callable[[str, Any], str]:
    """Return the function that makes a value of this parameter canonical."""
    named: dict[str, Callable[[str, Any], str]] = {
        "save": _save,
        "client-output-buffer-limit": lambda field, value: _format_buffer_limits(_parse_buffer_limits(field, value)),
        "notify-keyspace-events": _events,
        "latency-tracking-info-percentiles": _percentiles,
        "unixsocketperm": _octal,
    }
    if name in named:
        return named[name]
    if name in DURATIONS:
        return lambda field, value: _duration(field, value, DURATIONS[name])
    if name in WORDS:
        return _words
    if is_text(name):
        return _scalar
    if name in ENUMS or running in ("yes", "no"):
        return lambda field, value: _scalar(field, value).lower()
    return _number if _NUMBER.match(running) else _scalar


def _scalar(field: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise InputError(field, value, "one value", "yes, 100 or 64mb")


def _number(field: str, value: Any) -> str:
    text = _scalar(field, value).strip()
    if not _NUMBER.match(text):
        return str(parse_bytes(text, field))
    return str(int(text.rstrip("%"))) + "%" * text.endswith("%")


def _duration(field: str, value: Any, unit_s: float) -> str:
    text = _scalar(field, value).strip()
    if _NUMBER.match(text):
        return str(int(text))
    count = parse_seconds(text, field) / unit_s
    if abs(count - round(count)) > 1e-6 * max(1.0, abs(count)):
        raise InputError(field, value, f"a multiple of its unit, {unit_s:g} s", f"{round(count) or 1}")
    return str(round(count))


def _octal(field: str, value: Any) -> str:
    text = _scalar(field, value)
    if isinstance(value, int) or not re.match(r"[0-7]{1,4}\Z", text):
        raise InputError(field, value, "octal permissions in quotes", '"770"')
    return f"{int(text, 8):o}"


def _words(field: str, value: Any) -> str:
    return " ".join(_split(field, value))


def _percentiles(field: str, value: Any) -> str:
    try:
        return " ".join(f"{float(word):.10g}" for word in _split(field, value))
    except ValueError:
        raise InputError(field, value, "percentiles", "50 99 99.9") from None


def _split(field: str, value: Any) -> list[str]:
    """Return the words of a text, or of a list whose items may be lists."""
    if isinstance(value, (list, tuple)):
        return [word for item in value for word in _split(field, item)]
    return _scalar(field, value).split()


def _save(field: str, value: Any) -> str:
    words = [] if value is False else _split(field, value)
    if len(words) % 2 or not all(word.isdigit() for word in words):
        raise InputError(field, value, "pairs of seconds and changes, or nothing", '["3600 1", "300 100"]')
    return " ".join(str(int(word)) for word in words)


def _events(field: str, value: Any) -> str:
    flags = set("" if value is False else _scalar(field, value))
    if not flags <= set(_EVENTS):
        raise InputError(field, value, f"flags out of {_EVENTS}", "Ex")
    if "A" in flags:
        flags |= set(_ALL_EVENTS)
    if flags >= set(_ALL_EVENTS):
        flags = flags - set(_ALL_EVENTS) | {"A"}
    return "".join(flag for flag in "AKEnm" + _ALL_EVENTS if flag in flags)


def _parse_buffer_limits(field: str, value: Any) -> dict[str, list[str]]:
    """Return class → [hard bytes, soft bytes, soft seconds], for the classes that are given, in one order."""
    words = _split(field, [[kind, limits] for kind, limits in value.items()] if isinstance(value, Mapping) else value)
    limits: dict[str, list[str]] = {}
    for at in range(0, len(words), 4):
        kind, numbers = words[at].lower().replace("slave", "replica"), words[at + 1:at + 4]
        if kind not in _BUFFER_CLASSES or len(numbers) != 3:
            raise InputError(
                field, value, f"<class> <hard> <soft> <seconds>, class one of {', '.join(_BUFFER_CLASSES)}",
                "pubsub 32mb 8mb 60",
            )
        limits[kind] = [_number(field, number) for number in numbers]
    return {kind: limits[kind] for kind in _BUFFER_CLASSES if kind in limits}


def _format_buffer_limits(limits: Mapping[str, list[str]]) -> str:
    return " ".join(f"{kind} {' '.join(numbers)}" for kind, numbers in limits.items())


def _quoted(value: str) -> str:
    """Return the value as one word of ``redis.conf`` (``sdssplitargs`` in ``src/sds.c``)."""
    if re.match(r"[\w./:%+,@{}=*-]+\Z", value, re.ASCII):
        return value
    escaped = "".join(
        f"\\{chr(byte)}" if byte in b'"\\' else chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}"
        for byte in value.encode("utf-8", "surrogateescape")
    )
    return f'"{escaped}"'
