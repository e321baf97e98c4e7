#!/usr/bin/python

# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_indexes
short_description: Bring all indexes of a PostgreSQL database to their wished state in one call
version_added: "1.0.0"
description:
  - Takes the whole list of wished indexes of one database, compares it with the catalogue on one connection,
    and creates, rebuilds or drops what differs. Indexes that are not in the list are left alone.
  - Definitions are compared, not names. Each wish is built on an empty temporary copy of its table in a transaction
    that is rolled back, so that the server itself says how the definition reads; this changes nothing and works in
    check mode. An index of the same definition under another name satisfies a wish.
  - An index whose definition differs is rebuilt beside the old one, which serves until the new one takes its name.
    An C(INVALID) index, left by a build that failed, is dropped and built again.
  - Everything that can be known to be wrong is found before anything is changed, and all of it is named at once.
options:
  indexes:
    description:
      - The wished indexes. Each name may occur once per schema.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the index, at most 63 bytes. It is always quoted.
        type: str
        required: true
      schema:
        description: Schema of the table, and therefore of the index.
        type: str
        default: public
      table:
        description: Table or materialized view. Required unless O(indexes[].state=absent).
        type: str
      columns:
        description:
          - The keys of the index. Required unless O(indexes[].state=absent).
          - A text is the name of a column.
          - "A dictionary has either C(column) or C(expression), which is SQL and needs no parentheses; and, if wished,
            C(order) (C(asc), C(desc)), C(nulls) (C(first), C(last)), C(opclass) (may be qualified by a schema) and
            C(collation)."
        type: list
        elements: raw
      method:
        description: Access method, such as V(btree), V(hash), V(gin), V(gist), V(spgist), V(brin).
        type: str
        default: btree
      unique:
        description: Whether the index is unique. Only with O(indexes[].method=btree).
        type: bool
        default: false
      include:
        description: Columns that the index carries without being searched by them.
        type: list
        elements: str
      where:
        description: Predicate of a partial index. It is SQL, and goes to the server as it is.
        type: str
      storage:
        description: Storage parameters, such as C(fillfactor). A parameter that is not listed has its default.
        type: dict
      tablespace:
        description: Tablespace. Without it, the server's C(default_tablespace) is meant.
        type: str
      comment:
        description:
          - Why this index is there, kept with it (C(COMMENT ON INDEX)). An empty text removes the comment.
          - Without this option, a comment that is there is kept.
        type: str
      state:
        description: Whether the index is there.
        type: str
        choices: [present, absent]
        default: present
  extensions:
    description:
      - Extensions that the operator classes of the indexes need, such as V(pg_trgm). Those that are missing are
        created, in check mode only inside the transaction that is rolled back. None is ever dropped or updated.
    type: list
    elements: str
    default: []
  concurrently:
    description:
      - Whether indexes are built and dropped while the table is read and written.
      - When V(false), writes to the table wait during a build and reads wait during a drop or rebuild; needed for
        partitioned tables.
    type: bool
    default: true
  analyze:
    description: Whether a table is analyzed after an index with an expression was built, so that the planner knows it.
    type: bool
    default: true
  lock_timeout_s:
    description:
      - How long a statement waits for a lock, in seconds; V(0) waits for ever.
      - A concurrent build also waits for transactions that began before it. It blocks nobody meanwhile.
    type: float
    default: 30
  lock_attempts:
    description: How often a statement is tried in all when it waited too long for a lock, with growing random pauses.
    type: int
    default: 3
  statement_timeout_s:
    description: How long a statement may take, in seconds; V(0) sets no limit, whatever the server's own is.
    type: float
    default: 0
  maintenance_work_mem:
    description: Memory for a build, such as V(256MB). Without it, the server's setting holds.
    type: str
  login_host:
    description: Host name or address of the server. Without it, the local socket is used.
    type: str
  login_port:
    description: Port of the server.
    type: int
    default: 5432
  login_unix_socket:
    description: Directory of the server's socket, such as V(/var/run/postgresql). Excludes O(login_host).
    type: str
  login_user:
    description: User to log in as. It must own the tables.
    type: str
    default: postgres
  login_password:
    description: Password of O(login_user).
    type: str
  login_db:
    description: Database whose indexes are meant.
    type: str
    required: true
  ssl_mode:
    description: How TLS is used, see libpq's C(sslmode). V(verify-full) is right for every connection over a network.
    type: str
    choices: [disable, allow, prefer, require, verify-ca, verify-full]
    default: prefer
  ca_cert:
    description: File with the certificates of the authorities that are trusted, on the host where the module runs.
    type: path
  connect_timeout_s:
    description: How long a connection may take, in seconds.
    type: int
    default: 10
requirements:
  - psycopg >= 3.1 on the host where the module runs (Debian package python3-psycopg)
  - PostgreSQL 12 or later
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
attributes:
  check_mode:
    support: full
    details:
      - Returns exactly the statements that a run would execute.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: community.postgresql.postgresql_idx
  - name: CREATE INDEX
    description: What PostgreSQL says about building indexes, concurrently and not.
    link: https://www.postgresql.org/docs/current/sql-createindex.html
author:
  - evenkeel.fleet contributors (@evenkeel)
"""

EXAMPLES = r"""
- name: Keep the indexes of the shop as declared
  evenkeel.fleet.postgres_indexes:
    login_db: shop
    login_unix_socket: /var/run/postgresql
    extensions: [pg_trgm]
    indexes:
      - name: orders_customer_newest
        table: orders
        columns:
          - customer_id
          - {column: created_at, order: desc}
        comment: "Order history, newest first"
      - name: customers_email
        table: customers
        columns: [{expression: lower(email)}]
        unique: true
      - name: orders_open
        table: orders
        columns: [created_at]
        where: state = 'open'
        include: [total]
      - name: products_title_trgm
        table: products
        method: gin
        columns: [{column: title, opclass: gin_trgm_ops}]
      - name: orders_state
        state: absent
  become: true
  become_user: postgres
"""

RETURN = r"""
indexes:
  description:
    - One entry per wish, in the order of the list.
    - After a failure only those that were done, and only those with an action.
  returned: always
  type: list
  elements: dict
  contains:
    name: {description: Name of the index., type: str, returned: always}
    schema: {description: Its schema., type: str, returned: always}
    table: {description: Its table., type: str, returned: always}
    action:
      description: What was done, or would be done in check mode; one of none, create, rebuild, drop, comment.
      type: str
      returned: always
    reason: {description: Why., type: str, returned: always}
    satisfied_by:
      description: Name of another index with the same definition, for which the wish counts as fulfilled.
      type: str
      returned: always
    statements: {description: The statements of this wish., type: list, elements: str, returned: always}
    size_bytes: {description: Size of the index now., type: int, returned: always}
    scans: {description: How often the index that was there has been used., type: int, returned: always}
    duration_s: {description: Seconds that the statements took., type: float, returned: always}
    estimated_rows:
      description: Rows that the planner expects in the index.
      type: int
      returned: for B-tree indexes that are built
    estimated_bytes:
      description: Size that this makes, an upper estimate.
      type: int
      returned: for B-tree indexes that are built
extensions:
  description: Extensions that were missing and were created.
  returned: success
  type: list
  elements: str
statements:
  description: All statements that were executed, or would be in check mode, in their order.
  returned: always
  type: list
  elements: str
  sample: ['CREATE INDEX CONCURRENTLY "orders_state" ON "public"."orders" USING "btree" ("state")']
evidence:
  description: Size and use of each table on which something is to be done.
  returned: success
  type: list
  elements: dict
  sample:
    - {schema: public, name: orders, rows: 1200000, live_rows: 1200144, table_bytes: 98566144, indexes_bytes: 27000832,
       seq_scan: 48211, seq_tup_read: 57853200000, idx_scan: 92, analyzed_at: "2026-11-21T08:00:00Z"}
problems:
  description: What is wrong with the wishes, one entry each with label, field, found, expected and remedy.
  returned: when a wish cannot be fulfilled; nothing was changed
  type: list
  elements: dict
failed:
  description: Name of the index whose statement failed.
  returned: when a statement failed
  type: str
not_done:
  description: Names of the indexes that are not in their wished state because of it.
  returned: when a statement failed
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.connection import PSYCOPG_MISSING
from ansible_collections.evenkeel.fleet.plugins.module_utils._postgres.indexes import apply_indexes

INDEX_OPTIONS = {
    "name": {"type": "str", "required": True},
    "schema": {"type": "str", "default": "public"},
    "table": {"type": "str"},
    "columns": {"type": "list", "elements": "raw"},
    "method": {"type": "str", "default": "btree"},
    "unique": {"type": "bool", "default": False},
    "include": {"type": "list", "elements": "str"},
    "where": {"type": "str"},
    "storage": {"type": "dict"},
    "tablespace": {"type": "str"},
    "comment": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

SPEC = {
    "indexes": {"type": "list", "elements": "dict", "required": True, "options": INDEX_OPTIONS},
    "extensions": {"type": "list", "elements": "str", "default": []},
    "concurrently": {"type": "bool", "default": True},
    "analyze": {"type": "bool", "default": True},
    "lock_timeout_s": {"type": "float", "default": 30},
    "lock_attempts": {"type": "int", "default": 3},
    "statement_timeout_s": {"type": "float", "default": 0},
    "maintenance_work_mem": {"type": "str"},
    "login_host": {"type": "str"},
    "login_port": {"type": "int", "default": 5432},
    "login_unix_socket": {"type": "str"},
    "login_user": {"type": "str", "default": "postgres"},
    "login_password": {"type": "str", "no_log": True},
    "login_db": {"type": "str", "required": True},
    "ssl_mode": {"type": "str", "choices": SSL_MODES, "default": "prefer"},
    "ca_cert": {"type": "path"},
    "connect_timeout_s": {"type": "int", "default": 10},
}


def main() -> None:
    module = AnsibleModule(SPEC, supports_check_mode=True, mutually_exclusive=[("login_host", "login_unix_socket")])
    if PSYCOPG_MISSING:
        module.fail_json(msg=missing_required_lib("psycopg >= 3.1 (Debian package python3-psycopg)"),
                         exception=PSYCOPG_MISSING)
    run(module, apply_indexes, parameters=module.params, check_mode=module.check_mode)


if __name__ == "__main__":
    main()
