# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: which statements bring which catalogue to which wish."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.catalogue import Catalogue, Definition, Index
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.indexes import in_order
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.plan import make_plan
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.statements import replacement_name
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.wish import read_wishes

A, B = Definition(False, "USING btree (a)"), Definition(False, "USING btree (b)")
NEW, OLD = replacement_name("i", "new"), replacement_name("i", "old")
WISH_A = {"name": "i", "table": "t", "columns": ["a"]}
ABSENT = {"name": "i", "state": "absent"}


def index(name="i", definition=A, table="t", valid=True, **values):
    return Index("public", name, values.get("kind", "index"), table, valid, definition, 8192, 5,
                 values.get("comment"), values.get("needed_by", ""), values.get("builder_pid"))


def plan(entries, existing, wanted=None, concurrently=True, analyze=True):
    """Plan; ``wanted`` has a definition per entry, A for each that does not say."""
    wishes = read_wishes(entries)
    catalogue = Catalogue(indexes={(there.schema, there.name): there for there in existing},
                          wanted={wish.position: (wanted or {}).get(wish.position, A)
                                  for wish in wishes if wish.present})
    return make_plan(wishes, catalogue, concurrently, analyze)


def step(entry, existing, **options):
    steps, problems = plan([entry], existing, **options)
    assert problems == []
    return steps[0]


def test_missing_is_created():
    found = step(WISH_A, [])
    assert (found.action, found.builds) == ("create", "i")
    assert found.statements == ['CREATE INDEX CONCURRENTLY "i" ON "public"."t" USING "btree" ("a")']


def test_same_is_left():
    assert step(WISH_A, [index()]).groups == []


def test_same_under_another_name_satisfies():
    found = step(WISH_A, [index("twin")])
    assert (found.action, found.satisfied_by, found.groups) == ("none", "twin", [])


@pytest.mark.parametrize("other", [
    index("twin", valid=False), index("twin", table="other"), index("twin", B),
])
def test_what_does_not_satisfy(other):
    assert step(WISH_A, [other]).action == "create"


def test_an_index_that_another_wish_drops_does_not_satisfy():
    steps, problems = plan([WISH_A, {"name": "twin", "state": "absent"}], [index("twin")])
    assert problems == []
    assert [found.action for found in steps] == ["create", "drop"]


def test_different_is_rebuilt_beside_the_old_one():
    found = step(WISH_A, [index(definition=B)])
    assert (found.action, found.builds) == ("rebuild", NEW)
    assert found.statements == [
        f'CREATE INDEX CONCURRENTLY "{NEW}" ON "public"."t" USING "btree" ("a")',
        "BEGIN",
        f'ALTER INDEX "public"."i" RENAME TO "{OLD}"',
        f'ALTER INDEX "public"."{NEW}" RENAME TO "i"',
        "COMMIT",
        f'DROP INDEX CONCURRENTLY "public"."{OLD}"',
    ]


def test_different_is_rebuilt_in_one_transaction_when_not_concurrently():
    assert step(WISH_A, [index(definition=B)], concurrently=False).statements == [
        "BEGIN", 'DROP INDEX "public"."i"', 'CREATE INDEX "i" ON "public"."t" USING "btree" ("a")', "COMMIT"]


def test_invalid_is_dropped_and_built():
    found = step(WISH_A, [index(valid=False)])
    assert (found.action, found.builds) == ("rebuild", "i")
    assert "INVALID" in found.reason
    assert found.statements[0] == 'DROP INDEX CONCURRENTLY "public"."i"'
    assert found.statements[1].startswith("CREATE INDEX")


def test_a_finished_replacement_of_an_interrupted_run_is_used():
    found = step(WISH_A, [index(definition=B), index(NEW)])
    assert (found.action, found.builds) == ("rebuild", "")
    assert found.statements[0] == "BEGIN"


@pytest.mark.parametrize("leftover", [index(NEW, B), index(NEW, valid=False)])
def test_another_replacement_of_an_interrupted_run_is_dropped(leftover):
    found = step(WISH_A, [index(definition=B), leftover])
    assert found.statements[0] == f'DROP INDEX CONCURRENTLY "public"."{NEW}"'
    assert found.statements[1].startswith(f'CREATE INDEX CONCURRENTLY "{NEW}"')


def test_an_old_index_of_an_interrupted_run_is_dropped():
    found = step(WISH_A, [index(), index(OLD, B)])
    assert (found.action, found.statements) == ("rebuild", [f'DROP INDEX CONCURRENTLY "public"."{OLD}"'])


def test_absent():
    assert step(ABSENT, []).groups == []
    assert step(ABSENT, [index()]).statements == ['DROP INDEX CONCURRENTLY "public"."i"']


def test_an_expression_is_analyzed():
    entry = {"name": "i", "table": "t", "columns": [{"expression": "lower(a)"}]}
    assert step(entry, []).statements[-1] == 'ANALYZE "public"."t"'
    assert len(step(entry, [], analyze=False).statements) == 1
    assert step(entry, [index()]).groups == []


def test_comments():
    comment = {**WISH_A, "comment": "why"}
    say = """COMMENT ON INDEX "public"."i" IS 'why'"""
    assert step(comment, []).statements[-1] == say
    assert step(comment, [index(comment="why")]).groups == []
    changed = step(comment, [index(comment="other")])
    assert (changed.action, changed.statements) == ("comment", [say])
    assert step(comment, [index("twin")]).groups == []
    assert step({**WISH_A, "comment": ""}, [index(comment="why")]).statements[-1].endswith("IS NULL")
    assert len(step({**WISH_A, "comment": ""}, []).statements) == 1


def test_a_rebuilt_index_keeps_its_comment():
    assert step(WISH_A, [index(definition=B, comment="why")]).statements[-1].endswith("IS 'why'")


@pytest.mark.parametrize(("existing", "field", "text"), [
    (index(kind="view", definition=None), "name", "belongs to a view"),
    (index(table="other"), "table", "other, on which public.i is at present"),
    (index(builder_pid=7), "name", "Backend 7"),
    (index(definition=B, needed_by="constraint t_pkey"), "name", "It serves constraint t_pkey"),
])
def test_contradictions_with_what_is_there(existing, field, text):
    steps, problems = plan([WISH_A], [existing])
    assert steps == []
    assert [problem.field for problem in problems] == [field]
    assert text in str(problems[0])


def test_a_constraint_that_fits_is_left():
    assert step(WISH_A, [index(needed_by="constraint t_pkey")]).groups == []


def test_a_constraint_cannot_be_dropped():
    assert len(plan([ABSENT], [index(needed_by="constraint t_pkey")])[1]) == 1


def test_two_wishes_with_the_same_definition():
    problems = plan([WISH_A, {**WISH_A, "name": "j"}], [])[1]
    assert [problem.label for problem in problems] == ['indexes[1] "j"']
    assert 'indexes[0] "i"' in str(problems[0])


def test_drops_come_last():
    steps, _problems = plan([ABSENT, {**WISH_A, "name": "j"}], [index(definition=B)])
    assert [found.wish.name for found in in_order(steps)] == ["j", "i"]
