# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A log-linear histogram of microseconds: ≤ 1 % relative error, merges by addition.

The buckets are those of HdrHistogram with two significant digits and a unit of 1 µs: exact up to 255 µs,
then 128 buckets per power of two. Source: hdrhistogram.org, ``AbstractHistogram.countsArrayIndex``.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Iterable, Mapping

_HALF_BITS = 7
_HALF = 1 << _HALF_BITS


def bucket_of(value: int) -> int:
    """Return the index of the bucket that holds a value in µs."""
    shift = max(0, value.bit_length() - _HALF_BITS - 1)
    return (shift << _HALF_BITS) + (value >> shift)


def bounds_of(bucket: int) -> tuple[int, int]:
    """Return the smallest and the largest value in µs that a bucket holds."""
    if bucket < 2 * _HALF:
        return bucket, bucket
    shift = (bucket >> _HALF_BITS) - 1
    low = (bucket - (shift << _HALF_BITS)) << shift
    return low, low + (1 << shift) - 1


class Histogram:
    """Counts of durations in µs; smallest, largest and sum are exact."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self.count = 0
        self.sum_us = 0
        self.min_us: int | None = None
        self.max_us: int | None = None

    def record(self, values_us: Iterable[int]) -> None:
        """Add values; cheap for many at once."""
        distinct = Counter(values_us)
        if not distinct:
            return
        for value, number in distinct.items():
            self.counts[bucket_of(value)] += number
            self.count += number
            self.sum_us += value * number
        self._widen(min(distinct), max(distinct))

    def record_many(self, value_us: int, number: int) -> None:
        """Add the same value many times."""
        self.counts[bucket_of(value_us)] += number
        self.count += number
        self.sum_us += value_us * number
        self._widen(value_us, value_us)

    def merge(self, other: Histogram) -> None:
        """Add another histogram; the result is the same as if all values had been recorded here."""
        if other.min_us is None or other.max_us is None:
            return
        self.counts.update(other.counts)
        self.count += other.count
        self.sum_us += other.sum_us
        self._widen(other.min_us, other.max_us)

    def _widen(self, low: int, high: int) -> None:
        self.min_us = low if self.min_us is None else min(self.min_us, low)
        self.max_us = high if self.max_us is None else max(self.max_us, high)

    def percentile_us(self, percent: float) -> float | None:
        """Return the value that ``percent`` (0–100) of all values do not exceed; None without values.

        The middle of its bucket, so at most 0.4 % off, and never outside of what was recorded.
        """
        if self.min_us is None or self.max_us is None:
            return None
        rank = min(self.count, max(1, math.ceil(round(self.count * percent / 100, 9))))
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= rank:
                break
        low, high = bounds_of(bucket)
        return min(max((low + high) / 2, self.min_us), self.max_us)

    def percentile_ms(self, percent: float) -> float | None:
        """Return a percentile in milliseconds; None without values."""
        value = self.percentile_us(percent)
        return None if value is None else round(value / 1000, 4)

    @property
    def mean_ms(self) -> float | None:
        """The exact mean in milliseconds; None without values."""
        return round(self.sum_us / self.count / 1000, 4) if self.count else None

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can carry; ``counts`` is one line of ``bucket:count``."""
        counts = " ".join(f"{bucket}:{self.counts[bucket]}" for bucket in sorted(self.counts))
        return {"unit": "us", "min": self.min_us, "max": self.max_us, "sum": self.sum_us, "counts": counts}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Histogram:
        """Return the histogram that ``to_dict`` described."""
        histogram = cls()
        for pair in data["counts"].split():
            bucket, _colon, number = pair.partition(":")
            histogram.counts[int(bucket)] += int(number)
        histogram.count = sum(histogram.counts.values())
        histogram.sum_us, histogram.min_us, histogram.max_us = data["sum"], data["min"], data["max"]
        return histogram
