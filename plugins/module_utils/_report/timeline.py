# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One rollout over time: what each host did, what each gate measured, and what users saw meanwhile."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Mapping, Sequence

from .._core.clock import epoch_s, seconds_between
from .._core.verdict import FAIL

_ROOM = 1.05  # after the last event, so that the state in which a host ended can be seen

#: What a record of the ledger means, by state and phase; None: another one says it.
_SAID: Mapping[tuple[str, str], str | None] = {
    ("PLANNED", "result"): "gets release {release}, in slot {slot}, replicas: {replicas}",
    ("LOCKED", "result"): None,
    ("STAGED", "intent"): None,
    ("STAGED", "result"): "has image and configuration ready; what serves was not touched",
    ("VERIFIED", "intent"): "starts the new release beside the old one",
    ("VERIFIED", "result"): "has a healthy new release that passed its gates alone",
    ("CANARY", "intent"): "gives the new release weight {weight} beside the old one",
    ("CANARY", "result"): "has a new release that the judge found no worse than the old one",
    ("SWITCHED", "intent"): "begins to move its traffic from {from} to {to}",
    ("SWITCHED", "result"): "serves the new release; the old one stays warm",
    ("SOAKING", "result"): "is through: the gates of its wave passed",
    ("COMMITTED", "intent"): None,
    ("COMMITTED", "result"): "has committed the new release and stopped the old one",
    ("ABORTING", "intent"): "goes back: {reason}",
    ("ABORTING", "result"): None,
    ("ROLLED_BACK", "result"): "is back on the release before",
    ("FROZEN", "result"): "is FROZEN, a person has to look: {reason}",
}


def timeline(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rollout in seconds since it started.

    :returns: ``origin`` (UTC) and ``end_s``; ``series`` of the watch, one row per second; ``hosts`` with their
        ``events``; ``gates`` with their numbers; ``marks``, the moments that decided; ``rows``, everything in one
        order for people, each with the requests that failed from then until the next.
    """
    data = step["data"]
    hosts: Mapping[str, Any] = data.get("hosts") or {}
    watch: Mapping[str, Any] = data.get("watch") or {}
    origin = min([time for time in (watch.get("started_at"), step["started_at"]) if time], key=epoch_s)
    series = list(_series(watch, origin))
    ways = {name: _way(host.get("steps") or [], origin) for name, host in hosts.items()}
    last = [events[-1]["t_s"] * _ROOM for events in ways.values() if events] + [row["t_s"] + 1 for row in series[-1:]]
    found = gates(hosts, origin)
    return {
        "origin": origin,
        "end_s": max(last, default=0.0),
        "series": series,
        "hosts": [{"host": name, "events": events,
                   **{key: hosts[name].get(key) for key in ("wave", "state", "untouched", "answers")}}
                  for name, events in ways.items()],
        "gates": found,
        "marks": _marks(data, ways, origin),
        "rows": _counted(_together(sorted(_rows(data, hosts, found, origin), key=lambda row: row["t_s"])), series),
    }


def _series(watch: Mapping[str, Any], origin: str) -> Iterator[dict[str, Any]]:
    samples = watch.get("samples") or {}
    begin = samples.get("measured_from") or watch.get("started_at") or origin
    for row in samples.get("series") or []:
        yield {"t_s": round(row["t_s"] + seconds_between(origin, begin), 3), "ok": row["requests"] - row["errors"],
               "failed": row["errors"], "p95_ms": row.get("p95_ms")}


def _way(steps: Sequence[Mapping[str, Any]], origin: str) -> list[dict[str, Any]]:
    """A host's states with the second in which each began; a result of the state that was intended is no new one."""
    events: list[dict[str, Any]] = []
    for step in steps:
        event = {"t_s": seconds_between(origin, step["time"]), "state": step["state"], "data": step.get("data") or {}}
        if events and events[-1]["state"] == step["state"]:
            events[-1]["data"] = {**events[-1]["data"], **event["data"]}
        else:
            events.append(event)
    return events


def gates(hosts: Mapping[str, Any], origin: str) -> list[dict[str, Any]]:
    """Return each gate that ran, in the order of time, with the hosts whose ledgers hold it."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for name, host in hosts.items():
        for step in host.get("steps") or []:
            for gate in (step.get("data") or {}).get("gates") or []:
                key = (gate.get("name"), gate.get("when"), gate.get("on"), gate.get("started_at") or name)
                row = found.setdefault(key, {
                    **gate, "hosts": [], "wave": gate.get("wave") or host.get("wave"),
                    "t_s": seconds_between(origin, gate.get("started_at") or step["time"])})
                if name not in row["hosts"]:
                    row["hosts"].append(name)
    return sorted(found.values(), key=lambda gate: gate["t_s"])


def _marks(data: Mapping[str, Any], ways: Mapping[str, Sequence[Mapping[str, Any]]],
           origin: str) -> list[dict[str, Any]]:
    """The first failure, and the moment when the last host was back."""
    failures = data.get("failures") or []
    marks = [{"t_s": seconds_between(origin, failures[0]["time"]), "label": "failed"}] if failures else []
    back = [event["t_s"] for events in ways.values() for event in events if event["state"] == "ROLLED_BACK"]
    return marks + ([{"t_s": max(back), "label": "all back"}] if back and data.get("verdict") == FAIL else [])


class _Words(dict):  # type: ignore[type-arg]
    """Evidence by name; a dash for what a ledger does not say."""

    def __missing__(self, key: str) -> str:
        return "–"


def _rows(data: Mapping[str, Any], hosts: Mapping[str, Any], found: Iterable[Mapping[str, Any]],
          origin: str) -> Iterator[dict[str, Any]]:
    def row(time: str, wave: Any, names: Sequence[str], text: str, verdict: str = "") -> dict[str, Any]:
        return {"t_s": seconds_between(origin, time), "time": time, "wave": wave, "hosts": list(names), "text": text,
                "verdict": verdict}

    for name, host in hosts.items():
        for step in host.get("steps") or []:
            position = (step["state"], step["phase"])
            said = _SAID.get(position, "")
            text = said.format_map(_Words(step.get("data") or {})) if said else f"{step['state']} ({step['phase']})"
            if said is not None:
                yield row(step["time"], host.get("wave"), [name], text)
    for gate in found:
        if gate.get("started_at"):
            told = "; ".join(map(str, gate.get("reasons") or []))
            yield row(gate["started_at"], gate["wave"], gate["hosts"],
                      f"gate {gate['name']!r}{': ' * bool(told)}{told}", gate["verdict"])
    for failure in data.get("failures") or []:
        yield row(failure["time"], (hosts.get(failure["host"]) or {}).get("wave"), [failure["host"]],
                  f"stops at {failure['task']!r}: {failure['reason']}", FAIL)


def _together(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hosts of a wave that do the same right after each other share a row."""
    shared: list[dict[str, Any]] = []
    for row in rows:
        like = next((one for one in reversed(shared) if (one["wave"], one["text"]) == (row["wave"], row["text"])
                     and row["t_s"] - one["t_s"] < 1 and row["hosts"][0] not in one["hosts"]), None)
        if like:
            like["hosts"] += row["hosts"]
        else:
            shared.append(row)
    return shared


def _counted(rows: list[dict[str, Any]], series: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each row with the requests of the watch that failed from then until the next row; None without a watch.

    The series has whole seconds: a request counts for the last row that began before its second ended.
    """
    ends = [row["t_s"] for row in rows[1:]] + [float("inf")]
    begins = [float("-inf"), *ends[:-1]]
    for row, begin, end in zip(rows, begins, ends):
        row["failed"] = sum(one["failed"] for one in series if begin < one["t_s"] + 1 <= end) if series else None
    return rows
