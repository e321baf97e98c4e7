# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of load probes as filters; what they compute is in module_utils/_load."""

from __future__ import annotations

import functools
from typing import Any, Callable, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.evenkeel.fleet.plugins.filter.request_problems import plain
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.result.merge import merge_results
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.statistics.baseline import Baseline


def speaking(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the collection's one exception root into the one that Ansible shows."""

    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except FleetError as error:
            raise AnsibleFilterError(str(error)) from error

    return wrapped


def merge_load_results(results: Mapping[str, Any], thresholds: Sequence[str] = ("error_rate < 1%",),
                       expected_hosts: Sequence[str] = ()) -> dict[str, Any]:
    """Merge results by host into one."""
    return merge_results(plain(results), plain(thresholds), plain(expected_hosts))


def compare_load_results(after: Mapping[str, Any], before: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Compare a result with an earlier one."""
    baseline = Baseline.parse(plain(before), **plain(options))
    baseline.require(list(after["scenarios"]))
    return baseline.compare(plain(after))


class FilterModule:
    """The filters of this file, each documented in a file of its name."""

    def filters(self) -> dict[str, Any]:
        return {
            "merge_load_results": speaking(merge_load_results),
            "compare_load_results": speaking(compare_load_results),
        }
