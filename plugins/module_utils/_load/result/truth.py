# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether to believe a result: the generator's own limits, and an early end."""

from __future__ import annotations

from ..._core.verdict import FAIL, INCONCLUSIVE, Verdict, worst

#: From this share of a core on, running or waiting for one, the generator is the limit.
SATURATED = 0.95

#: A late generator explains a slow target when it adds more than this to the 99th percentile, in ms …
LATE_MS = 10.0
#: … and this share of it.
LATE_SHARE = 0.5

#: A generator that had not got to this share of what was due when the time was over was the limit …
BEHIND_SHARE = 0.01
#: … when it was this far behind, in seconds.
BEHIND_S = 0.1

#: What the reason of an early end begins with when a threshold that aborts was broken.
BREACH = "threshold: "


def doubt(verdict: Verdict) -> None:
    """Take back a verdict that the generator, or an early end, may have caused.

    Reads nothing but the metrics and samples of the verdict, so that it holds for merged results too. Too many
    errors stay a failure: a busy generator does not make wrong answers. A late generator can only make latencies
    longer, so it takes back a failure and not a pass.
    """
    samples, generator = verdict.samples, verdict.samples["generator"]
    if samples["stopped"].startswith(BREACH):
        verdict.reasons.append(f"aborted by {samples['stopped']}")
        verdict.verdict = FAIL
    elif samples["stopped"] not in ("", "stop_path"):
        verdict.reasons.append(f"stopped early, after {generator['measured_s']:.1f} s of "
                               f"{generator['intended_s']:g} s: {samples['stopped']}")
        verdict.verdict = worst([verdict.verdict, INCONCLUSIVE])
    own = samples["errors"].get("generator", 0)
    if own:
        verdict.reasons.append(f"{own} requests failed for lack of ports, descriptors or memory on the load host")
        verdict.verdict = INCONCLUSIVE
    if any(row["ok"] is False and row["metric"] in ("errors", "error_rate") for row in verdict.thresholds):
        return
    runnable = generator["cpu_share"] + generator["cpu_wait_share"]
    if runnable >= SATURATED:
        verdict.reasons.append(f"the load generator was the limit: it needed {runnable:.0%} of a core; "
                               "use more processes or fewer vus")
        verdict.verdict = INCONCLUSIVE
    due, sent = generator["intended_rps"] or 0.0, generator["dispatched_rps"] or 0.0
    if due - sent > due * BEHIND_SHARE and (due - sent) * generator["measured_s"] > due * BEHIND_S:
        verdict.reasons.append(f"the load generator was the limit: it got to only {sent:g} of {due:g} rps in time; "
                               "use more processes or a lower rate")
        verdict.verdict = INCONCLUSIVE
    late, slow = generator["lateness_p99_ms"] or 0.0, verdict.metrics.get("p99_ms") or 0.0
    if verdict.verdict == FAIL and late > LATE_MS and late > LATE_SHARE * slow:
        verdict.reasons.append(f"the load generator was late: {late:.1f} ms of the 99th percentile are its own")
        verdict.verdict = INCONCLUSIVE
