"""How often pairs are connected, by distance: counted, and as their law has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neostriatum.analysis.tally import ends, images, law_of
from neostriatum.caching import compiled
from neostriatum.circuit.pathway import FixedIndegree
from neostriatum.errors import CircuitError, shown
from neostriatum.network.law import probability
from neostriatum.threads import over_rows
from neostriatum.units import plain_numbers

if TYPE_CHECKING:
    from neostriatum.network.network import Network

#: Pairs that are looked at unless the caller wants others.
PAIRS = 4_000_000
#: Parts that the sources are cut into, whatever the threads.
_PARTS = 16


@dataclass(frozen=True)
class Profile:
    """Pairs by distance to the nearest image; ``edges_um`` (n + 1,), everything else (n,).

    ``connected`` of ``pairs`` have a synapse; the law makes that ``expected``, with ``variance``,
    the images of a torus included (NaN for a rule that is no law). ``mean_um`` is their distance.
    """

    edges_um: np.ndarray
    pairs: np.ndarray
    connected: np.ndarray
    expected: np.ndarray
    variance: np.ndarray
    mean_um: np.ndarray

    @property
    def probability(self) -> np.ndarray:
        """Share of the pairs that is connected, NaN without pairs."""
        with np.errstate(invalid="ignore"):
            return self.connected / self.pairs

    @property
    def deviation(self) -> float:
        """Connections above what is expected, in standard deviations, over all distances."""
        spread = float(self.variance.sum()) ** 0.5
        return float(self.connected.sum() - self.expected.sum()) / spread if spread else 0.0


def profile(network: Network, pathway: str, edges_um: np.ndarray, pairs: int = PAIRS) -> Profile:
    """Count connected pairs of a pathway by the distance of their somas.

    Parameters
    ----------
    network : Network
        Where they lie.
    pathway : str
        ``"source->target"``.
    edges_um : numpy.ndarray
        Edges of the bins of distance [um], rising.
    pairs : int
        About how many pairs to look at: evenly spaced sources, each with all its targets.

    Returns
    -------
    Profile
        The counts.

    Raises
    ------
    CircuitError
        A pathway that the network does not have.
    """
    if pathway not in network.edges:
        msg = (f"pathway: must be one of the network's, {', '.join(network.edges)} "
               f"(got {shown(pathway)})")
        raise CircuitError(msg)
    sources, targets = ends(network, pathway)
    chosen = np.arange(0, len(sources), max(1, len(sources) * len(targets) // pairs))
    edges, law = network.edges[pathway], law_of(network, pathway)
    edges_um = plain_numbers("edges_um", edges_um)
    counts = np.zeros((_PARTS, len(edges_um) - 1, 2), np.int64)
    means = np.zeros((_PARTS, len(edges_um) - 1, 3))
    over_rows(_PARTS, _sort, np.linspace(0, len(chosen), _PARTS + 1).astype(np.int64), chosen,
              sources, targets, len(set(pathway.split("->"))) == 1, network.side_um,
              images(network, law), (law.kind, law.constants, law.reach), edges.offsets,
              edges.targets, edges_um, counts, means)
    circuit = network.circuit
    if circuit is None or isinstance(circuit.pathways[pathway].wiring, FixedIndegree):
        means[:, :, :2] = np.nan
    pairs_, connected = counts.sum(axis=0).T
    expected, variance, away = means.sum(axis=0).T
    with np.errstate(invalid="ignore"):
        return Profile(edges_um, pairs_, connected, expected, variance, away / pairs_)


@compiled()
def _sort(start, stop, parts, chosen, sources, targets, same, side, images_, law, offsets, ids,
          edges, counts, means):
    top = edges[-1] * edges[-1]
    for part in range(start, stop):
        for one in range(parts[part], parts[part + 1]):
            source = chosen[one]
            at, end = offsets[source], offsets[source + 1]
            for target in range(targets.shape[0]):
                contacts = at < end and ids[at] == target
                while at < end and ids[at] == target:
                    at += 1
                if same and source == target:
                    continue
                dx = np.float64(targets[target, 0]) - np.float64(sources[source, 0])
                dy = np.float64(targets[target, 1]) - np.float64(sources[source, 1])
                dz = np.float64(targets[target, 2]) - np.float64(sources[source, 2])
                if images_ >= 0:
                    dx -= side * np.rint(dx / side)
                    dy -= side * np.rint(dy / side)
                    dz -= side * np.rint(dz / side)
                square = dx * dx + dy * dy + dz * dz
                if square >= top:
                    continue
                distance = np.sqrt(square)
                place = np.searchsorted(edges, distance, side="right") - 1
                if place < 0:
                    continue
                counts[part, place, 0] += 1
                counts[part, place, 1] += contacts
                p = _likely(dx, dy, dz, side, images_, law)
                means[part, place, 0] += p
                means[part, place, 1] += p * (1.0 - p)
                means[part, place, 2] += distance


@compiled()
def _likely(dx, dy, dz, side, images_, law):
    """Return the probability of a pair, summed over its images."""
    kind, constants, reach = law
    if images_ <= 0:
        return probability(kind, constants, reach, np.sqrt(dx * dx + dy * dy + dz * dz))
    total = 0.0
    for i in range(-images_, images_ + 1):
        for j in range(-images_, images_ + 1):
            for k in range(-images_, images_ + 1):
                square = (dx + i * side) ** 2 + (dy + j * side) ** 2 + (dz + k * side) ** 2
                if square < reach * reach:
                    total += probability(kind, constants, reach, np.sqrt(square))
    return min(1.0, total)
