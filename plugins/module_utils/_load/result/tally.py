# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was counted: outcomes with their latencies, and when they ended; merges by addition."""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable, Mapping, NamedTuple

from ..statistics.histogram import Histogram
from .series import Series

#: Classes of errors. ``generator`` is this machine's own limit: ports, descriptors, memory.
ERRORS = ("refused", "reset", "timeout", "tls", "login", "protocol", "unreachable", "generator", "status", "check")

#: Errors that have a latency: there was an answer, or the whole time-out was spent waiting for one.
TIMED_ERRORS = ("", "timeout", "status", "check")

#: How many examples are kept per class of error.
EXAMPLES = 5


class Outcome(NamedTuple):
    """How a request ended. ``kind`` is its place in the list of requests, ``status`` is 0 without an answer."""

    kind: int
    status: int
    error: str
    header: str | None


class Count:
    """The requests with one outcome.

    ``raw`` are latencies in ns that are not folded in yet; ``in_time`` of the ``count`` ended within the measured time.
    """

    __slots__ = ("count", "histogram", "in_time", "raw")

    def __init__(self) -> None:
        self.raw: list[int] = []
        self.count = 0
        self.in_time = 0
        self.histogram = Histogram()


class Tally:
    """All that one process counts.

    :arg started_ns: the zero of the seconds, on the monotonic clock.

    ``journeys`` counts those that began here, by scenario: (scenario, ``begun``, ""), (…, ``completed``, ""),
    (…, ``failed``, ""), and for each step that a failure left out (…, ``skipped``, step).
    """

    def __init__(self, started_ns: int = 0) -> None:
        self.started_ns = started_ns
        self._folded_ns = started_ns
        self.counts: dict[Outcome, Count] = {}
        self.series = Series()
        self.examples: dict[str, list[dict[str, Any]]] = {}
        self.journeys: Counter[tuple[str, str, str]] = Counter()

    def sink(self, outcome: Outcome) -> Callable[[int], None]:
        """Return what takes the latency, in ns, of each request with this outcome."""
        return self._count(outcome).raw.append

    def _count(self, outcome: Outcome) -> Count:
        if outcome not in self.counts:
            self.counts[outcome] = Count()
        return self.counts[outcome]

    def wants_example(self, error: str) -> bool:
        """Whether there is room for another example of this class."""
        return len(self.examples.get(error, ())) < EXAMPLES

    def example(self, error: str, example: dict[str, Any]) -> None:
        """Keep an example."""
        self.examples.setdefault(error, []).append({"class": error, **example})

    def fold(self, now_ns: int) -> None:
        """Move what was recorded since the last fold into histograms, and into the row of the series for that time."""
        middle = (self._folded_ns + now_ns) // 2
        self._folded_ns = now_ns
        for outcome, count in self.counts.items():
            if not count.raw:
                continue
            number = len(count.raw)
            count.count += number
            fresh = Histogram()
            if outcome.error in TIMED_ERRORS:
                fresh.record([latency // 1000 for latency in count.raw])
                count.histogram.merge(fresh)
            row = self.series.at((middle - self.started_ns) // 1_000_000_000)
            row.add(number, number if outcome.error else 0, fresh)
            count.raw.clear()

    def end_of_time(self) -> None:
        """The measured time is over; what ends from now on is counted, but did not end in time."""
        for count in self.counts.values():
            count.in_time = count.count

    def merge(self, other: Tally) -> None:
        """Add what another process, or another phase of the same run, counted.

        The seconds of the series are counted from the earlier start of both.
        """
        started_ns = min(filter(None, (self.started_ns, other.started_ns)), default=0)
        series = Series()
        for tally in (self, other):
            series.add(tally.series, round((tally.started_ns - started_ns) / 1e9) if tally.started_ns else 0)
        self.series, self.started_ns = series, started_ns
        for outcome, count in other.counts.items():
            mine = self._count(outcome)
            mine.count += count.count
            mine.in_time += count.in_time
            mine.histogram.merge(count.histogram)
        self.journeys.update(other.journeys)
        for error, examples in other.examples.items():
            both = self.examples.get(error, []) + examples
            self.examples[error] = sorted(both, key=lambda one: float(one["t_s"]))[:EXAMPLES]

    def to_dict(self, series: bool = True) -> dict[str, Any]:
        """Return what JSON can carry; everything must be folded.

        :arg series: with the series.
        """
        return {
            "counts": [[*outcome, count.count, count.in_time, count.histogram.to_dict()]
                       for outcome, count in self.counts.items()],
            "series": self.series.to_list() if series else [],
            "examples": self.examples,
            "journeys": [[*key, number] for key, number in self.journeys.items()],
            "started_ns": self.started_ns,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Tally:
        """Return the tally that ``to_dict`` described."""
        tally = cls(data["started_ns"])
        for kind, status, error, header, number, in_time, histogram in data["counts"]:
            count = tally._count(Outcome(kind, status, error, header))
            count.count, count.in_time, count.histogram = number, in_time, Histogram.from_dict(histogram)
        tally.series = Series.from_list(data["series"])
        tally.examples = dict(data["examples"])
        tally.journeys = Counter({(scenario, what, step): number for scenario, what, step, number in data["journeys"]})
        return tally
