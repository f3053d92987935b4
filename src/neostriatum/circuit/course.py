"""Time courses: how a rate, a current or the level of a modulator changes in time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from pydantic import Field, model_serializer, model_validator

from neostriatum.circuit.value import Frozen, Provenance, Time, measure, or_short

SHAPES = ("constant", "pulse", "ramp", "sine", "table", "steps", "square")
#: A level that changes at t has changed at every step from this long before t on [ms], so that a
#: rounded time does not put it off by a step.
EARLY = 1e-6


def time_course(name: str, unit: str, lowest: float | None = None,
                highest: float | None = None) -> Any:
    """Return the model class of a time course whose values are in ``unit`` and in bounds.

    ``name`` is what this module calls it, where pickle and its kin look a class up.
    """
    limits = {"ge": lowest, "le": highest}
    level = measure(unit, **{key: bound for key, bound in limits.items() if bound is not None})

    class Pulse(Frozen):
        base: level
        peak: level
        start: Time
        stop: Time

        @model_validator(mode="after")
        def _ordered(self) -> Pulse:
            if self.stop.value <= self.start.value:
                msg = f"stop must be after start (got {self.stop.value:g} ms)"
                raise ValueError(msg)
            return self

    class Sine(Frozen):
        mean: level
        amplitude: measure(unit)
        frequency: measure("Hz", ge=0)
        phase: measure("1") = Field(default=0.0, validate_default=True)

        @model_validator(mode="after")
        def _bounded(self) -> Sine:
            reach = abs(self.amplitude.value)
            low, high = self.mean.value - reach, self.mean.value + reach
            if (lowest is not None and low < lowest) or (highest is not None and high > highest):
                reached = f"{low:g} to {high:g}" + (f" {unit}" if unit != "1" else "")
                msg = f"mean and amplitude must stay in range (got {reached})"
                raise ValueError(msg)
            return self

    class Table(Frozen):
        times: tuple[Time, ...]
        values: tuple[level, ...]

        @model_validator(mode="after")
        def _paired(self) -> Table:
            times = [time.value for time in self.times]
            if len(times) != len(self.values) or not times:
                msg = f"needs as many values as times (got {len(times)} and {len(self.values)})"
                raise ValueError(msg)
            if any(b <= a for a, b in pairwise(times)):
                msg = "times must rise"
                raise ValueError(msg)
            return self

    class Square(Frozen):
        low: level
        high: level
        frequency: measure("Hz", gt=0)
        duty: measure("1", gt=0, lt=1) = Field(default=0.5, validate_default=True)
        start: measure("ms") = Field(default="0 ms", validate_default=True)

        @model_validator(mode="after")
        def _ordered(self) -> Square:
            if self.high.value < self.low.value:
                msg = f"high must be at least low (got {self.high.value:g} and {self.low.value:g})"
                raise ValueError(msg)
            return self

    class TimeCourse(Provenance):
        constant: level | None = None
        pulse: Pulse | None = None
        ramp: Pulse | None = None
        sine: Sine | None = None
        table: Table | None = None
        steps: Table | None = None
        square: Square | None = None

        @model_validator(mode="before")
        @classmethod
        def _short(cls, raw: Any) -> Any:
            if isinstance(raw, dict) and "value" in raw:
                return {"constant": raw["value"], **{k: v for k, v in raw.items() if k != "value"}}
            return raw if isinstance(raw, (dict, TimeCourse)) else {"constant": raw}

        @model_validator(mode="after")
        def _one_shape(self) -> TimeCourse:
            given = [shape for shape in SHAPES if getattr(self, shape) is not None]
            if len(given) != 1:
                msg = f"must be one of {', '.join(SHAPES)} (got {', '.join(given) or 'none'})"
                raise ValueError(msg)
            return self

        @classmethod
        def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
            return or_short(handler, core_schema, level)

        @model_serializer(mode="wrap")
        def _brief(self, handler: Any) -> Any:
            return {key: said for key, said in handler(self).items() if said is not None}

        @property
        def is_constant(self) -> bool:
            """Whether the value never changes."""
            return self.constant is not None

        @property
        def horizon_ms(self) -> float | None:
            """Time after which the value no longer changes [ms]; None for a sine or a square."""
            if listed := self.table or self.steps:
                return listed.times[-1].value
            shape = self.pulse or self.ramp
            return shape.stop.value if shape else (0.0 if self.is_constant else None)

        @property
        def lowest(self) -> float:
            """Lowest value that it may reach [unit]."""
            return min(self._bounds())

        @property
        def highest(self) -> float:
            """Highest value that it may reach [unit]."""
            return max(self._bounds())

        def _bounds(self) -> list[float]:
            if self.constant is not None:
                return [self.constant.value]
            if self.sine is not None:
                mean, reach = self.sine.mean.value, abs(self.sine.amplitude.value)
                return [mean - reach, mean + reach]
            if listed := self.table or self.steps:
                return [value.value for value in listed.values]
            if self.square is not None:
                return [self.square.low.value, self.square.high.value]
            shape = self.pulse or self.ramp
            return [shape.base.value, shape.peak.value]

        def at(self, times_ms: Any) -> np.ndarray:
            """Return the values at ``times_ms`` (from the end of the warm-up) [unit]."""
            times = np.asarray(times_ms, dtype=float)
            if self.constant is not None:
                return np.full(times.shape, self.constant.value)
            if self.sine is not None:
                angle = 2 * np.pi * self.sine.frequency.value * times / 1000.0
                wave = np.sin(angle + self.sine.phase.value)
                return self.sine.mean.value + self.sine.amplitude.value * wave
            if self.table is not None:
                points = [time.value for time in self.table.times]
                return np.interp(times, points, [value.value for value in self.table.values])
            if self.steps is not None:
                points = [time.value - EARLY for time in self.steps.times]
                place = np.searchsorted(points, times, side="right") - 1
                values = np.array([value.value for value in self.steps.values])
                return values[np.maximum(place, 0)]
            if self.square is not None:
                wave = self.square
                since = times - wave.start.value + EARLY
                turns = since * wave.frequency.value / 1000.0
                high = (since >= 0) & (turns - np.floor(turns) >= 1.0 - wave.duty.value)
                return np.where(high, wave.high.value, wave.low.value)
            shape = self.pulse or self.ramp
            start, stop = shape.start.value, shape.stop.value
            if self.pulse is not None:
                inside = (times >= start - 1e-9) & (times < stop - 1e-9)
                return np.where(inside, shape.peak.value, shape.base.value)
            return np.interp(times, [start, stop], [shape.base.value, shape.peak.value])

    TimeCourse.__doc__ = f"A time course in {unit}: exactly one of {', '.join(SHAPES)}."
    TimeCourse.__qualname__ = TimeCourse.__name__ = name
    for part in (Pulse, Sine, Table, Square):
        part.__qualname__ = f"{name}.{part.__name__}"
        setattr(TimeCourse, part.__name__, part)
    return TimeCourse


RateCourse = time_course("RateCourse", "Hz", 0.0)
CurrentCourse = time_course("CurrentCourse", "pA", -1e6, 1e6)
LevelCourse = time_course("LevelCourse", "1", 0.0, 1.0)
AmountCourse = time_course("AmountCourse", "1", 0.0, 1e6)
