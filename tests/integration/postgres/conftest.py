# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A schema of its own in the lab's database, and the module's function on it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.indexes import apply_indexes
from psycopg.rows import dict_row

DEFAULTS = {
    "extensions": [], "concurrently": True, "analyze": True, "lock_timeout_s": 60.0, "lock_attempts": 1,
    "statement_timeout_s": 0.0, "maintenance_work_mem": None, "login_unix_socket": None, "login_port": 5432,
    "login_user": "pitch", "login_db": "pitch", "ssl_mode": "prefer", "ca_cert": None, "connect_timeout_s": 5,
}


@dataclass
class Server:
    """The lab's database, seen by its user ``pitch``; ``schema`` is empty at first and dropped at the end."""

    login: dict[str, Any]
    schema: str

    def connect(self) -> psycopg.Connection[dict[str, Any]]:
        """Another connection, which finds the tables of the schema without its name."""
        return psycopg.connect(
            host=self.login["login_host"], user="pitch", dbname="pitch", password=self.login["login_password"],
            options=f"-c search_path={self.schema},public", autocommit=True, row_factory=dict_row)

    def sql(self, *texts: str) -> list[dict[str, Any]]:
        """Run statements on a connection of their own; return the rows of the last."""
        with self.connect() as connection:
            cursor = connection.cursor()
            for text in texts:
                cursor.execute(text)
            return cursor.fetchall() if cursor.description else []

    def apply(self, *indexes: dict[str, Any], check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Call the module's function; every wish is for the schema."""
        wishes = [{"schema": self.schema, **index} for index in indexes]
        return apply_indexes({**DEFAULTS, **self.login, **options, "indexes": wishes}, check_mode)

    def indexes(self) -> dict[str, str]:
        """Return the indexes of the schema: definition by name, INVALID for those that are."""
        rows = self.sql(
            "SELECT c.relname, CASE WHEN i.indisvalid THEN pg_get_indexdef(c.oid) ELSE 'INVALID' END AS definition"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            f" WHERE c.relnamespace = '{self.schema}'::regnamespace")
        return {row["relname"]: row["definition"] for row in rows}


@pytest.fixture
def server(lab):
    login = {"login_host": lab.addresses["db1"], "login_password": lab.postgres_password}
    server = Server(login, f"evenkeel_test_{secrets.token_hex(4)}")
    server.sql(f"CREATE SCHEMA {server.schema}")
    try:
        server.sql(
            "CREATE TABLE people (id bigint PRIMARY KEY, email text, kind text, born date, tags text[])",
            "INSERT INTO people SELECT n, 'User' || n || '@example.org', 'k' || n % 7, '2000-01-01'::date + n % 900"
            " FROM generate_series(1, 2000) n",
            "ANALYZE people")
        yield server
    finally:
        server.sql(f"DROP SCHEMA {server.schema} CASCADE")
