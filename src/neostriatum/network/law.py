"""Probability of a connection against distance, as numbers that a compiled loop can use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.circuit.laws import laws
from neostriatum.circuit.measured import measured
from neostriatum.circuit.pathway import DistanceLaw, FixedProbability, Measured
from neostriatum.errors import BuildError

if TYPE_CHECKING:
    from neostriatum.circuit.pathway import PairRule

DISTANCE, BINS, FIXED = 0, 1, 2
#: Rounding of a law between two whole um, against which its bounds are kept safe.
_SAFE = 1e-9
#: Of the integral over a stretch of the law.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


@dataclass(frozen=True)
class Rule:
    """A wiring rule: its kind, its constants, the distance [um] beyond which it is 0."""

    kind: int
    constants: np.ndarray
    reach: float

    def __call__(self, distance_um: float) -> float:
        """Return the probability at ``distance_um`` [um]."""
        return float(probability(self.kind, self.constants, self.reach, float(distance_um)))

    def at(self, distances_um: np.ndarray) -> np.ndarray:
        """Return the probabilities at many distances [um]."""
        return probabilities(self.kind, self.constants, self.reach,
                             np.asarray(distances_um, np.float64))

    def checked(self, where: str) -> Rule:
        """Return the rule, or raise BuildError where it is no probability."""
        whole = np.arange(np.ceil(self.reach)) if np.isfinite(self.reach) else np.zeros(1)
        finite = np.isfinite(self.constants).all()
        p = self.at(whole) if finite else np.full(len(whole), np.nan)
        for bad in np.flatnonzero(~(p >= 0))[:1]:
            msg = (f"{where}: must be a probability at every distance "
                   f"(got {p[bad]:g} at {whole[bad]:g} um)")
            raise BuildError(msg)
        return self

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the least and the most probability from each whole um to the next."""
        if self.kind == FIXED:
            return self.constants.copy(), self.constants.copy()
        whole = np.arange(np.ceil(self.reach))
        if self.kind == BINS:
            half = self.constants.size // 2
            edges, p = self.constants[:half], self.constants[half:]
            first = np.searchsorted(edges, whole, side="right")
            last = np.searchsorted(edges, np.minimum(whole + 1, self.reach), side="left")
            spans = [p[a : max(a, b) + 1] for a, b in zip(first, last, strict=True)]
            return (np.array([one.min() for one in spans]), np.array([one.max() for one in spans]))
        # The law falls with distance; at its reach the cut makes the lower bound 0.
        edges = self.at(np.append(whole, min(self.reach, whole[-1] + 1)))
        return (np.minimum(edges[:-1], edges[1:]) * (1 - _SAFE),
                np.maximum(edges[:-1], edges[1:]) * (1 + _SAFE))

    def envelope(self) -> np.ndarray:
        """Return the most that the law can be from each whole um on; it never rises."""
        return np.maximum.accumulate(self.bounds()[1][::-1])[::-1].copy()

    def partners(self, beyond: float = 0.0) -> float:
        """Return the law's integral over the space from ``beyond`` [um] on, in um^3."""
        breaks = [beyond, self.reach]
        if self.kind == BINS:
            breaks += [edge for edge in self.constants[: self.constants.size // 2] if edge > beyond]
        edges = np.array(sorted({*breaks, *np.arange(np.ceil(beyond), self.reach, 10.0)}))
        edges = edges[edges >= beyond]
        half, middle = 0.5 * np.diff(edges), 0.5 * (edges[:-1] + edges[1:])
        r = half[:, None] * _NODES + middle[:, None]
        p = np.minimum(1.0, self.at(r.ravel())).reshape(r.shape)
        return float(sum(half * (_WEIGHTS * 4.0 * np.pi * r * r * p).sum(axis=1)))


def rule(name: str, wiring: PairRule) -> Rule:
    """Return the compiled form of the wiring rule of the pathway or gap junction ``name``."""
    where = f"{'pathways' if '->' in name else 'gap_junctions'}.{name}.wiring"
    if isinstance(wiring, DistanceLaw):
        law = laws()[wiring.connection]
        constants = [getattr(law, key).value for key in ("alpha", "beta", "gamma", "delta", "eta")]
        made = Rule(DISTANCE, np.array([*constants, wiring.scale.value]), wiring.range.value)
        return made.checked(where)
    if isinstance(wiring, FixedProbability):
        return Rule(FIXED, np.array([wiring.p.value]), np.inf).checked(where)
    bins = measured()[wiring.table][name] if isinstance(wiring, Measured) else wiring.bins
    edges = [one.below.value for one in bins]
    return Rule(BINS, np.array([*edges, *(one.p.value for one in bins)]), edges[-1]).checked(where)


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


@compiled()
def probabilities(kind, constants, reach, distances):
    """Return the probability at each of many distances."""
    p = np.empty(distances.size)
    for n in range(distances.size):
        p[n] = probability(kind, constants, reach, distances[n])
    return p
