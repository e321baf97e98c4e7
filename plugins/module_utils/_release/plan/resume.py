# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Going on with a run that was interrupted: which hosts stay where they are. All others go back and begin anew."""

from __future__ import annotations

from typing import Any, Mapping

from ..ledger.states import COMMITTED, PLANNED, SOAKING, SWITCHED


def through(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether the ledger says that a run that was interrupted had switched here to the wanted release.

    It goes on where it was when the containers and the load balancers say the same.

    :arg found: what M(evenkeel.fleet.release_info) returned on the host.
    :arg wanted: the release asked for: ``release``, ``digest``, ``config``.
    """
    status = found["status"]
    begun: Mapping[str, Any] = next((one["data"] for one in reversed(found["records"])
                                     if (one["state"], one["run"]) == (PLANNED, status["run"])), {})
    return bool(status["interrupted"] and status["state"] in (SWITCHED, SOAKING, COMMITTED)
                and all(begun.get(key) == wanted[key] for key in ("release", "digest", "config")))


def going_on(observations: Mapping[str, Mapping[str, Any]], release: str) -> tuple[str, list[str]]:
    """Return the run to go on with, empty for a new one, and the hosts that stay where they are.

    It is the run of all hosts that were interrupted, when it brought the same release.
    """
    interrupted = {host: one for host, one in observations.items() if one["interrupted"]}
    runs = {(one["last_run"], one["last_release"]) for one in interrupted.values()}
    run, of = next(iter(runs)) if len(runs) == 1 else ("", "")
    if of != release:
        return "", []
    return run, [host for host, one in interrupted.items() if one["through"]]
