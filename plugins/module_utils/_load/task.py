# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module load_probe does: a probe, kept in the store, compared with a baseline, graded."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Iterator, Mapping

from .._core.clock import utc_now
from .._core.errors import FleetError, InputError
from .._core.verdict import worst
from .probe import probe
from .statistics.grade import grade
from .watch import Tell

#: The metrics in the status of a finished probe.
_LAST = ("requests", "errors", "rps", "p95_ms")


def perform(*, result_name: str = "", result_directory: str = "", baseline: Mapping[str, Any] | None = None,
            mergeable: bool = False, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """Probe a target.

    :arg result_name: keep the result, and what the probe is doing, under this name; empty keeps nothing.
    :arg baseline: an earlier ``result``, the ``result_name`` of one, or another ``target``, which is then probed first
        with the same options, and the further fields of :meth:`Limits.parse`.
    :arg options: those of :func:`probe`.
    :raises InputError: before the target gets any traffic, when an option is wrong.
    """
    earlier = _baseline(baseline, result_directory, check_mode, options) if baseline else None
    if earlier:
        earlier.require([str(one.get("name")) for one in options.get("scenarios") or [{"name": "default"}]])
    complete = mergeable or bool(earlier or result_name)
    with _kept(result_name, result_directory, check_mode) as (tell, keep):
        result = probe(mergeable=complete, check_mode=check_mode, tell=tell, **options)
        if earlier and not check_mode:
            result["comparison"] = earlier.compare(result)
            result["verdict"] = worst([result["verdict"], result["comparison"]["verdict"]])
            result["reasons"] += result["comparison"]["reasons"]
        result["grade"] = grade(result["verdict"], result["metrics"])
        keep(result)
    return result if mergeable or not complete else without_details(result)


def without_details(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result without what only merging and comparing need."""
    left_out = ("step_histograms", "tag_histograms")
    samples = {key: value for key, value in result["samples"].items() if key not in left_out}
    if "series" in samples:
        samples["series"] = [{key: value for key, value in row.items() if key != "histogram"}
                             for row in samples["series"]]
    phases = [{key: value for key, value in row.items() if key != "histogram"} for row in result.get("phases") or []]
    return {**result, "samples": samples, "phases": phases}


def _baseline(wanted: Mapping[str, Any], directory: str, check_mode: bool, options: Mapping[str, Any]) -> Any:
    """Return the baseline that was asked for; None when check mode does not measure it."""
    from .statistics.baseline import EXAMPLE, Baseline, Limits

    known = {key: value for key, value in wanted.items() if value is not None}
    name, result, target = known.pop("result_name", ""), known.pop("result", None), known.pop("target", "")
    if [bool(name), bool(result), bool(target)].count(True) != 1:
        raise InputError("baseline", sorted(wanted), "exactly one of result, result_name and target", EXAMPLE)
    limits = Limits.parse(**known)
    if target:
        result = probe(mergeable=True, check_mode=check_mode, **{**options, "target": target})
        if check_mode:
            return None
    if name:
        from .result.store import Store

        result = Store(directory).read_result(name, "baseline.result_name")
    return Baseline(result, limits)


@contextlib.contextmanager
def _kept(name: str, directory: str, check_mode: bool) -> Iterator[tuple[Tell | None, Any]]:
    """Yield what takes the progress of a probe, and what takes its result."""
    if not name or check_mode:
        yield None, lambda result: None
        return
    from .result.store import FAILED, FINISHED, RUNNING, Store

    store = Store(directory)
    status: dict[str, Any] = {"state": RUNNING, "pid": os.getpid(), "started_at": utc_now()}

    def tell(progress: Mapping[str, Any]) -> None:
        status.update(progress)
        store.write_status(name, status)

    def keep(result: Mapping[str, Any]) -> None:
        store.write_result(name, result)
        tell({"state": FINISHED, "verdict": result["verdict"], "grade": result["grade"],
              "elapsed_s": result["duration_s"], **{key: result["metrics"].get(key) for key in _LAST}})

    with store.running(name):
        tell({"phase": "", "elapsed_s": 0.0})
        try:
            yield tell, keep
        except FleetError as error:
            tell({"state": FAILED, "msg": str(error)})
            raise
