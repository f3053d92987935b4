"""Encoders: what is seen, as rates of populations of axons while the cue is on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

from neostriatum.errors import CircuitError, shown


class Encoder(Protocol):
    """A pure function from an observation to rates [Hz] of named populations of axons."""

    populations: tuple[str, ...]

    def rates(self, observation: Any) -> dict[str, float]:
        """Return the rate of every population while the cue is on [Hz]."""


@dataclass(frozen=True)
class OneHot:
    """A population for every value, or for every element of a vector of zeros and ones.

    ``high`` is the rate of what is shown, ``low`` that of the rest [Hz].
    """

    populations: tuple[str, ...]
    high: float = 8.0
    low: float = 0.5

    def __post_init__(self) -> None:
        if isinstance(self.populations, str) or not self.populations:
            msg = ("encoder: populations must be a tuple of names of axons "
                   f"(got {shown(self.populations)})")
            raise CircuitError(msg)

    def rates(self, observation: Any) -> dict[str, float]:
        """Return the rate of every population [Hz]."""
        n = len(self.populations)
        if isinstance(observation, list):
            if len(observation) != n:
                _refuse(f"must have {n} elements, one per population", observation)
            active = [value > 0 for value in observation]
        else:
            if not isinstance(observation, int) or not 0 <= observation < n:
                _refuse(f"must be a whole number below {n}, the populations", observation)
            active = [k == observation for k in range(n)]
        return {name: self.high if on else self.low
                for name, on in zip(self.populations, active, strict=True)}


@dataclass(frozen=True)
class Gaussian:
    """Populations tuned to values between ``lowest`` and ``highest``, equally far apart.

    The rate is low + (high - low) exp(-(x - centre)^2 / (2 width^2)) [Hz].
    """

    populations: tuple[str, ...]
    lowest: float
    highest: float
    width: float
    high: float = 8.0
    low: float = 0.5

    def __post_init__(self) -> None:
        if not (self.lowest < self.highest and self.width > 0):
            msg = (f"encoder: lowest must be below highest and width above 0 (got {self.lowest:g}, "
                   f"{self.highest:g}, {self.width:g})")
            raise CircuitError(msg)

    def rates(self, observation: Any) -> dict[str, float]:
        """Return the rate of every population [Hz]."""
        value = observation[0] if isinstance(observation, list) and len(observation) == 1 \
            else observation
        if not isinstance(value, (int, float)):
            _refuse("must be one number", observation)
        n = len(self.populations)
        step = (self.highest - self.lowest) / max(1, n - 1)
        rates = {}
        for k, name in enumerate(self.populations):
            away = (value - (self.lowest + k * step)) / self.width
            rates[name] = self.low + (self.high - self.low) * math.exp(-away * away / 2)
        return rates


@dataclass(frozen=True)
class Table:
    """Rates by value: ``{observation: {population: rate [Hz]}}``."""

    rows: dict[Any, dict[str, float]]
    populations: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = dict.fromkeys(name for row in self.rows.values() for name in row)
        object.__setattr__(self, "populations", tuple(names))

    def rates(self, observation: Any) -> dict[str, float]:
        """Return the rates of a value [Hz]; 0 for populations that its row does not name."""
        key = tuple(observation) if isinstance(observation, list) else observation
        if key not in self.rows:
            _refuse("must be in the table", observation)
        return dict.fromkeys(self.populations, 0.0) | self.rows[key]


def checked_rates(encoder: Any, observation: Any) -> dict[str, float]:
    """Return what an encoder makes of an observation, refused where it is no table of rates.

    Raises
    ------
    CircuitError
        It raises, names another population, or gives a rate that is none.
    """
    try:
        rates = dict(encoder.rates(observation))
        numbers = {str(name): float(rate) for name, rate in rates.items()}
    except CircuitError:
        raise
    except Exception as error:
        msg = f"encoder: must give rates (got {type(error).__name__}: {shown(error)})"
        raise CircuitError(msg) from None
    for name, rate in numbers.items():
        if name not in encoder.populations or not (math.isfinite(rate) and rate >= 0):
            msg = f"encoder: must give rates from 0 Hz on of its populations (got {name}: {rate})"
            raise CircuitError(msg)
    return numbers


def _refuse(rule: str, observation: Any) -> None:
    msg = f"encoder: an observation {rule} (got {shown(observation)})"
    raise CircuitError(msg)
