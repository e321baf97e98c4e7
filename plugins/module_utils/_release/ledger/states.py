# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The states that a host goes through in a rollout, and the only ways between them."""

from __future__ import annotations

from typing import Any, Mapping

from ..._core.errors import FleetError

INTENT, RESULT = "intent", "result"
PHASES = (INTENT, RESULT)

PLANNED, LOCKED, BACKED_UP, STAGED, EXPANDED = "PLANNED", "LOCKED", "BACKED_UP", "STAGED", "EXPANDED"
VERIFIED, CANARY, SWITCHED, SOAKING, COMMITTED = "VERIFIED", "CANARY", "SWITCHED", "SOAKING", "COMMITTED"
ABORTING, ROLLED_BACK, FROZEN = "ABORTING", "ROLLED_BACK", "FROZEN"

#: The way of a release that goes well. A database is migrated (EXPANDED) only when the release lies ready everywhere.
FORWARD = (PLANNED, LOCKED, BACKED_UP, STAGED, EXPANDED, VERIFIED, CANARY, SWITCHED, SOAKING, COMMITTED)
#: Steps that a rollout may leave out: not every one has a database, a canary or a soak.
OPTIONAL = frozenset((LOCKED, BACKED_UP, EXPANDED, CANARY, SOAKING))
STATES = (*FORWARD, ABORTING, ROLLED_BACK, FROZEN)
#: Nothing that runs was touched in these.
UNTOUCHED = FORWARD[:FORWARD.index(VERIFIED)]
#: Nothing is under way in these. FROZEN is not among them: it waits for a person.
SETTLED = frozenset((COMMITTED, ROLLED_BACK))


def successors(state: str) -> frozenset[str]:
    """Return the states that may follow ``state``; the empty string is a host without a history."""
    if not state or state in SETTLED:
        return frozenset((PLANNED,))
    if state == ABORTING:
        return frozenset((ABORTING, ROLLED_BACK, FROZEN))
    if state == FROZEN:
        return frozenset((ABORTING, ROLLED_BACK))
    following = {ABORTING}
    for candidate in FORWARD[FORWARD.index(state) + 1:]:
        following.add(candidate)
        if candidate not in OPTIONAL:
            break
    return frozenset(following)


def check_transition(last: Mapping[str, Any] | None, record: Mapping[str, Any]) -> None:
    """Refuse a record that may not follow the last one of the ledger.

    After an intent comes a result of the same state (or another try at it) or ABORTING, so that a ledger
    that ends with an intent always means: this step was interrupted. The intent to commit is taken back by SOAKING,
    by a run that goes on there.

    :arg last: the last record of the ledger, None when there is none.
    :raises FleetError: when the step is not legal, with the detail ``refused``.
    """
    state = record["state"]
    before, phase = (last["state"], last["phase"]) if last else ("", RESULT)
    legal = successors(before)
    if phase == INTENT:
        further = {ABORTING: legal, COMMITTED: frozenset((SOAKING,))}.get(before, frozenset())
        legal = frozenset((before, ABORTING)) | further
    if state not in legal:
        found = f"the {phase} of {before}" if before else "an empty ledger"
        raise FleetError(
            f"state: {state} may not follow {found} on this host.",
            f"Legal here: {', '.join(sorted(legal))}. An interrupted run is settled first: ABORTING, then ROLLED_BACK.",
            refused=True)
