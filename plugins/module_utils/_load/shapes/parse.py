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
_OPTIONAL = {("rate_rps", "spike"), ("rate_rps", "soak"), ("iterations", "constant_vus"), ("spike", "spike")}

_EXAMPLES = {
    "rate_rps": "200",
    "ramping_vus": "[{duration_s: 30, vus: 50}, {duration_s: 60, vus: 50}]",
    "ramping_arrival_rate": "[{duration_s: 30, rate_rps: 200}, {duration_s: 60, rate_rps: 200}]",
    "levels": "[10, 100, 1000]",
    "spike": "{factor: 5, start_s: 20, length_s: 10}",
    "capacity": "{min_rps: 10, max_rps: 5000}",
    "iterations": "10000",
}


@dataclass(frozen=True)
class Options:
    """The options of the module that say what is sent when; see its documentation."""

    executor: str = "constant_vus"
    vus: int = 10
    rate_rps: float | None = None
    duration_s: float = 10.0
    warmup_s: float = 0.0
    stages: Sequence[Mapping[str, Any]] | None = None
    levels: Sequence[int] | None = None
    spike: Mapping[str, Any] | None = None
    capacity: Mapping[str, Any] | None = None
    iterations: int | None = None

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
    return Shape([steady("load", options.vus, options.duration_s, options.vus, arriving=False,
                         warmup_s=options.warmup_s, iterations=options.iterations or 0)])


def _constant_rate(options: Options) -> Shape:
    return Shape([steady("load", options.rate_rps or 0.0, options.duration_s, options.vus, arriving=True,
                         warmup_s=options.warmup_s)])


def _ramping_vus(options: Options) -> Shape:
    stages = _stages(options, "vus")
    return Shape([ramp(stages, round(max(level for _duration, level in stages)), arriving=False)])


def _ramping_rate(options: Options) -> Shape:
    return Shape([ramp(_stages(options, "rate_rps"), options.vus, arriving=True)])


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


_SHAPES: Mapping[str, Callable[[Options], Shape]] = {
    "constant_vus": _constant_vus,
    "ramping_vus": _ramping_vus,
    "constant_arrival_rate": _constant_rate,
    "ramping_arrival_rate": _ramping_rate,
}
