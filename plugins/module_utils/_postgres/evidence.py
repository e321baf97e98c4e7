# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence: numbers that let a person judge a step before it is run."""

from __future__ import annotations

import json
import math
from typing import Any

from . import statements
from .catalogue import Catalogue
from .connection import Database, SqlError
from .plan import CREATE, REBUILD, Step

# PostgreSQL's documentation, "Database Page Layout" and "CREATE INDEX": pages of 8 KiB with a header of 24 and a
# special space of 16 bytes, leaves filled to 90 %; per entry a pointer of 4 bytes and a header of 8, aligned to 8.
PAGE_BYTES = 8192
PAGE_USABLE = PAGE_BYTES - 24 - 16
FILLFACTOR = 90
ENTRY_POINTER_BYTES = 4
ENTRY_HEADER_BYTES = 8


def btree_bytes(rows: int, width_bytes: int, fillfactor: int = FILLFACTOR) -> int:
    """Return the size of a fresh B-tree in bytes, as an upper estimate: equal keys are not deduplicated."""
    entry = ENTRY_POINTER_BYTES + math.ceil((ENTRY_HEADER_BYTES + width_bytes) / 8) * 8
    leaves = math.ceil(rows * entry / (PAGE_USABLE * fillfactor / 100))
    return (leaves + 1) * PAGE_BYTES


def tables(catalogue: Catalogue, steps: list[Step]) -> list[dict[str, Any]]:
    """Return size and use of every table on which something is to be done."""
    places = sorted({(step.wish.schema, step.table) for step in steps if step.groups})
    rows = [catalogue.tables[place] for place in places if place in catalogue.tables]
    return [{key: value for key, value in row.items() if key not in ("oid", "kind", "columns")} for row in rows]


def estimate(db: Database, step: Step) -> dict[str, Any]:
    """Return how many rows the planner expects in a new B-tree index and how large that makes it.

    Empty for other methods, for steps that build nothing, and where the planner cannot say.
    """
    if step.action not in (CREATE, REBUILD) or step.wish.method != "btree":
        return {}
    try:
        answer = db.rows(statements.explain_content(step.wish))[0]["QUERY PLAN"]
    except SqlError:
        return {}
    plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    rows, fillfactor = plan["Plan Rows"], int(dict(step.wish.storage).get("fillfactor", FILLFACTOR))
    return {"estimated_rows": rows, "estimated_bytes": btree_bytes(rows, plan["Plan Width"], fillfactor)}
