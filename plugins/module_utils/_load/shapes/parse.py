# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of an executor, checked, to its shape."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Sequence

from ..._core.errors import InputError
from .base import Shape, ramp, steady

#: What takes each option that not all executors take; these also need it, unless it is in ``_OPTIONAL``.
_TAKES = {
    "rate_rps": ("constant_arrival_rate", "spike", "soak", "capacity"),
    "stages": ("ramping_vus", "ramping_arrival_rate"),
    "levels": ("step",),
    "spike": ("spike",),
    "capacity": ("capacity",),
    "iterations": ("constant_vus",),
}
_OPTIONAL = {("rate_rps", "spike"), ("rate_rps", "soak"), ("iterations", "constant_vus"), ("spike", "spike"),
             ("capacity", "capacity")}

_EXAMPLES = {
    "rate_rps": "200",
    "ramping_vus": "[{duration_s: 30, vus: 50}, {duration_s: 60, vus: 50}]",
    "ramping_arrival_rate": "[{duration_s: 30, rate_rps: 200}, {duration_s: 60, rate_rps: 200}]",
    "levels": "[10, 100, 1000]",
    "spike": "{factor: 5, start_s: 20, length_s: 10}",
    "capacity": "{min_rps: 10, max_rps: 5000}",
    "iterations": "10000",
}


#: Connections of arrivals when nobody says how many: so many, or as many as answers that take so long need at the rate
#: (Little's law), but no more than most servers bear.
LEAST_CONNECTIONS, MOST_CONNECTIONS, BORNE_S = 10, 1000, 2.0


@dataclass(frozen=True)
class Options:
    """The options of the module that say what is sent when; see its documentation."""

    executor: str = "constant_vus"
    vus: int | None = None
    rate_rps: float | None = None
    duration_s: float = 10.0
    warmup_s: float = 0.0
    stages: Sequence[Mapping[str, Any]] | None = None
    levels: Sequence[int] | None = None
    spike: Mapping[str, Any] | None = None
    capacity: Mapping[str, Any] | None = None
    iterations: int | None = None

    @property
    def users(self) -> int:
        """How many users there are, or connections that the arrivals share at least."""
        return self.vus or LEAST_CONNECTIONS

    def connections(self, rate_rps: float) -> int:
        """Return how many connections arrivals at a rate may use: enough for answers that take :data:`BORNE_S`."""
        return self.vus or min(MOST_CONNECTIONS, max(LEAST_CONNECTIONS, math.ceil(rate_rps * BORNE_S)))

    def shape(self) -> Shape:
        """Return what the executor sends.

        :raises InputError: when an option is missing, out of range or not for this executor.
        """
        make = _SHAPES.get(self.executor)
        if make is None:
            raise InputError("executor", self.executor, f"one of {', '.join(_SHAPES)}", "constant_vus")
        for name, takers in _TAKES.items():
            value, wanted = getattr(self, name), self.executor in takers
            example = _EXAMPLES.get(name) or _EXAMPLES.get(self.executor, "")
            if value is not None and not wanted:
                raise InputError(name, value, f"nothing with the executor {self.executor}", f"executor: {takers[0]}")
            if value is None and wanted and (name, self.executor) not in _OPTIONAL:
                raise InputError(name, value, f"a value with the executor {self.executor}", example)
        at_least("duration_s", self.duration_s, 0.1, "10")
        at_least("warmup_s", self.warmup_s, 0, "2")
        if self.vus is not None:
            at_least("vus", self.vus, 1, "10")
        if self.rate_rps is not None:
            above_zero("rate_rps", self.rate_rps, _EXAMPLES["rate_rps"])
        return make(self)


def at_least(name: str, value: float, least: float, example: str) -> None:
    """Require a number.

    :raises InputError: when it is lower, infinite or none.
    """
    if not least <= value < math.inf:
        raise InputError(name, value, f"{least} or more", example)


def above_zero(name: str, value: float, example: str) -> None:
    """Require a number above 0.

    :raises InputError: when it is none.
    """
    if not 0 < value < math.inf:
        raise InputError(name, value, "a number above 0", example)


def _constant_vus(options: Options) -> Shape:
    if options.iterations is not None:
        at_least("iterations", options.iterations, 1, _EXAMPLES["iterations"])
    return Shape([steady("load", options.users, options.duration_s, options.users, arriving=False,
                         warmup_s=options.warmup_s, iterations=options.iterations or 0)])


def _constant_rate(options: Options) -> Shape:
    rate_rps = options.rate_rps or 0.0
    return Shape([steady("load", rate_rps, options.duration_s, options.connections(rate_rps), arriving=True,
                         warmup_s=options.warmup_s)])


def _ramping_vus(options: Options) -> Shape:
    stages = _stages(options, "vus")
    return Shape([ramp(stages, round(max(level for _duration, level in stages)), arriving=False)])


def _ramping_rate(options: Options) -> Shape:
    stages = _stages(options, "rate_rps")
    return Shape([ramp(stages, options.connections(max(level for _duration, level in stages)), arriving=True)])


def _stages(options: Options, unit: str) -> list[tuple[float, float]]:
    """Return the stages as duration and level."""
    example = _EXAMPLES[options.executor]
    if options.warmup_s:
        raise InputError("warmup_s", options.warmup_s, f"nothing with the executor {options.executor}, whose stages "
                         "say everything", example)
    stages = []
    for number, stage in enumerate(options.stages or ()):
        where = f"stages[{number}]"
        given = {name: value for name, value in stage.items() if value is not None}
        if set(given) != {"duration_s", unit}:
            raise InputError(where, given, f"duration_s and {unit}", example)
        at_least(f"{where}.duration_s", given["duration_s"], 0, "30")
        at_least(f"{where}.{unit}", given[unit], 0, "50")
        stages.append((float(given["duration_s"]), float(given[unit])))
    if not any(duration for duration, _level in stages) or not any(level for _duration, level in stages):
        raise InputError("stages", options.stages, f"a stage that takes time and one with {unit} above 0", example)
    return stages


def _step(options: Options) -> Shape:
    from .step import Step

    levels, example = list(options.levels or ()), _EXAMPLES["levels"]
    if len(levels) < 2 or levels[0] < 1 or sorted(set(levels)) != levels:
        raise InputError("levels", levels, "at least two numbers of users, each higher than the one before", example)
    return Step(levels, options.duration_s, options.warmup_s)


def _spike(options: Options) -> Shape:
    from .spike import LEAST_S, Spike

    given = {name: value for name, value in (options.spike or {}).items() if value is not None}
    whole, arriving = options.duration_s, options.rate_rps is not None
    factor, back = given.get("factor", 5.0), given.get("recovery_factor", 2.0)
    start, length = given.get("start_s", whole / 4), given.get("length_s", whole / 4)
    after = whole - start - length
    if not 1 < factor < math.inf:
        raise InputError("spike.factor", factor, "more than 1", "5")
    at_least("spike.recovery_factor", back, 1, "2")
    at_least("spike.start_s", start, LEAST_S, "20")
    at_least("spike.length_s", length, 0.1, "10")
    if after < LEAST_S:
        raise InputError("duration_s", whole, f"{start + length + LEAST_S:g} or more, so that {LEAST_S} s are left "
                         "after the spike", f"{2 * (start + length):g}")
    level = options.rate_rps or float(options.users)
    connections = options.connections(level * factor) if arriving else round(options.users * factor)
    return Spike(level, factor, (start, length, after), connections, arriving, options.warmup_s, back)


def _soak(options: Options) -> Shape:
    from ..statistics.drift import LEAST
    from .soak import Soak

    at_least("duration_s", options.duration_s, LEAST, "3600")
    arriving = options.rate_rps is not None
    level = options.rate_rps or options.users
    connections = options.connections(level) if arriving else options.users
    return Soak([steady("load", level, options.duration_s, connections, arriving, options.warmup_s)])


def _capacity(options: Options) -> Shape:
    from .search import CapacitySearch

    given = {name: value for name, value in (options.capacity or {}).items() if value is not None}
    first = options.rate_rps or 0.0
    least, most, precision = given.get("min_rps", 1.0), given.get("max_rps", 100_000.0), given.get("precision", 0.05)
    above_zero("capacity.min_rps", least, "10")
    above_zero("capacity.max_rps", most, "5000")
    if not 0.001 <= precision <= 1:
        raise InputError("capacity.precision", precision, "a share between 0.001 and 1", "0.05")
    if not least <= first <= most:
        raise InputError("rate_rps", first, f"a first rate between min_rps = {least:g} and max_rps = {most:g}",
                         f"{math.sqrt(least * most):.3g}")
    return CapacitySearch((first, least, most), precision, options.connections(first), options.duration_s,
                          options.warmup_s)


_SHAPES: Mapping[str, Callable[[Options], Shape]] = {
    "constant_vus": _constant_vus,
    "ramping_vus": _ramping_vus,
    "constant_arrival_rate": _constant_rate,
    "ramping_arrival_rate": _ramping_rate,
    "step": _step,
    "spike": _spike,
    "soak": _soak,
    "capacity": _capacity,
}
