"""Count the synapses of one pathway: sources of every target, and how far apart they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neostriatum.caching import compiled
from neostriatum.circuit.pathway import FixedIndegree
from neostriatum.network.law import FIXED, Rule, probability, rule
from neostriatum.threads import over_rows

if TYPE_CHECKING:
    from neostriatum.network.network import Network

#: Parts that the sources are cut into, whatever the threads, so that sums keep their order.
PARTS = 16


@dataclass(frozen=True)
class Tally:
    """What a pathway has: ``degrees`` int32, sources by target; ``sums`` float64 (4, 3).

    A row of ``sums`` holds the number of synapses, the sum of their distances [um] and that of
    the squares, over all targets with the marks 0, 1, 2 or 3.
    """

    degrees: np.ndarray
    sums: np.ndarray


def tally(network: Network, pathway: str, marks: np.ndarray) -> Tally:
    """Pass once over the synapses of a pathway, in parallel, without copying them.

    Parameters
    ----------
    network : Network
        Where it lies.
    pathway : str
        ``"source->target"``.
    marks : numpy.ndarray
        uint8 by target, 0 to 3; distances of those with 0 are not looked at.

    Returns
    -------
    Tally
        The same at any number of threads.
    """
    edges = network.edges[pathway]
    sources, targets = ends(network, pathway)
    count = len(edges)
    cuts = np.searchsorted(edges.offsets, np.linspace(0, count, PARTS + 1)[1:-1])
    rows = np.concatenate([[0], cuts, [len(edges.offsets) - 1]]).astype(np.int64)
    law = law_of(network, pathway)
    degrees = np.zeros((PARTS, len(targets)), np.int32)
    sums = np.zeros((PARTS, 4, 3))
    over_rows(PARTS, _pass, rows, edges.offsets, edges.targets, sources, targets, marks,
              network.side_um, images(network, law), (law.kind, law.constants, law.reach), degrees,
              sums)
    return Tally(degrees.sum(axis=0, dtype=np.int32), sums.sum(axis=0))


def ends(network: Network, pathway: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the sources and of the targets of a pathway, float32 [um]."""
    source, target = (network.populations[name] for name in pathway.split("->"))
    at = network.positions
    return at[source.start : source.stop], at[target.start : target.stop]


def law_of(network: Network, pathway: str) -> Rule:
    """Return the rule that decides which image of a pair connects; without one the nearest does."""
    circuit = network.circuit
    wiring = None if circuit is None else circuit.pathways[pathway].wiring
    if wiring is None or isinstance(wiring, FixedIndegree):
        return Rule(FIXED, np.ones(1), np.inf)
    return rule(pathway, wiring)


def images(network: Network, law: Rule) -> int:
    """Return how many images on a side a law reaches: -1 without a torus, 0 the nearest alone."""
    if not network.periodic:
        return -1
    return int(law.reach / network.side_um + 0.5) if np.isfinite(law.reach) else 0


@compiled()
def _pass(start, stop, rows, offsets, targets, sources_at, targets_at, marks, side, images_, law,
          degrees, sums):
    for part in range(start, stop):
        for source in range(rows[part], rows[part + 1]):
            for n in range(offsets[source], offsets[source + 1]):
                target = targets[n]
                degrees[part, target] += 1
                mark = marks[target]
                if mark:
                    once, twice = moments(sources_at, source, targets_at, target, side, images_,
                                          law)
                    sums[part, mark, 0] += 1.0
                    sums[part, mark, 1] += once
                    sums[part, mark, 2] += twice


@compiled()
def moments(sources, source, targets, target, side, images_, law):
    """Return the mean distance of a connected pair and of its square, over images by their law."""
    dx = np.float64(targets[target, 0]) - np.float64(sources[source, 0])
    dy = np.float64(targets[target, 1]) - np.float64(sources[source, 1])
    dz = np.float64(targets[target, 2]) - np.float64(sources[source, 2])
    if images_ >= 0:
        dx -= side * np.rint(dx / side)
        dy -= side * np.rint(dy / side)
        dz -= side * np.rint(dz / side)
    square = dx * dx + dy * dy + dz * dz
    if images_ <= 0:
        return np.sqrt(square), square
    total, once, twice = 0.0, 0.0, 0.0
    kind, constants, reach = law
    for i in range(-images_, images_ + 1):
        for j in range(-images_, images_ + 1):
            for k in range(-images_, images_ + 1):
                one = (dx + i * side) ** 2 + (dy + j * side) ** 2 + (dz + k * side) ** 2
                if one < reach * reach:
                    distance = np.sqrt(one)
                    p = probability(kind, constants, reach, distance)
                    total += p
                    once += p * distance
                    twice += p * one
    if total > 0.0:
        return once / total, twice / total
    return np.sqrt(square), square
