# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole list of indexes: wish, catalogue, plan, evidence, build, result."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator, Mapping, Sequence

from .._core.errors import FleetError
from . import catalogue as catalogues
from . import evidence, statements
from .build import Builder, BuildError
from .connection import Database, SqlError, connect
from .plan import CREATE, DROP, NONE, REBUILD, Step, make_plan
from .wish import Wish, WishError, read_wishes

#: Session-level advisory lock: one run at a time per database. The number is arbitrary, and only this file uses it.
ADVISORY_LOCK = 0x65766B6C

_SIZES = """
SELECT n.nspname AS schema, c.relname AS name, pg_catalog.pg_relation_size(c.oid) AS size_bytes
  FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wished (schema, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = wished.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wished.name
"""


def apply_indexes(parameters: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Bring the indexes of one database to their wished state; return the module's result.

    :arg parameters: the options of the module ``postgres_indexes``.
    :raises WishError: when a wish cannot be fulfilled; nothing was changed.
    :raises BuildError: when a statement failed; what was done before is in its details.
    """
    wishes = read_wishes(parameters["indexes"])
    with connect(parameters) as db:
        _prepare(db, parameters)
        with contextlib.nullcontext() if check_mode else _only_run(db, parameters["login_db"]):
            return _apply(db, wishes, parameters, check_mode)


def _apply(db: Database, wishes: Sequence[Wish], parameters: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    concurrently = parameters["concurrently"]
    extensions = list(dict.fromkeys(parameters["extensions"]))
    catalogue, problems = catalogues.read(db, wishes, extensions, concurrently)
    steps, contradictions = make_plan(wishes, catalogue, concurrently, parameters["analyze"])
    if problems or contradictions:
        raise WishError(problems + contradictions)
    rows = [_row(db, step) for step in steps]
    create_extensions = [statements.create_extension(name) for name in catalogue.missing_extensions]
    planned = create_extensions + [sql for step in in_order(steps) for sql in step.statements]
    result: dict[str, Any] = {
        "changed": bool(planned),
        "indexes": rows,
        "extensions": catalogue.missing_extensions,
        "statements": planned,
        "evidence": evidence.tables(catalogue, steps),
        "diff": _diff(catalogue, steps),
    }
    if planned and not check_mode:
        _execute(db, parameters, create_extensions, steps, result)
    return result


def in_order(steps: Sequence[Step]) -> list[Step]:
    """Return the steps as they are run: in the order of the list, but all drops last.

    So an index that takes another one's place is there before the other goes.
    """
    return sorted(steps, key=lambda step: step.action == DROP)


def _prepare(db: Database, parameters: Mapping[str, Any]) -> None:
    if db.rows("SELECT pg_catalog.pg_is_in_recovery() AS standby")[0]["standby"]:
        raise FleetError(f"{parameters['login_db']}: expected a primary, found a standby, which is read-only.",
                         "Run this on the primary; its indexes are replicated.")
    settings = {
        "lock_timeout": f"{round(parameters['lock_timeout_s'] * 1000)}ms",
        "statement_timeout": f"{round(parameters['statement_timeout_s'] * 1000)}ms",
        "maintenance_work_mem": parameters["maintenance_work_mem"],
    }
    for name, value in settings.items():
        if value is not None:
            db.rows("SELECT pg_catalog.set_config(%(name)s, %(value)s, false)", name=name, value=value)


@contextlib.contextmanager
def _only_run(db: Database, database: str) -> Iterator[None]:
    """Keep other runs out of the database for the length of a block.

    The lock is only tried, never waited for: a waiting session would hold a snapshot, and concurrent builds wait for
    those. It is given back before the session ends, which the server notices later than the client.
    """
    if not db.rows("SELECT pg_catalog.pg_try_advisory_lock(%(key)s) AS free", key=ADVISORY_LOCK)[0]["free"]:
        raise FleetError(f"Another run of postgres_indexes is at work on database {database!r}.",
                         "Wait until it is done.")
    try:
        yield
    finally:
        with contextlib.suppress(SqlError):
            db.rows("SELECT pg_catalog.pg_advisory_unlock(%(key)s)", key=ADVISORY_LOCK)


def _row(db: Database, step: Step) -> dict[str, Any]:
    return {
        "name": step.wish.name,
        "schema": step.wish.schema,
        "table": step.table,
        "action": step.action,
        "reason": step.reason,
        "satisfied_by": step.satisfied_by,
        "statements": step.statements,
        "size_bytes": step.before.size_bytes if step.before else 0,
        "scans": step.before.scans if step.before else None,
        "duration_s": 0.0,
        **evidence.estimate(db, step),
    }


def _diff(catalogue: catalogues.Catalogue, steps: Sequence[Step]) -> dict[str, str]:
    before, after = [], []
    for step in steps:
        wish, there = step.wish, step.before
        if step.action == NONE:
            continue
        if there:
            before.append(there.text() + ("" if there.valid else " -- INVALID") + _note(there.comment))
        if step.action != DROP:
            comment = wish.comment if wish.comment is not None else there.comment if there else None
            after.append(catalogue.wanted[wish.position].text(wish.schema, wish.name, wish.table) + _note(comment))
    after += [statements.create_extension(name) for name in catalogue.missing_extensions]
    return {"before": "".join(f"{line}\n" for line in before), "after": "".join(f"{line}\n" for line in after)}


def _note(comment: str | None) -> str:
    return f" -- {comment}" if comment else ""


def _execute(db: Database, parameters: Mapping[str, Any], create_extensions: Sequence[str], steps: Sequence[Step],
             result: dict[str, Any]) -> None:
    """Run the plan and put what was done into the result."""
    builder = Builder(db, parameters["lock_attempts"])
    rows = {(row["schema"], row["name"]): row for row in result["indexes"]}
    result["statements"] = builder.executed
    for sql in create_extensions:
        db.run(sql)
        builder.executed.append(sql)
    done: list[Step] = []
    try:
        for step in in_order(steps):
            rows[step.wish.schema, step.wish.name]["duration_s"] = round(builder.run(step), 3)
            done.append(step)
    except BuildError as error:
        waiting = [step.wish.name for step in in_order(steps) if step not in done and step.action != NONE]
        error.details.update(
            changed=bool(builder.executed), statements=builder.executed, not_done=waiting,
            indexes=[rows[step.wish.schema, step.wish.name] for step in done if step.action != NONE])
        raise
    built = [step for step in steps if step.action in (CREATE, REBUILD)]
    sizes = db.rows(_SIZES, schemas=[step.wish.schema for step in built], names=[step.wish.name for step in built])
    for size in sizes:
        rows[size["schema"], size["name"]]["size_bytes"] = size["size_bytes"]
