# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Feeders: who gets which row, the same for the same seed, in the proportion of the weights."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.feeder import Reader, parse_feeders
from hypothesis import given
from hypothesis import strategies as st


def feeder_of(**spec):
    (feeder,) = parse_feeders([{"name": "f", **spec}], "feeders")
    return feeder


def drawn(feeder, number, user=0, seed=1, reader=None):
    """Return what a user draws, by name of the variable when there is only one."""
    rng, kept, reader = random.Random(f"{seed}/{user}"), {}, reader or Reader(feeder, 0, 1)
    rows = [reader.row(user, lambda: rng, kept) for _turn in range(number)]
    return [row["f"] if set(row) == {"f"} else row for row in rows]


ANY = st.sampled_from([
    {"values": ["a", "b", "c"]}, {"csv": "x,y\n1,2\n3,4\n"}, {"range": {"from": 1, "to": 9, "step": 2}},
    {"weighted": {"a": 3, "b": 1}}, {"random": {"from": 1, "to": 1000}}, {"random": {"length": 8}},
])


@given(ANY, st.sampled_from(["random", "per_user"]), st.integers(0, 50), st.integers(0, 5))
def test_what_a_user_draws_depends_on_seed_and_user_alone(spec, policy, user, seed):
    feeder = feeder_of(**spec, policy=policy)
    shared = Reader(feeder, 0, 1)
    alone = drawn(feeder, 5, user, seed)
    drawn(feeder, 3, user + 1, seed, shared)
    assert drawn(feeder, 5, user, seed, shared) == alone
    assert policy == "random" or len({str(row) for row in alone}) == 1


def test_another_seed_draws_something_else():
    feeder = feeder_of(random={"from": 1, "to": 10**9})
    assert drawn(feeder, 3, seed=1) != drawn(feeder, 3, seed=2)


@given(st.integers(1, 20), st.integers(1, 5), st.integers(1, 60))
def test_next_gives_every_row_in_turn_over_all_processes(count, workers, number):
    feeder = feeder_of(values=list(range(count)))
    by_worker = [drawn(feeder, number, reader=Reader(feeder, worker, workers)) for worker in range(workers)]
    in_turn = [row for turn in zip(*by_worker) for row in turn]
    assert in_turn == [place % count for place in range(number * workers)]


@given(st.integers(1, 20), st.integers(0, 100))
def test_per_user_every_user_has_a_row_of_its_own(count, user):
    feeder = feeder_of(range={"from": 1, "to": count}, policy="per_user")
    assert drawn(feeder, 3, user) == [user % count + 1] * 3


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 50), min_size=1, max_size=8), st.integers(0, 2**32))
def test_weights_are_kept(weights, seed):
    number, total = 2000, sum(weights.values())
    counts = Counter(drawn(feeder_of(weighted=weights), number, seed=seed))
    assert set(counts) <= set(weights)
    for value, weight in weights.items():
        share = weight / total
        deviation = (number * share * (1 - share)) ** 0.5
        assert abs(counts[value] - number * share) <= 6 * deviation + 1


@given(st.integers(-5, 5), st.integers(0, 9))
def test_random_numbers_reach_both_ends_and_no_further(least, length):
    found = set(drawn(feeder_of(random={"from": least, "to": least + length}), 400))
    assert found == set(range(least, least + length + 1))


def test_random_text():
    texts = drawn(feeder_of(random={"length": 12}), 100)
    assert len(set(texts)) == 100
    assert all(len(text) == 12 and text.isalnum() and text.islower() for text in texts if not text.isdigit())


def test_a_range_has_both_ends():
    assert drawn(feeder_of(range={"from": 2, "to": 8, "step": 3}), 4) == [2, 5, 8, 2]


def test_rows_of_csv_and_of_a_list_have_columns(tmp_path):
    text = 'email,note\r\na@b.c,"one, ""two"""\r\n'
    (tmp_path / "users.csv").write_text(f"\ufeff{text}", encoding="utf-8")
    row = {"f.email": "a@b.c", "f.note": 'one, "two"'}
    assert drawn(feeder_of(csv=text), 1) == drawn(feeder_of(path=str(tmp_path / "users.csv")), 1) == [row]
    assert drawn(feeder_of(values=[{"id": 7, "name": "x"}]), 1) == [{"f.id": 7, "f.name": "x"}]


@pytest.mark.parametrize(("feeders", "field"), [
    ("x", "feeders"),
    ([], "feeders"),
    (["x"], "feeders[0]"),
    ([{"name": "a", "values": [1], "order": 1}], "feeders[0]"),
    ([{"values": [1]}], "feeders[0].name"),
    ([{"name": "a b", "values": [1]}], "feeders[0].name"),
    ([{"name": "vu", "values": [1]}], "feeders[0].name"),
    ([{"name": "a", "values": [1]}, {"name": "a", "values": [1]}], "feeders[1].name"),
    ([{"name": "taken", "values": [1]}], "feeders[0].name"),
    ([{"name": "a"}], "feeders[0]"),
    ([{"name": "a", "values": [1], "csv": "a\n1"}], "feeders[0]"),
    ([{"name": "a", "values": [1], "policy": "last"}], "feeders[0].policy"),
    ([{"name": "a", "weighted": {"a": 1}, "policy": "next"}], "feeders[0].policy"),
    ([{"name": "a", "random": {"length": 3}, "policy": "next"}], "feeders[0].policy"),
    ([{"name": "a", "values": []}], "feeders[0].values"),
    ([{"name": "a", "values": [1, [2]]}], "feeders[0].values[1]"),
    ([{"name": "a", "values": [{"x": 1}, {"y": 1}]}], "feeders[0].values[1]"),
    ([{"name": "a", "values": [{"x y": 1}]}], "feeders[0].values"),
    ([{"name": "a", "csv": "x"}], "feeders[0].csv"),
    ([{"name": "a", "csv": "x,y\n1"}], "feeders[0].csv"),
    ([{"name": "a", "csv": "x,x\n1,2"}], "feeders[0].csv"),
    ([{"name": "a", "csv": 'x\n"1'}], "feeders[0].csv"),
    ([{"name": "a", "path": "/nowhere/at/all.csv"}], "feeders[0].path"),
    ([{"name": "a", "range": [1, 2]}], "feeders[0].range"),
    ([{"name": "a", "range": {"from": 1}}], "feeders[0].range.to"),
    ([{"name": "a", "range": {"from": 2, "to": 1}}], "feeders[0].range"),
    ([{"name": "a", "range": {"from": 1, "to": 2, "step": 0}}], "feeders[0].range.step"),
    ([{"name": "a", "weighted": {}}], "feeders[0].weighted"),
    ([{"name": "a", "weighted": {"x": 0}}], "feeders[0].weighted.x"),
    ([{"name": "a", "random": {}}], "feeders[0].random"),
    ([{"name": "a", "random": {"length": 0}}], "feeders[0].random.length"),
    ([{"name": "a", "random": {"length": 1, "to": 2}}], "feeders[0].random"),
    ([{"name": "a", "random": {"from": "x", "to": 2}}], "feeders[0].random.from"),
])
def test_errors_name_the_field_and_show_an_example(feeders, field):
    with pytest.raises(InputError) as caught:
        parse_feeders(feeders, "feeders", ["taken"])
    assert caught.value.field == field
    assert "Example: " in str(caught.value)
