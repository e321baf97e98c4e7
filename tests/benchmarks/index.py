# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sixty indexes: one task of postgres_indexes against a loop of community.postgresql.postgresql_idx.

Both run over the same connection to a temporary PostgreSQL on this machine, with tables small enough that building an
index costs next to nothing: what is measured is the way there. Whole ansible-playbook runs are timed, less the run of
a playbook that does nothing, which is the same for both.

The goal is that of the design for all batches: one task in place of N is at least 20 times faster (the prototype for
20 Redis settings: 0.9 s against 19.3 s).
"""

from __future__ import annotations

import os
from typing import Any

import psycopg

from benchmarks.common import (
    figure,
    interleaved,
    measured_run,
    playbook,
    postgres,
    ratios,
    server,
    wait_until_ready,
)

TABLES = [f"table_{number}" for number in range(6)]
COLUMNS = [f"column_{number}" for number in range(10)]
INDEXES = [{"name": f"{table}_{column}", "table": table, "columns": [column]} for table in TABLES for column in COLUMNS]


def figures(rounds: int) -> list[dict[str, Any]]:
    with server(postgres, user="postgres") as (port, directory):
        login = {"host": "127.0.0.1", "port": port, "user": "postgres", "dbname": "postgres", "autocommit": True}
        wait_until_ready(login)
        with psycopg.connect(**login) as connection:
            for table in TABLES:
                connection.execute(f"CREATE TABLE {table} ({', '.join(f'{column} int' for column in COLUMNS)})")
            common = {"login_host": "127.0.0.1", "login_port": port, "login_db": "postgres"}
            nothing = playbook(directory / "nothing.yml", {"ansible.builtin.meta": "noop"})
            ours = playbook(directory / "ours.yml", {
                "evenkeel.fleet.postgres_indexes": {**common, "indexes": "{{ wished }}"}}, wished=INDEXES)
            loop = playbook(directory / "loop.yml", {
                "community.postgresql.postgresql_idx": {
                    **common, "name": "{{ item.name }}", "table": "{{ item.table }}", "columns": "{{ item.columns }}"},
                "loop": "{{ wished }}"}, wished=INDEXES)
            rows = interleaved(rounds, ours=lambda: measure(connection, ours, nothing),
                               loop=lambda: measure(connection, loop, nothing))
    unchanged, created = f"{len(INDEXES)} indexes, nothing to change", f"{len(INDEXES)} indexes created"
    against = "against a loop of postgresql_idx"
    return [
        figure(f"{unchanged}: wall time {against}", "<= 0.05", ratios(rows, "loop", "again_s")),
        figure(f"{unchanged}: CPU time {against}", "<= 0.05", ratios(rows, "loop", "again_cpu_s")),
        figure(f"{created}: wall time {against}", "<= 0.05", ratios(rows, "loop", "create_s")),
    ]


def measure(connection: psycopg.Connection[Any], command: list[str], nothing: list[str]) -> dict[str, float]:
    """Run a playbook without any of the indexes, and again; return seconds, those of ``nothing`` taken off."""
    for index in INDEXES:
        connection.execute(f"DROP INDEX IF EXISTS {index['name']}")
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false"}
    _, start_s, start_cpu_s = measured_run(nothing, env=environment)
    create_s = measured_run(command, env=environment)[1]
    made = connection.execute("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'").fetchone()
    if made != (len(INDEXES),):
        raise RuntimeError(f"{command[-1]}: expected {len(INDEXES)} indexes, found {made}")
    done, again_s, again_cpu_s = measured_run(command, env=environment)
    if "changed=0" not in done.stdout:
        raise RuntimeError(f"{command[-1]}: the second run changed something:\n{done.stdout}")
    return {"create_s": create_s - start_s, "again_s": again_s - start_s, "again_cpu_s": again_cpu_s - start_cpu_s}
