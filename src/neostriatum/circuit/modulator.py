"""Modulators: levels in time, by name, and how strongly a cell hears one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, model_serializer, model_validator

from neostriatum import rng
from neostriatum.circuit.course import AmountCourse, LevelCourse, RateCourse
from neostriatum.circuit.value import NAME, Frozen, PositiveTime, Time, measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The two levels that every circuit has, by their older keys: ``[dopamine] d1, d2``.
DOPAMINE = {"D1": "d1", "D2": "d2"}
#: Below this a level is 0 for a power of it.
TINY = 1e-300
#: The largest level of a modulator.
HIGHEST = 1e6
Amount = measure("1", ge=0, le=HIGHEST)
Concentration = measure("nM", gt=0, le=1e9)
_Name = Annotated[str, Field(pattern=NAME)]
#: What clamps no longer: a computed level is let go by it.
FREE = "free"
#: How a level is computed: the key that says so, and the keys that belong to it.
KINDS = {
    "uptake": ("uptake", "per_spike", "rate", "released_by", "tonic", "delay"),
    "released_by": ("released_by", "tonic", "tau", "delay"),
    "follows": ("follows", "tau"),
    "occupied_by": ("occupied_by", "ec50", "k_off", "full"),
}
#: Keys that may be left out.
_OPTIONAL = ("full",)


class Curve(Frozen):
    """A saturating response, ``f = h(level) - h(reference)``, ``h(x) = x^n / (x^n + half^n)``.

    ``n`` is ``order``; without a ``reference`` of its own that of the modulator holds.
    """

    half: measure("1", gt=0, le=1e6)
    order: measure("1", gt=0, le=20) = Field(default=1.0, validate_default=True)
    reference: Amount | None = None


class Uptake(Frozen):
    """Michaelis-Menten uptake, ``v_max c / (k_m + c)``."""

    v_max: measure("nM/s", gt=0, le=1e9)
    k_m: Concentration


class Modulator(Frozen):
    """A level in time, 0 or above; what it acts on sees ``level - reference``.

    The cells of a channel may hear another one, that of their region. A level is given, or computed
    while a run goes on: released by the spikes of a cell type, a low-pass of another level, a
    concentration [nM], or the occupancy of a receptor by one. A computed level with a ``level`` is
    clamped to it.
    """

    level: AmountCourse | None = None
    #: Levels that the cells of channels hear instead, by channel.
    regions: dict[_Name, AmountCourse] = Field(default_factory=dict)
    reference: Amount = Field(default=0.0, validate_default=True)
    released_by: str | None = None
    #: Rate of every releasing cell at which the level is 1 in the mean.
    tonic: measure("Hz", gt=0, le=1e4) | None = None
    tau: PositiveTime | None = None
    #: From a spike to the step that hears it.
    delay: Time | None = None
    follows: str | None = None
    #: Mean rate of the releasing neurons, where these are not simulated.
    rate: RateCourse | None = None
    #: What a spike of each of the releasing neurons adds together.
    per_spike: Concentration | None = None
    uptake: Uptake | None = None
    occupied_by: str | None = None
    ec50: Concentration | None = None
    k_off: measure("Hz", gt=0, le=1e6) | None = None
    #: Occupancy at which the level is 1.
    full: measure("1", gt=0, le=1) | None = None

    @model_validator(mode="before")
    @classmethod
    def _let_go(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        level = raw.get("level")
        if level != FREE and not (isinstance(level, dict) and level.get("value") == FREE):
            return raw
        if not is_computed(raw):
            msg = f'level: only a computed level can be let go (got "{FREE}"). Give a level'
            raise ValueError(msg)
        return {key: value for key, value in raw.items() if key != "level"}

    @model_validator(mode="after")
    def _complete(self) -> Modulator:
        given = {key for keys in KINDS.values() for key in keys if getattr(self, key) is not None}
        kind = self.kind
        if kind is None:
            if given:
                msg = (f"{min(given)} belongs to a computed level. Give one of "
                       f"{', '.join(KINDS)}, or level alone")
                raise ValueError(msg)
            return self
        if kind == "uptake" and (self.rate is None) == (self.released_by is None):
            got = "none" if self.rate is None else "both"
            msg = f"uptake needs one of rate and released_by (got {got})"
            raise ValueError(msg)
        if self.regions:
            msg = f"regions need a level that is given, and this has {kind}. Leave one of them out"
            raise ValueError(msg)
        own = KINDS[kind]
        if kind == "uptake":
            own = own[:3] if self.released_by is None else (*own[:2], *own[3:])
        if missing := [key for key in own if key not in given and key not in _OPTIONAL]:
            msg = f"{kind} needs {' and '.join(missing)}"
            raise ValueError(msg)
        if more := sorted(given - set(own)):
            msg = f"{kind} takes no {more[0]}. Leave it out"
            raise ValueError(msg)
        return self

    def __hash__(self) -> int:
        return hash((*(value for name, value in self if name != "regions"), *self.regions.items()))

    @property
    def kind(self) -> str | None:
        """How the level is computed, one of `KINDS`; None where it is given."""
        return next((key for key in KINDS if getattr(self, key) is not None), None)

    @property
    def is_free(self) -> bool:
        """Whether the level is computed and not clamped."""
        return self.kind is not None and self.level is None

    def heard(self, level: Any, curve: Curve | None) -> Any:
        """Return how strongly an effect with this curve, or none, hears the modulator."""
        nothing = self.nothing(curve)
        if curve is None:
            return level - nothing
        return self.response(level, curve) - self.response(nothing, curve)

    def response(self, level: Any, curve: Curve | None) -> Any:
        """Return a level, or the curve of it; that of its reference is not subtracted."""
        if curve is None:
            return level
        # Compiled code has the power of a computed level to the bit.
        power = exact_power if self.kind else np.power
        return hill(level, curve.half.value, curve.order.value, power)

    def nothing(self, curve: Curve | None) -> float:
        """Return the level at which an effect with this curve does nothing."""
        own = None if curve is None else curve.reference
        return (self.reference if own is None else own).value


class Activation(Modulator):
    """The activation of D1 or D2 receptors by dopamine, 0 (none) to 1 (all)."""

    level: LevelCourse | None = None
    regions: dict[_Name, LevelCourse] = Field(default_factory=dict)
    reference: measure("1", ge=0, le=1) = Field(default=0.0, validate_default=True)


class Dopamine(Frozen):
    """Activation of D1 and D2 receptors: the older spelling of the levels of these modulators.

    None where the level is computed.
    """

    d1: LevelCourse = Field(default=0.0, validate_default=True)
    d2: LevelCourse = Field(default=0.0, validate_default=True)

    @model_serializer(mode="wrap")
    def _given(self, handler: Any) -> Any:
        given = {key for key in DOPAMINE.values() if getattr(self, key) is not None}
        return handler(self) if len(given) == len(DOPAMINE) else {
            key: getattr(self, key).model_dump(mode="json", exclude_none=True) for key in given}


def is_computed(raw: Any) -> bool:
    """Return whether the data of a modulator let its level be computed."""
    return isinstance(raw, dict) and any(raw.get(key) is not None for key in KINDS)


def exact_power(x: np.ndarray, order: Any) -> np.ndarray:
    """Return ``x^order`` of numbers from 0 on: the same bits on every machine.

    Examples
    --------
    >>> exact_power(np.array([0.0, 3.0]), 2.0).round(12).tolist()
    [0.0, 9.0]
    """
    return np.where(x > TINY, rng.exp(order * rng.log(np.maximum(x, TINY))), 0.0)


def hill(level: Any, half: float, order: float, power: Any = np.power) -> Any:
    """Return ``x^n / (x^n + half^n)``, the same bits for one level and for an array of them.

    Examples
    --------
    >>> float(hill(2.0, half=2.0, order=4.0)), float(hill(0.0, half=2.0, order=1.0))
    (0.5, 0.0)
    """
    x = np.asarray(level, float)
    # A power of one number alone is another function of NumPy than that of an array.
    above = power(np.atleast_1d(x), order)
    share = above / (above + power(np.full(1, half), order))
    return share.reshape(x.shape)[()]


def dopamine(levels: Mapping[str, float | None]) -> str:
    """Return the levels of dopamine as a person reads them, by their older keys.

    Examples
    --------
    >>> dopamine({"d1": 0.3, "d2": None})
    'D1 0.3, D2 computed'
    """
    return ", ".join(f"{name} {'computed' if levels[key] is None else format(levels[key], 'g')}"
                     for name, key in DOPAMINE.items())


def others(levels: Mapping[str, float], held: Iterable[str] = ()) -> str:
    """Return the levels beside those of dopamine as the end of a line; say which are held.

    Examples
    --------
    >>> others({"D1": 0.3, "D2": 0.3, "ACh": 2.0})
    ', ACh 2'
    """
    return "".join(f", {name} {level:.3g}{' (held)' if name in held else ''}"
                   for name, level in levels.items() if name not in DOPAMINE)
