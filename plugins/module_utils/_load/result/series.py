# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ended when: a row per second, and wider rows when there would be too many; merges by addition."""

from __future__ import annotations

import struct
import zlib
from array import array
from typing import Any, Iterator, Sequence

from ..statistics.histogram import Histogram

#: How many rows there are at the most. One more, and each row takes in its neighbour.
MOST_ROWS = 3600

#: Of packed latencies: the first bucket in use, then sum, smallest and largest in µs.
_PACKED = struct.Struct("<4Q")
_COUNT_BYTES = 8


class Row:
    """What ended within the time of a row. The latencies of a row that is over are kept packed."""

    __slots__ = ("_latency", "_packed", "errors", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self._latency: Histogram | None = Histogram()
        self._packed = b""

    @property
    def latency(self) -> Histogram:
        """Latencies in µs."""
        if self._latency is None:
            self._latency = self._unpacked()
        return self._latency

    def add(self, requests: int, errors: int, latency: Histogram) -> None:
        """Add what ended."""
        self.requests += requests
        self.errors += errors
        self.latency.merge(latency)

    def pack(self) -> None:
        """Keep the latencies in little room: counts from the first to the last bucket in use, compressed.

        First all lowest bytes, then all second ones and so on: that brings the zeros together.
        """
        latency = self.latency
        if latency.min_us is not None and latency.max_us is not None:
            first, last = min(latency.counts), max(latency.counts)
            dense = array("Q", [latency.counts.get(bucket, 0) for bucket in range(first, last + 1)]).tobytes()
            planes = b"".join(dense[place::_COUNT_BYTES] for place in range(_COUNT_BYTES))
            self._packed = (_PACKED.pack(first, latency.sum_us, latency.min_us, latency.max_us)
                            + zlib.compress(planes))
            self._latency = None

    def _unpacked(self) -> Histogram:
        latency = Histogram()
        if self._packed:
            first, latency.sum_us, latency.min_us, latency.max_us = _PACKED.unpack_from(self._packed)
            planes = zlib.decompress(self._packed[_PACKED.size:])
            dense = bytearray(len(planes))
            size = len(planes) // _COUNT_BYTES
            for place in range(_COUNT_BYTES):
                dense[place::_COUNT_BYTES] = planes[place * size:(place + 1) * size]
            counts = array("Q", bytes(dense))
            latency.counts.update({first + place: number for place, number in enumerate(counts) if number})
            latency.count = sum(counts)
            self._packed = b""
        return latency


class Series:
    """Rows of ``width_s`` seconds each."""

    def __init__(self) -> None:
        self.width_s = 1
        self._rows: dict[int, Row] = {}
        self._current: Row | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        """Yield the second in which a row begins, and the row, in order."""
        for place in sorted(self._rows):
            yield place * self.width_s, self._rows[place]

    def at(self, second: int) -> Row:
        """Return the row of a second."""
        row = self._rows.get(second // self.width_s)
        if row is None:
            if len(self._rows) >= MOST_ROWS:
                self._widen(2 * self.width_s)
                return self.at(second)
            if self._current:
                self._current.pack()
            self._current = row = self._rows[second // self.width_s] = Row()
        return row

    def add(self, other: Series, shift_s: int) -> None:
        """Add another series, which began so much later."""
        self._widen(max(self.width_s, other.width_s))
        for second, row in other:
            self.at(second + shift_s).add(row.requests, row.errors, row.latency)
            row.pack()

    def _widen(self, width_s: int) -> None:
        if width_s == self.width_s:
            return
        rows, self._rows, self._current = list(self), {}, None
        self.width_s = width_s
        for second, row in rows:
            self.at(second).add(row.requests, row.errors, row.latency)

    def to_list(self) -> list[Any]:
        """Return what JSON can carry."""
        return [[self.width_s, second, row.requests, row.errors, row.latency.to_dict()] for second, row in self]

    @classmethod
    def from_list(cls, data: Sequence[Sequence[Any]]) -> Series:
        """Return the series that ``to_list`` described."""
        series = cls()
        for width_s, second, requests, errors, latency in data:
            series.width_s = width_s
            series.at(second).add(requests, errors, Histogram.from_dict(latency))
        return series
