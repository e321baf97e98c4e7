# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running server: all indexes are there, valid, and used by the pages they are for."""

import shlex

import pytest

testinfra_hosts = ["ansible://postgres"]

PAGES = {
    "pitches_status_genre_newest":
        "SELECT id FROM pitches WHERE status = 'published' AND genre = 'drama'"
        " ORDER BY published_at DESC NULLS LAST, id DESC LIMIT 20",
    "pitches_status_newest":
        "SELECT id FROM pitches WHERE status = 'published' ORDER BY published_at DESC NULLS LAST, id DESC LIMIT 20",
    "pitches_title_trgm":
        "SELECT id FROM pitches WHERE title ILIKE '%Harbor of Markobel%' AND status = 'published'",
    "sessions_token": "SELECT user_id FROM sessions WHERE token = md5('session-7')",
    "users_email": "SELECT id FROM users WHERE lower(email) = 'user7@example.org'",
    "messages_unread":
        "SELECT id FROM messages WHERE recipient_id = 7 AND read_at IS NULL ORDER BY created_at DESC LIMIT 10",
}


def psql(host, sql):
    return host.check_output("su postgres -c " + shlex.quote(f"psql -d pitch -Atc {shlex.quote(sql)}"))


@pytest.fixture(scope="module")
def wished(host):
    return {wish["name"] for wish in host.ansible.get_variables()["postgres_indexing_indexes"]}


def test_every_wished_index_is_there_and_valid(host, wished):
    assert len(wished) >= 60
    valid = psql(host, "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                       " WHERE c.relnamespace = 'public'::regnamespace AND i.indisvalid")
    assert wished <= set(valid.splitlines())


def test_nothing_else_was_made(host, wished):
    rest = psql(host, "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                      " WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisprimary")
    assert set(rest.splitlines()) <= wished


def test_every_index_says_what_it_is_for(host, wished):
    silent = psql(host, "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                        " WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisprimary"
                        " AND obj_description(c.oid, 'pg_class') IS NULL")
    assert silent == ""


@pytest.mark.parametrize("index", PAGES)
def test_the_page_uses_its_index(host, index):
    assert index in psql(host, f"EXPLAIN {PAGES[index]}")
