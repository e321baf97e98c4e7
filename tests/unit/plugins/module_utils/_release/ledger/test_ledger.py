# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ledger: what was confirmed stays, what was cut off is told apart from what was changed."""

from __future__ import annotations

import json

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core import files
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger import history, states
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.records import (
    GENESIS,
    Ledger,
    LedgerCorrupt,
    Reading,
    digest,
    encode,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

COMMON = {"run": "r1", "release": "v1", "host": "app1", "operator": "alice"}
WAY = [{"state": "PLANNED", "phase": "result"}, {"state": "STAGED", "phase": "intent"},
       {"state": "STAGED", "phase": "result"}, {"state": "VERIFIED", "phase": "intent"}]


@pytest.fixture
def one(tmp_path):
    return Ledger("shop", str(tmp_path))


def test_nothing_is_an_empty_ledger(one):
    assert one.read() == Reading()


def test_records_are_numbered_chained_and_read_back(one):
    first = one.append(WAY[:2], token=3, **COMMON)
    second = one.append(WAY[2:], token=3, **COMMON)
    records = one.read().records
    assert records == first + second
    assert [record["seq"] for record in records] == [1, 2, 3, 4]
    assert [record["prev"] for record in records] == [GENESIS, *(record["hash"] for record in records[:-1])]


def test_illegal_steps_leave_no_trace(one):
    with pytest.raises(FleetError, match="COMMITTED may not follow"):
        one.append([WAY[0], {"state": "COMMITTED", "phase": "result"}], token=1, **COMMON)
    with pytest.raises(InputError, match="state"):
        one.append([{"state": "DONE", "phase": "result"}], token=1, **COMMON)
    assert one.read().records == []


def test_an_older_token_is_refused(one):
    one.append(WAY[:1], token=7, **COMMON)
    with pytest.raises(FleetError, match="already followed token 7, found the older 6") as refusal:
        one.append(WAY[1:2], token=6, **COMMON)
    assert refusal.value.details["refused"]
    one.append(WAY[1:2], token=8, **COMMON)
    assert one.read().token == 8


def test_a_torn_line_does_not_count_and_the_next_record_replaces_it(one):
    one.append(WAY[:1], token=1, **COMMON)
    files.append(one.path, b'{"seq":2,"ti')
    reading = one.read()
    assert (len(reading.records), reading.torn_bytes) == (1, 12)
    one.append(WAY[1:2], token=1, **COMMON)
    assert (len(one.read().records), one.read().torn_bytes) == (2, 0)


def content(count: int = 4) -> bytes:
    records, last = [], None
    for wanted in WAY[:count]:
        last = Ledger("shop")._next(last, {**COMMON, **wanted, "token": 1})
        records.append(last)
    return b"".join(encode(record) for record in records)


@given(st.integers(min_value=0, max_value=len(content())))
def test_a_ledger_cut_anywhere_is_torn_and_never_corrupt(length):
    whole, cut = parse(content()).records, parse(content()[:length])
    assert [record["state"] for record in cut.records] == [record["state"] for record in whole][:len(cut.records)]
    assert len(cut.records) == content()[:length].count(b"\n")


@given(st.data())
def test_any_changed_byte_of_a_confirmed_record_is_found(data):
    good = content()
    position = data.draw(st.integers(min_value=0, max_value=len(good) - 1).filter(lambda at: good[at:at + 1] != b"\n"))
    value = data.draw(st.integers(min_value=0, max_value=255).filter(lambda byte: byte != good[position]))
    with pytest.raises(LedgerCorrupt, match="line"):
        parse(good[:position] + bytes([value]) + good[position + 1:])


@pytest.mark.parametrize("drop", [0, 1, 2])
def test_a_missing_record_is_found(drop):
    lines = content().splitlines(keepends=True)
    with pytest.raises(LedgerCorrupt):
        parse(b"".join(lines[:drop] + lines[drop + 1:]))


def test_a_forged_record_needs_all_after_it_to_be_forged():
    lines = content().splitlines(keepends=True)
    record = json.loads(lines[1])
    record["release"] = "v9"
    record["hash"] = digest(record)
    with pytest.raises(LedgerCorrupt, match="line 3 broken: it does not follow the record before it"):
        parse(b"".join([lines[0], encode(record), *lines[2:]]))


def commits(*releases: str) -> list[dict]:
    return [{"state": states.COMMITTED, "phase": states.RESULT, "run": name, "time": "t", "release": name.strip("<"),
             "data": {"kind": "rollback" if name.startswith("<") else "rollout"}} for name in releases]


@pytest.mark.parametrize(("way", "current", "previous"), [
    ([], None, None),
    (["v1"], "v1", None),
    (["v1", "v2"], "v2", "v1"),
    (["v1", "v2", "<v1"], "v1", None),
    (["v1", "v2", "v3", "<v2"], "v2", "v1"),
    (["v1", "v2", "<v1", "v3"], "v3", "v1"),
    (["v1", "v2", "v2"], "v2", "v1"),
    (["v1", "v2", "v3", "<v1", "<v3"], "v3", "v1"),
])
def test_previous_is_never_one_that_somebody_rolled_back_from(way, current, previous):
    status = history.status(commits(*way))
    assert (status["current"] and status["current"]["release"]) == current
    assert (status["previous"] and status["previous"]["release"]) == previous
    assert status["kind"] == ("" if not way else "rollback" if way[-1].startswith("<") else "rollout")


def test_a_ledger_that_ends_in_the_middle_is_interrupted(one):
    assert not history.status(one.read().records)["interrupted"]
    one.append(WAY, token=1, **COMMON)
    assert history.status(one.read().records)["interrupted"]
    back = [{"state": "ABORTING", "phase": "intent"}, {"state": "ROLLED_BACK", "phase": "result"}]
    one.append(back, token=1, **COMMON)
    assert not history.status(one.read().records)["interrupted"]
