"""Modulators: levels in time, by name, and how strongly a cell hears one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from neostriatum.circuit.course import AmountCourse, LevelCourse
from neostriatum.circuit.value import Frozen, measure

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The two levels that every circuit has, by their older keys: ``[dopamine] d1, d2``.
DOPAMINE = {"D1": "d1", "D2": "d2"}
Amount = measure("1", ge=0, le=1e6)


class Curve(Frozen):
    """A saturating response, ``f = h(level) - h(reference)``, ``h(x) = x^n / (x^n + half^n)``.

    ``n`` is ``order``; without a ``reference`` of its own that of the modulator holds.
    """

    half: measure("1", gt=0, le=1e6)
    order: measure("1", gt=0, le=20) = Field(default=1.0, validate_default=True)
    reference: Amount | None = None


class Modulator(Frozen):
    """A level in time, 0 or above; what it acts on sees ``level - reference``."""

    level: AmountCourse | None = None
    reference: Amount = Field(default=0.0, validate_default=True)

    def heard(self, level: Any, curve: Curve | None) -> Any:
        """Return how strongly an effect with this curve, or none, hears the modulator."""
        if curve is None:
            return level - self.reference.value
        half, order = curve.half.value, curve.order.value
        nothing = curve.reference if curve.reference is not None else self.reference
        return hill(level, half, order) - hill(nothing.value, half, order)


class Activation(Modulator):
    """The activation of D1 or D2 receptors by dopamine, 0 (none) to 1 (all)."""

    level: LevelCourse | None = None
    reference: measure("1", ge=0, le=1) = Field(default=0.0, validate_default=True)


def hill(level: Any, half: float, order: float) -> Any:
    """Return ``x^n / (x^n + half^n)``, the same bits for one level and for an array of them.

    Examples
    --------
    >>> float(hill(2.0, half=2.0, order=4.0)), float(hill(0.0, half=2.0, order=1.0))
    (0.5, 0.0)
    """
    x = np.asarray(level, float)
    # A power of one number alone is another function of NumPy than that of an array.
    power = np.power(np.atleast_1d(x), order)
    share = power / (power + np.power(np.full(1, half), order))
    return share.reshape(x.shape)[()]


def others(levels: Mapping[str, float]) -> str:
    """Return the levels beside those of dopamine as the end of a line.

    Examples
    --------
    >>> others({"D1": 0.3, "D2": 0.3, "ACh": 2.0})
    ', ACh 2'
    """
    return "".join(f", {name} {level:g}" for name, level in levels.items() if name not in DOPAMINE)
