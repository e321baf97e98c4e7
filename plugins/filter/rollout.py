# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of a rollout as filters; what they compute is in module_utils/_release."""

from __future__ import annotations

from typing import Any

from ansible_collections.evenkeel.fleet.plugins.plugin_utils.lazy_filter import lazy_filter


class FilterModule:
    """The filters of this file, each documented in a file of its name."""

    def filters(self) -> dict[str, Any]:
        return {
            "release_observation": lazy_filter("_release.plan.observation", "observe"),
            "rollout_plan": lazy_filter("_release.plan.make", "make_plan"),
            "rollout_controller": lazy_filter("_release.control.controller", "identify"),
            "rollout_abandoned": lazy_filter("_release.control.controller", "abandoned"),
            "rollout_missing_evidence": lazy_filter("_release.control.evidence", "missing_evidence"),
            "rollout_changed_since": lazy_filter("_release.control.evidence", "changed_since"),
            "rollout_way_back": lazy_filter("_release.control.settling", "way_back"),
            "rollout_hook_outcome": lazy_filter("_release.declared.hooks", "outcome"),
            "rollout_notification": lazy_filter("_release.declared.notification", "message"),
            "rollout_summary": lazy_filter("_release.summary", "summarize"),
            "rollback_target": lazy_filter("_release.plan.rollback", "target"),
        }
