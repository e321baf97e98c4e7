# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations of a database: only expanding, before any traffic moves, and what follows when there is no way back."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from ..._core.errors import InputError
from ..._runtime.runtime import RUNTIMES

TIMEOUT_S = 600.0
TIMED_OUT = 124  # as timeout(1) has it
#: A command for a shell, or one of the release as a list of words, which its runtime runs.
KINDS = ("command", *RUNTIMES)
KEYS = frozenset(("name", *KINDS, "host", "irreversible", "timeout_s"))
EXAMPLE = '{name: add column, command: "psql -d shop -f /srv/expand.sql", host: db1}'


def problems(rules: Mapping[str, Any], hosts: Sequence[str], inventory: Sequence[str],
             runtime: str) -> Iterable[str]:
    """Yield what is wrong with the declaration.

    :arg hosts: the app hosts of the plan, on which the release is staged.
    :arg inventory: every host there is.
    :arg runtime: what runs the release there.
    """
    if not rules:
        return
    if set(rules) - KEYS or len(set(KINDS) & set(rules)) != 1:
        yield str(InputError("rollout_migration", sorted(rules), "either command, compose or systemd, and at most "
                             f"{', '.join(sorted(KEYS))}", EXAMPLE))
        return
    (kind,) = set(KINDS) & set(rules)
    if kind in RUNTIMES and kind != runtime:
        yield str(InputError("rollout_migration", kind, f"command or {runtime}, as release_runtime says", EXAMPLE))
    allowed = hosts if kind in RUNTIMES else inventory
    if rules.get("host") and rules["host"] not in allowed:
        yield str(InputError("rollout_migration.host", rules["host"], "an app host that gets the release, or none"
                             if kind in RUNTIMES else "a host of the inventory", allowed[0] if allowed else "db1"))
    if not isinstance(rules.get("irreversible", False), bool):
        yield str(InputError("rollout_migration.irreversible", rules["irreversible"], "true or false", "true"))
    if kind in RUNTIMES and not (isinstance(rules[kind], list) and rules[kind]):
        yield str(InputError(f"rollout_migration.{kind}", rules[kind], "the words of a command, as a list",
                             "[python, manage.py, migrate]"))
    try:
        limit = float(rules.get("timeout_s", TIMEOUT_S))
    except (TypeError, ValueError):
        limit = 0.0
    if not 0 < limit <= 86400:
        yield str(InputError("rollout_migration.timeout_s", rules["timeout_s"], "seconds above 0, at most 86400",
                             "600"))


def planned(rules: Mapping[str, Any], hosts: Sequence[str], service: str) -> dict[str, Any]:
    """Return the migration as the plan, the ledger and the tasks know it; empty without one.

    :returns: ``name``, ``command``, ``compose`` or ``systemd``, ``host``, ``irreversible``, ``timeout_s``; and
        ``alone``, the words before its command that let no two of a service run on a host at once. What a dead
        controller has begun goes on, so the next one waits for its end, at most for as long as one may take.
    """
    if not rules or not hosts:
        return {}
    complete = {"name": "migration", "host": hosts[0], "irreversible": False, "timeout_s": TIMEOUT_S,
                **{key: value for key, value in rules.items() if value not in ("", None)}}
    return {**complete, "alone": ["flock", "--wait", str(complete["timeout_s"]), "--conflict-exit-code",
                                  str(TIMED_OUT), f"/run/evenkeel-{service}-migration.lock"]}


def line(migration: Mapping[str, Any]) -> str:
    """Return the migration for people."""
    kind = ("IRREVERSIBLE, without a way back: a rollback ends FROZEN" if migration["irreversible"] else
            "it expands only: a rollback leaves it")
    return f"migration on {migration['host']} before the first wave: {migration['name']}; {kind}"


def refusal(history: Sequence[Mapping[str, Any]], release: str, config: str) -> str:
    """Return why a rollback to a committed release cannot be: the first irreversible migration after it, or nothing.

    :arg history: the commits that lead to the current release, oldest first.
    """
    later: list[Mapping[str, Any]] = []
    for entry in reversed(history):
        if (entry["release"], entry.get("config", "")) == (release, config):
            break
        later.insert(0, entry)
    for entry in later:
        migration = entry.get("migration") or {}
        if migration.get("irreversible"):
            return (f"release {entry['release']} came with the irreversible migration {migration['name']!r}; {release} "
                    "is not made for what it left")
    return ""
