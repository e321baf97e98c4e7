# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The build: runs the steps of a plan, waits for locks within bounds, and leaves no INVALID index behind."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Callable, Iterator, Sequence

from .._core.clock import full_jitter
from .._core.errors import FleetError
from . import statements
from .connection import Database, SqlError
from .plan import Step, in_transaction

LOCK_NOT_AVAILABLE, DEADLOCK, UNIQUE_VIOLATION, CANCELED = "55P03", "40P01", "23505", "57014"

_VALID = """
SELECT i.indisvalid AND i.indisready AND i.indislive AS valid
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
 WHERE n.nspname = %(schema)s AND c.relname = %(name)s
"""

_OLDEST = """
SELECT 'pid ' || pid || ' (' || coalesce(usename, '?') || ', ' || coalesce(state, '?') || ', for ' ||
       pg_catalog.date_trunc('second', pg_catalog.now() - xact_start) || ')' AS text
  FROM pg_catalog.pg_stat_activity
 WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND xact_start IS NOT NULL
 ORDER BY xact_start LIMIT 3
"""


class BuildError(FleetError):
    """A step failed after others had been done. What it had begun was cleaned up; the rest was not begun."""


class Builder:
    """Runs steps on one connection.

    :arg lock_attempts: how often a statement that waited too long for a lock, or met a deadlock, is tried in all.
    :arg waits: seconds between the attempts.
    """

    def __init__(self, db: Database, lock_attempts: int, waits: Callable[[], Iterator[float]] = full_jitter) -> None:
        self._db = db
        self._lock_attempts = lock_attempts
        self._waits = waits
        self.executed: list[str] = []

    def run(self, step: Step) -> float:
        """Run one step; return its duration in seconds.

        :raises BuildError: with the index, the statement, the reason and the remedy.
        """
        started = time.monotonic()
        for group in step.groups:
            try:
                self._persist(step, group)
            except SqlError as error:
                raise self._failure(step, error) from None
        return time.monotonic() - started

    def _persist(self, step: Step, group: Sequence[str]) -> None:
        """Run a group; try again within bounds when a lock was not to be had."""
        try:
            self._insist(lambda: self._run(in_transaction(group)), lambda: self._clean_up(step, group))
        except SqlError as error:
            if step.builds and self._invalid(step):
                error.details["left_behind"] = step.builds
            raise

    def _insist(self, action: Callable[[], None], after_failure: Callable[[], None] = lambda: None) -> None:
        waits = self._waits()
        for last in [False] * (self._lock_attempts - 1) + [True]:
            try:
                action()
            except SqlError as error:
                after_failure()
                if last or error.sqlstate not in (LOCK_NOT_AVAILABLE, DEADLOCK):
                    raise
                time.sleep(next(waits))
            else:
                break

    def _run(self, group: Sequence[str]) -> None:
        for sql in group:
            self.executed.append(sql)
            self._db.run(sql)

    def _clean_up(self, step: Step, group: Sequence[str]) -> None:
        """End a failed transaction, and drop what a failed concurrent build left; the next run repeats a failed drop.

        The drop waits for the same transactions as the build did, so it may fail like it.
        """
        with contextlib.suppress(SqlError):
            if len(group) > 1:
                self._run(["ROLLBACK"])
            if step.builds and self._invalid(step):
                drop = [statements.drop_index(step.wish.schema, step.builds, concurrently=True)]
                self._insist(lambda: self._run(drop))

    def _invalid(self, step: Step) -> bool:
        rows = self._db.rows(_VALID, schema=step.wish.schema, name=step.builds)
        return any(not row["valid"] for row in rows)

    def _failure(self, step: Step, error: SqlError) -> BuildError:
        details: dict[str, Any] = {**error.details, "failed": step.wish.name}
        return BuildError(f"{step.wish.label} on {step.wish.schema}.{step.table} could not be brought to its wished "
                          f"state ({step.action}): {error.primary}.", self._remedy(step, error), **details)

    def _remedy(self, step: Step, error: SqlError) -> str:
        if error.sqlstate == UNIQUE_VIOLATION:
            return f"Find the rows that are there twice with: {statements.duplicates(step.wish)}"
        if error.sqlstate in (LOCK_NOT_AVAILABLE, DEADLOCK):
            oldest = ", ".join(row["text"] for row in self._db.rows(_OLDEST)) or "none"
            left = error.details.get("left_behind")
            return (f"Tried {self._lock_attempts} times. Raise lock_timeout_s or lock_attempts, or end the "
                    f"transactions that hold the table; the oldest now: {oldest}."
                    + (f" The INVALID index {left!r} could not be dropped either; the next run does." if left else ""))
        if error.sqlstate == CANCELED:
            return "Raise statement_timeout_s, or see who canceled it."
        return error.remedy
