# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of load probes as filters; what they compute is in module_utils/_load."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.evenkeel.fleet.plugins.plugin_utils.lazy_filter import lazy_filter
from ansible_collections.evenkeel.fleet.plugins.plugin_utils.plain import plain

_merge = lazy_filter("_load.result.merge", "merge_results")
_compare = lazy_filter("_load.statistics.baseline", "compare_results")
hdr_load_result = lazy_filter("_load.result.imported", "result_of_hdr")


def merge_load_results(results: Mapping[str, Any], thresholds: Sequence[str] = ("error_rate < 1%",),
                       expected_hosts: Sequence[str] = ()) -> dict[str, Any]:
    """Merge results by host into one."""
    return _merge(plain(results), plain(thresholds), plain(expected_hosts))


def compare_load_results(after: Mapping[str, Any], before: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Compare a result with an earlier one."""
    return _compare(plain(after), plain(before), **plain(options))


class FilterModule:
    """The filters of this file, each documented in a file of its name."""

    def filters(self) -> dict[str, Any]:
        return {"merge_load_results": merge_load_results, "compare_load_results": compare_load_results,
                "hdr_load_result": hdr_load_result}
