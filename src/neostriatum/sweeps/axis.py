"""One thing that a sweep varies, and the values that it takes.

In: what a sweep file says below ``[vary]``: a list, a range, or a table. Out: an `Axis`.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from neostriatum.circuit.plain import plain
from neostriatum.circuit.value import Frozen
from neostriatum.errors import InputError, shown
from neostriatum.units import quantity, text, whole_number

#: Most values of one axis; the number of points has the same bound.
MAX_POINTS = 10_000
#: Keys that are options of a run; every other is a key of the circuit.
OPTIONS = ("size", "duration", "dt", "dopamine", "d1", "d2", "overlay")

_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?)\s*(.*)")


def split(value: Any) -> tuple[float, str] | None:
    """Return number and unit of a plain value of a circuit; None if it is none.

    Examples
    --------
    >>> split("0.9 nS"), split(250), split("periodic")
    ((0.9, 'nS'), (250.0, ''), None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value), ""
    found = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    return (float(found[1]), found[2].strip()) if found else None


def spaced(start: Any, stop: Any, number: int) -> list[Any]:
    """Return ``number`` values from ``start`` to ``stop``, both included, equally far apart.

    They have the unit of ``start`` and are rounded to 12 digits.

    Raises
    ------
    ValueError
        Ends that are no numbers, or of different dimensions; a number of values out of range.

    Examples
    --------
    >>> spaced("0.5 nS", "1 nS", 3), spaced(1000, 3000, 3), spaced(0, 1, 3)
    (['0.5 nS', '0.75 nS', '1.0 nS'], [1000, 2000, 3000], [0.0, 0.5, 1.0])
    """
    number = whole_number("number", number, 1, MAX_POINTS, InputError)
    first = split(start)
    if first is None:
        msg = f'start: must be a number, or one with its unit, "1 nS" (got {shown(start)})'
        raise ValueError(msg)
    low, unit = first
    try:
        high = quantity(stop, unit or "1")
        quantity(start, unit or "1")
    except ValueError as error:
        msg = f"stop: {error} (got {shown(stop)} after {shown(start)})"
        raise ValueError(msg) from None
    steps = max(1, number - 1)
    found = [float(f"{low + (high - low) * n / steps:.12g}") for n in range(number)]
    if unit:
        return [text(one, unit) for one in found]
    whole = isinstance(start, int) and all(one.is_integer() for one in found)
    return [int(one) for one in found] if whole else list(found)


def _expanded(raw: Any) -> Any:
    """Turn a range into its values, an array or a pandas column into a list."""
    raw = plain(raw.to_list() if hasattr(raw, "to_list") else raw)
    if not isinstance(raw, dict):
        return raw
    keys = {"start", "stop", "number"}
    if what := next((f"unknown key {shown(one)}" for one in raw if one not in keys),
                    next((f"{one} is missing" for one in sorted(keys - set(raw))), None)):
        msg = f"a range has start, stop and number ({what})"
        raise ValueError(msg)
    return spaced(**raw)


def stored(value: Any) -> str:
    """Return a value as the folder of a sweep keeps it; raise ValueError if it cannot."""
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError):
        msg = f"must be plain finite numbers, texts, lists or tables (got {shown(value)})"
        raise ValueError(msg) from None


def _different(values: tuple[Any, ...]) -> tuple[Any, ...]:
    found: list[str] = []
    for one in values:
        found.append(stored(one))
        if found.count(found[-1]) > 1:
            msg = f"must differ from each other (got {shown(one)} twice)"
            raise ValueError(msg)
    return values


Values = Annotated[tuple[Any, ...], Field(min_length=1, max_length=MAX_POINTS),
                   BeforeValidator(_expanded)]


class Axis(Frozen):
    """What varies together: one key, several keys by one factor, or several keys in step."""

    key: str | None = None
    factor: tuple[str, ...] | None = Field(default=None, min_length=1)
    together: dict[str, Values] | None = Field(default=None, min_length=1)
    values: Values | None = None

    @field_validator("values")
    @classmethod
    def _distinct(cls, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        return None if values is None else _different(values)

    @model_validator(mode="after")
    def _one_kind(self) -> Axis:
        if sum(one is not None for one in (self.key, self.factor, self.together)) != 1:
            msg = "must have one of key, factor and together"
            raise ValueError(msg)
        if self.together is not None:
            lengths = sorted({len(values) for values in self.together.values()})
            if self.values is not None or len(lengths) > 1:
                what = f"got {lengths[0]} and {lengths[-1]}" if len(lengths) > 1 else "got values"
                msg = f"together: must hold lists of one length, and no values ({what})"
                raise ValueError(msg)
            _different(tuple(zip(*self.together.values(), strict=True)))
        elif self.values is None:
            msg = "values is missing"
            raise ValueError(msg)
        for one in self.values or () if self.factor else ():
            if isinstance(one, bool) or not isinstance(one, (int, float)):
                msg = f"values: must be numbers, as they are factors (got {shown(one)})"
                raise ValueError(msg)
        if len(set(self.keys)) < len(self.keys):
            msg = "must name every key once"
            raise ValueError(msg)
        return self

    @property
    def kind(self) -> Literal["key", "factor", "together"]:
        """Which of the three it is."""
        return "key" if self.key is not None else "factor" if self.factor else "together"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that it changes."""
        return (self.key,) if self.key is not None else tuple(self.factor or self.together or ())

    def __len__(self) -> int:
        return len(self.values or next(iter((self.together or {}).values())))

    def at(self, n: int) -> dict[str, Any]:
        """Return {key: value} of position ``n``; of a factor the same factor for every key."""
        if self.together is not None:
            return {key: values[n] for key, values in self.together.items()}
        return dict.fromkeys(self.keys, (self.values or ())[n])
