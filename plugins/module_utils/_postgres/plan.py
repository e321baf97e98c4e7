# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: from wishes and catalogue to steps. Pure; it decides, and nothing is run here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence

from . import statements
from .catalogue import Catalogue, Definition, Index
from .wish import Problem, Wish

NONE, CREATE, REBUILD, DROP, COMMENT = "none", "create", "rebuild", "drop", "comment"


@dataclass
class Step:
    """What is done for one wish.

    ``groups`` are run in order; a group of several statements is one transaction.
    ``builds`` is the name of the index that is invalid while the step is under way.
    ``before`` is the index that is replaced, dropped or commented on.
    """

    wish: Wish
    action: str = NONE
    reason: str = ""
    satisfied_by: str = ""
    table: str = ""
    groups: list[tuple[str, ...]] = field(default_factory=list)
    builds: str = ""
    before: Index | None = None

    @property
    def statements(self) -> list[str]:
        """Exactly what a run executes."""
        return [sql for group in self.groups for sql in in_transaction(group)]


def in_transaction(group: Sequence[str]) -> list[str]:
    """Return the statements of a group, wrapped in a transaction when there are several."""
    return list(group) if len(group) == 1 else ["BEGIN", *group, "COMMIT"]


def make_plan(wishes: Sequence[Wish], catalogue: Catalogue, concurrently: bool,
              analyze: bool) -> tuple[list[Step], list[Problem]]:
    """Return one step per wish, in the order of the list, and every contradiction with what is there."""
    problems = _same_definitions(wishes, catalogue)
    steps = []
    for wish in wishes:
        found = catalogue.indexes.get((wish.schema, wish.name))
        problem = _conflict(wish, found, catalogue.wanted.get(wish.position)) if found else None
        if problem:
            problems.append(problem)
        elif wish.present and wish.position in catalogue.wanted:
            steps.append(_Planner(wish, found, catalogue, concurrently, analyze).present(wishes))
        elif not wish.present:
            steps.append(_Planner(wish, found, catalogue, concurrently, analyze).absent())
    return steps, problems


def _same_definitions(wishes: Sequence[Wish], catalogue: Catalogue) -> list[Problem]:
    first: dict[tuple[str, str, Definition], Wish] = {}
    problems = []
    for wish in wishes:
        if wish.position not in catalogue.wanted:
            continue
        twin = first.setdefault((wish.schema, wish.table, catalogue.wanted[wish.position]), wish)
        if twin is not wish:
            problems.append(Problem(wish.label, "definition", catalogue.wanted[wish.position].body,
                                    f"another definition than that of {twin.label}", "Remove one of them."))
    return problems


def _conflict(wish: Wish, found: Index, wanted: Definition | None) -> Problem | None:
    name = f"{wish.schema}.{wish.name}"
    if found.definition is None:
        return Problem(wish.label, "name", name, f"a free name or that of an index, it belongs to a {found.kind}",
                       "Choose another name.")
    if wish.present and found.table != wish.table:
        return Problem(wish.label, "table", wish.table, f"{found.table}, on which {name} is at present",
                       "Choose another name, or wish that index absent in a run before this one.")
    if found.builder_pid:
        return Problem(wish.label, "name", name, "an index that nobody else is building",
                       f"Backend {found.builder_pid} is at it: wait for it, or end it with pg_terminate_backend().")
    if found.needed_by and (not wish.present or not found.valid or (wanted and found.definition != wanted)):
        return Problem(wish.label, "name", name, "an index that may be dropped",
                       f"It serves {found.needed_by}: change that with ALTER TABLE, or choose another name.")
    return None


@dataclass
class _Planner:
    """Plans one wish."""

    wish: Wish
    found: Index | None
    catalogue: Catalogue
    concurrently: bool
    analyze: bool

    def absent(self) -> Step:
        step = Step(self.wish, before=self.found, table=self.found.table if self.found else "")
        step.groups = [self._drop(name) for name in self._leftovers()]
        if self.found:
            step.groups.append(self._drop(self.wish.name))
        if step.groups:
            step.action, step.reason = DROP, "the index is wished absent"
        else:
            step.reason = "the index is absent"
        return step

    def present(self, wishes: Sequence[Wish]) -> Step:
        step = Step(self.wish, before=self.found, table=self.wish.table)
        if self.found is None:
            self._new(step, wishes)
        elif not self.found.valid:
            step.action, step.reason = REBUILD, "the index is INVALID: an earlier build failed or was interrupted"
            step.groups = [self._drop(self.wish.name), self._create(self.wish.name)]
            step.builds = self.wish.name
        elif self.found.definition != self._wanted:
            step.action, step.reason = REBUILD, "the definition differs"
            self._replace(step)
        else:
            step.reason = "the index is as wished"
        self._finish(step)
        return step

    @property
    def _wanted(self) -> Definition:
        return self.catalogue.wanted[self.wish.position]

    def _new(self, step: Step, wishes: Sequence[Wish]) -> None:
        twin = self._twin(wishes)
        if twin:
            step.satisfied_by, step.reason = twin.name, f"{twin.name} has the same definition"
        else:
            step.action, step.reason = CREATE, "the index is missing"
            step.groups = [self._create(self.wish.name)]
            step.builds = self.wish.name

    def _twin(self, wishes: Sequence[Wish]) -> Index | None:
        """Return a valid index of the same definition that no wish renames, rebuilds or drops."""
        spoken_for = {(wish.schema, name) for wish in wishes for name in _names(wish)}
        return next((index for index in sorted(self.catalogue.indexes.values(), key=lambda index: index.name)
                     if (index.schema, index.table) == (self.wish.schema, self.wish.table) and index.valid
                     and index.definition == self._wanted and (index.schema, index.name) not in spoken_for), None)

    def _replace(self, step: Step) -> None:
        """Plan a rebuild during which the old index serves until the new one is there."""
        name, schema = self.wish.name, self.wish.schema
        if not self.concurrently:
            step.groups = [self._drop(name) + self._create(name)]
            return
        new, old = (statements.replacement_name(name, suffix) for suffix in ("new", "old"))
        leftover = self.catalogue.indexes.get((schema, new))
        if not (leftover and leftover.valid and leftover.definition == self._wanted):
            step.groups = [self._create(new)]
            step.builds = new
        step.groups += [
            (statements.rename_index(schema, name, old), statements.rename_index(schema, new, name)),
            self._drop(old),
        ]

    def _finish(self, step: Step) -> None:
        """Put the removal of leftovers before the step, comment and statistics after it."""
        keep = statements.replacement_name(self.wish.name, "new") if step.action == REBUILD and not step.builds else ""
        leftovers = [self._drop(name) for name in self._leftovers() if name != keep]
        if leftovers and step.action == NONE:
            step.action, step.reason = REBUILD, "an interrupted rebuild left an index behind"
        step.groups = leftovers + step.groups
        if self.analyze and self.wish.has_expression and step.action in (CREATE, REBUILD):
            step.groups.append((statements.analyze(self.wish.schema, self.wish.table),))
        if not step.satisfied_by:
            self._comment(step)

    def _comment(self, step: Step) -> None:
        """Set the wished comment; a new index in an old one's place gets the old one's when none is wished."""
        there = (self.found.comment if self.found else None) or ""
        comment = there if self.wish.comment is None else self.wish.comment
        if comment != ("" if step.action in (CREATE, REBUILD) else there):
            step.groups.append((statements.comment_on_index(self.wish.schema, self.wish.name, comment),))
            if step.action == NONE:
                step.action, step.reason = COMMENT, "the comment differs"

    def _leftovers(self) -> list[str]:
        names = (statements.replacement_name(self.wish.name, suffix) for suffix in ("new", "old"))
        return [name for name in names if (self.wish.schema, name) in self.catalogue.indexes]

    def _create(self, name: str) -> tuple[str, ...]:
        return (statements.create_index(self.wish, name, concurrently=self.concurrently),)

    def _drop(self, name: str) -> tuple[str, ...]:
        return (statements.drop_index(self.wish.schema, name, self.concurrently),)


def _names(wish: Wish) -> tuple[str, ...]:
    return (wish.name, *(statements.replacement_name(wish.name, suffix) for suffix in ("new", "old")))
