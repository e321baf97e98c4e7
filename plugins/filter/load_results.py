# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of load probes as filters; what they compute is in module_utils/_load."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.merge import merge_results


def merge_load_results(results: Mapping[str, Any], thresholds: Sequence[str] = ("error_rate < 1%",),
                       expected_hosts: Sequence[str] = ()) -> dict[str, Any]:
    """Merge results by host into one."""
    try:
        return merge_results(results, thresholds, expected_hosts)
    except FleetError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file, each documented in a file of its name."""

    def filters(self) -> dict[str, Any]:
        return {"merge_load_results": merge_load_results}
