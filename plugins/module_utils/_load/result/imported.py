# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What another tool measured, as a result of ours."""

from __future__ import annotations

from typing import Any

from ..._core.errors import InputError
from ..statistics.hdr import decode
from .metrics import PERCENTILES, Part

#: How long a value of 1 is, in µs.
_UNITS = {"ns": 0.001, "us": 1.0, "ms": 1000.0}


def result_of_hdr(text: str, scenario: str, unit: str = "us", errors: int = 0) -> dict[str, Any]:
    """Return the metrics of a histogram, in a result that can be compared with those of a probe.

    :arg text: HdrHistogram's V2 encoding in base64.
    :arg unit: of its values: ``ns``, ``us`` or ``ms``.
    :arg errors: how many of its requests were errors, which a histogram does not tell.
    :raises InputError: names the field.
    """
    if unit not in _UNITS:
        raise InputError("unit", unit, "ns, us or ms", "us")
    latency = decode(str(text), _UNITS[unit])
    if not 0 <= errors <= latency.count:
        raise InputError("errors", errors, f"0 to {latency.count}, the number of requests", "0")
    metrics = Part(latency.count, errors, None, latency).metrics(PERCENTILES)
    return {"metrics": metrics, "scenarios": {scenario: metrics},
            "samples": {"histograms": {scenario: latency.to_dict()}}}
