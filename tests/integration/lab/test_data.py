# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data that db1 starts with, looked at in a container of its own: the running db1 may have its indexes already."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

Ask = Callable[[str], str]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Ask a fresh database one question."""
    container = subprocess.check_output(
        ["docker", "run", "--detach", "--rm", "evenkeel-lab/db", "sleep", "120"], text=True
    ).strip()
    inside = ["docker", "exec", container]
    try:
        subprocess.run([*inside, "pg_ctlcluster", "15", "main", "start"], check=True)
        psql = [*inside, "runuser", "-u", "postgres", "--", "psql", "-X", "-A", "-t", "pitch", "-c"]
        yield lambda query: subprocess.check_output([*psql, query], text=True).strip()
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", container], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("users", 60_000),
        ("sessions", 120_000),
        ("pitches", 80_000),
        ("ndas", 60_000),
        ("follows", 150_000),
        ("messages", 150_000),
        ("views", 1_100_000),
    ],
)
def test_rows(ask: Ask, table: str, rows: int) -> None:
    assert ask(f"SELECT count(*) FROM {table}") == str(rows)


def test_only_primary_keys_are_indexed(ask: Ask) -> None:
    indexes = ask("SELECT indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1").split()
    tables = ["follows", "messages", "ndas", "pitches", "sessions", "users", "views"]
    assert indexes == [f"{table}_pkey" for table in tables]


def test_browsing_reads_the_whole_table(ask: Ask) -> None:
    plan = ask("EXPLAIN SELECT id FROM pitches WHERE status = 'published' ORDER BY published_at DESC LIMIT 20")
    assert "Seq Scan on pitches" in plan


def test_views_are_skewed(ask: Ask) -> None:
    """The most viewed hundredth of the pitches has (1/100)^(1/3) = 22 % of the views."""
    share = float(ask("SELECT avg((pitch_id <= 800)::int) FROM views"))
    assert share == pytest.approx(0.215, abs=0.01)


def test_every_user_has_a_session_with_a_computable_token(ask: Ask) -> None:
    live = "expires_at > now() AND revoked_at IS NULL AND token = md5('session-' || user_id)"
    assert ask(f"SELECT count(DISTINCT user_id) FROM sessions WHERE {live}") == "60000"


def test_no_password_is_baked_in(ask: Ask) -> None:
    assert ask("SELECT count(*) FROM pg_authid WHERE rolname = 'pitch' AND rolpassword IS NULL") == "1"
