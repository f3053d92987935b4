"""Paired recordings in a built network, as in a slice: draw two cells, see whether one contacts it.

The distances of the pairs that an experiment finds in the plane of a slice grow like the
circumference, with density 2 r / R^2 up to the largest distance R that it accepts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import uint32

from neostriatum import jit
from neostriatum.analysis.anatomy import length
from neostriatum.analysis.tally import ends
from neostriatum.caching import compiled
from neostriatum.errors import CircuitError, shown
from neostriatum.rng import checked_seed, stream
from neostriatum.threads import over_rows
from neostriatum.units import whole_number

if TYPE_CHECKING:
    from neostriatum.network.network import Network

#: Sources that are tried for a pair before there are none with a target near enough.
ATTEMPTS = 64


@dataclass(frozen=True)
class Recordings:
    """Directed pairs within ``within_um`` of which ``connected`` of ``tested`` had a synapse."""

    pathway: str
    within_um: float
    tested: int
    connected: int
    #: Distances of the somas [um], float64 (tested,).
    distances_um: np.ndarray
    #: Whether each pair had a synapse, bool (tested,).
    hits: np.ndarray

    @property
    def probability(self) -> float:
        """Share of the pairs that is connected."""
        return self.connected / self.tested


def pair_recordings(network: Network, pathway: str, within: Any = "50 um", pairs: int = 10_000,
                    seed: int = 1) -> Recordings:
    """Draw pairs of cells of a pathway and count those that are connected.

    Parameters
    ----------
    network : Network
        Where they are recorded.
    pathway : str
        ``"source->target"``; each pair is tested in this direction.
    within : str or quantity
        Largest distance of the somas [um]; on a torus, to the nearest image.
    pairs : int
        How many; each begins with a source drawn anew, and takes a target within reach with a
        probability that falls like 1 / r, which makes the density of distances 2 r / R^2.
    seed : int
        Seed of the draws.

    Returns
    -------
    Recordings
        The counts.

    Raises
    ------
    CircuitError
        No such pathway, a distance or number that is not positive, or no pair that near.

    Examples
    --------
    >>> import neostriatum as ns
    >>> made = pair_recordings(ns.build("striatum", size=2000), "iSPN->dSPN", "50 um", pairs=2000)
    >>> 0.138 < made.probability < 0.336  # the interval of Cinotti & Humphries 2022
    True
    """
    if pathway not in network.edges:
        msg = (f"pathway: must be one of the network's, {', '.join(network.edges)} "
               f"(got {shown(pathway)})")
        raise CircuitError(msg)
    pairs = whole_number("pairs", pairs, 1, 2**31 - 1)
    reach = length("within", within)
    sources, targets = ends(network, pathway)
    edges, same = network.edges[pathway], len(set(pathway.split("->"))) == 1
    connected, distances = np.zeros(pairs, bool), np.full(pairs, np.nan)
    if len(sources) and len(targets):
        over_rows(pairs, _record, stream(checked_seed(seed), "recording", pathway), sources,
                  targets, same, network.side_um if network.periodic else np.inf, reach,
                  edges.offsets, edges.targets, connected, distances)
    if np.isnan(distances).any():
        msg = f"within: must leave pairs of {pathway} to record (got {shown(within)})"
        raise CircuitError(msg)
    return Recordings(pathway, reach, pairs, int(connected.sum()), distances, connected)


def interval(connected: int, tested: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's interval of a counted probability, of 95 % unless ``z`` says otherwise.

    Examples
    --------
    >>> low, high = interval(8, 9)
    >>> round(low, 3), round(high, 3)
    (0.565, 0.98)
    """
    p, square = connected / tested, z * z / tested
    middle = (p + square / 2.0) / (1.0 + square)
    half = (p * (1.0 - p) * square + square * square / 4.0) ** 0.5 / (1.0 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


@compiled()
def _record(start, stop, key, sources, targets, same, side, reach, offsets, ids, connected,
            distances):
    k0, k1 = uint32(key[0]), uint32(key[1])
    for pair in range(start, stop):
        for attempt in range(ATTEMPTS):
            words = jit.philox(k0, k1, uint32(attempt), uint32(pair), uint32(0), uint32(0))
            source = (np.int64(words[0]) * sources.shape[0]) >> 32
            total = 0.0
            for target in range(targets.shape[0]):
                total += _chance(sources, source, targets, target, same, side, reach)
            if total == 0.0:
                continue
            left, last = jit.uniform53(words[1], words[2]) * total, -1
            for target in range(targets.shape[0]):
                chance = _chance(sources, source, targets, target, same, side, reach)
                if chance > 0.0:
                    last = target
                    left -= chance
                    if left < 0.0:
                        break
            distances[pair] = 1.0 / _chance(sources, source, targets, last, same, side, reach)
            row = ids[offsets[source] : offsets[source + 1]]
            at = np.searchsorted(row, last)
            connected[pair] = at < row.size and row[at] == last
            break


@compiled()
def _chance(sources, source, targets, target, same, side, reach):
    """Return 1 / distance [1/um], or 0 beyond the reach and for a neuron with itself."""
    if same and source == target:
        return 0.0
    square = 0.0
    for axis in range(3):
        away = abs(np.float64(targets[target, axis]) - np.float64(sources[source, axis]))
        away = min(away, abs(side - away))
        if away >= reach:
            return 0.0
        square += away * away
    # Somas without a minimum distance may coincide.
    return 1.0 / np.sqrt(max(square, 1e-6)) if square < reach * reach else 0.0
