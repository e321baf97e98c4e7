# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of a restart as filters; what they compute is in module_utils/_restart."""

from __future__ import annotations

from typing import Any

from ansible_collections.evenkeel.fleet.plugins.plugin_utils.lazy_filter import lazy_filter


class FilterModule:
    """The filters of this file, each documented in a file of its name."""

    def filters(self) -> dict[str, Any]:
        return {
            "restart_instances": lazy_filter("_restart.plan", "instances"),
            "restart_plan": lazy_filter("_restart.plan", "make_plan"),
            "restart_turn": lazy_filter("_restart.plan", "choose_turn"),
            "restart_summary": lazy_filter("_restart.summary", "summarize"),
        }
