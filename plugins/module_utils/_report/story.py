# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One rollout in sentences, for the page and for the console."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from .._core.verdict import PASS


def story(step: Mapping[str, Any]) -> list[str]:
    """Return what happened, in sentences for somebody who was not there."""
    data = step["data"]
    hosts: Mapping[str, Any] = data.get("hosts") or {}
    if not hosts:
        return [str(line) for line in data.get("lines") or []]
    return [*_plan(data, hosts), *_decision(data, hosts), *_ended(data, hosts), *_lost(data)]


def _plan(data: Mapping[str, Any], hosts: Mapping[str, Any]) -> Iterator[str]:
    before = sorted(set((data.get("way_back") or {}).values()) - {""})
    waves: dict[Any, list[str]] = {}
    for name, host in hosts.items():
        waves.setdefault(host.get("wave"), []).append(name)
    replaces = f" in place of {' and '.join(before)}" if before else ""
    yield (f"Release {data.get('release')} of {data.get('service')} was to come{replaces} on {count(hosts, 'host')}, "
           f"in {count(waves, 'wave')}: {'; '.join(', '.join(names) for names in waves.values())}.")


def _decision(data: Mapping[str, Any], hosts: Mapping[str, Any]) -> Iterator[str]:
    switched = [name for name, host in hosts.items() if any(step["state"] in ("CANARY", "SWITCHED")
                                                            for step in host.get("steps") or [])]
    failures = data.get("failures") or []
    if failures:
        first = failures[0]
        yield f"At {first['time'][11:19]} UTC {first['host']} stopped at {first['task']!r}: {first['reason']}"
    elif data.get("verdict") != PASS:
        yield f"It did not go on because {'; '.join(data.get('reasons') or ['a proof was missing'])}."
    if data.get("verdict") != PASS:
        yield (f"By then {', '.join(switched)} had traffic on the new release; no further host got any."
               if switched else "No host had traffic on the new release.")


def _ended(data: Mapping[str, Any], hosts: Mapping[str, Any]) -> Iterator[str]:
    ends: dict[str, list[str]] = {}
    for name, host in hosts.items():
        state = "unreachable" if host.get("answers") is False else host.get("state") or (
            "untouched" if host.get("untouched") else "unknown")
        ends.setdefault(state, []).append(name)
    in_s = data.get("rolled_back_in_s")
    took = f", the last one {in_s:.1f} s after the first failure" if isinstance(in_s, (int, float)) else ""
    said = {"COMMITTED": "on the new release, committed", "ROLLED_BACK": f"back on the release before{took}",
            "untouched": "on the release before, never touched",
            "FROZEN": "FROZEN, could not go back: a person has to look", "unreachable": "no answer at the end"}
    for state, names in ends.items():
        yield f"{', '.join(names)}: {said.get(state, f'ended in {state}')}."


def _lost(data: Mapping[str, Any]) -> Iterator[str]:
    failed = data.get("failed_requests")
    if not isinstance(failed, (int, float)):
        yield "Nobody counted what users saw: there was no watch."
        return
    samples = (data.get("watch") or {}).get("samples") or {}
    seconds = [row["t_s"] for row in samples.get("series") or [] if row["errors"]]
    kinds = ", ".join(f"{kind}: {number}" for kind, number in (samples.get("errors") or {}).items())
    when = f", in {count(seconds, 'second')}" if seconds else ""
    yield (f"Of {data.get('requests')} requests of an independent client {failed or 'none'} failed{when}"
           f"{f' ({kinds})' if failed and kinds else ''}.")


def count(things: Any, name: str) -> str:
    """Return how many: ``1 host``, ``3 hosts``."""
    return f"{len(things)} {name}{'s' * (len(things) != 1)}"
