# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of a rollout as filters; what they compute is in module_utils/_release."""

from __future__ import annotations

import functools
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._release import observation, plan, summary


def speaking(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the collection's one exception root into the one that Ansible shows."""

    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except FleetError as error:
            raise AnsibleFilterError(str(error)) from error

    return wrapped


class FilterModule:
    """The filters of this file, each documented in a file of its name."""

    def filters(self) -> dict[str, Any]:
        return {
            "release_observation": speaking(observation.observe),
            "rollout_plan": speaking(plan.make_plan),
            "rollout_missing_evidence": speaking(plan.missing_evidence),
            "rollout_summary": speaking(summary.summarize),
            "rollback_target": speaking(plan.rollback_target),
        }
