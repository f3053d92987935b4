"""Probability of a connection against distance, as numbers that a compiled loop can use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.circuit.laws import laws
from neostriatum.circuit.pathway import DistanceLaw, FixedProbability

if TYPE_CHECKING:
    from neostriatum.circuit.pathway import Pairwise

DISTANCE, BINS, FIXED = 0, 1, 2


@dataclass(frozen=True)
class Rule:
    """A wiring rule: its kind, its constants, the distance [um] beyond which it is 0."""

    kind: int
    constants: np.ndarray
    reach: float

    def __call__(self, distance_um: float) -> float:
        """Return the probability at ``distance_um`` [um]."""
        return float(probability(self.kind, self.constants, self.reach, float(distance_um)))

    def ceilings(self) -> np.ndarray:
        """Return upper bounds of the probability from each whole um to the next, shape (reach,)."""
        whole = np.arange(np.ceil(self.reach)) if np.isfinite(self.reach) else np.zeros(1)
        edges = np.array([self(d) for d in (*whole, min(self.reach, whole[-1] + 1))])
        tops = np.maximum(edges[:-1], edges[1:])
        if self.kind == BINS:
            half = self.constants.size // 2
            inside = np.searchsorted(self.constants[:half], whole, side="right")
            tops = np.maximum(tops, self.constants[half:][np.minimum(inside, half - 1)])
        return tops


def rule(wiring: DistanceLaw | Pairwise | FixedProbability) -> Rule:
    """Return the compiled form of a circuit's wiring rule."""
    if isinstance(wiring, DistanceLaw):
        law = laws()[wiring.connection]
        constants = [getattr(law, key).value for key in ("alpha", "beta", "gamma", "delta", "eta")]
        return Rule(DISTANCE, np.array([*constants, wiring.scale.value]), wiring.range.value)
    if isinstance(wiring, FixedProbability):
        return Rule(FIXED, np.array([wiring.p.value]), np.inf)
    edges = [one.below.value for one in wiring.bins]
    return Rule(BINS, np.array([*edges, *(one.p.value for one in wiring.bins)]), edges[-1])


@compiled()
def probability(kind, constants, reach, distance):
    """Return the probability at one distance; the published law above 1 is taken as 1."""
    if kind == FIXED:
        return constants[0]
    if distance >= reach:
        return 0.0
    if kind == BINS:
        half = constants.size // 2
        for n in range(half):
            if distance < constants[n]:
                return constants[half + n]
        return 0.0
    alpha, beta, gamma, delta, eta, scale = constants
    fall = 1.0 - jit.exp(-gamma * (distance - delta))
    return scale * min(1.0, jit.exp(-alpha - beta * fall * jit.exp(eta * distance)))
