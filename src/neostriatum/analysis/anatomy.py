"""The statistics of a network: how many partners its neurons have and how far away.

Neurons in the middle are told apart from those near the surface, which miss partners. Types are
pooled as the circuit says: SPN stands for dSPN and iSPN unless it says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.analysis.surface import near_surface
from neostriatum.analysis.tally import tally
from neostriatum.circuit.pathway import FixedIndegree
from neostriatum.circuit.pools import pools_of
from neostriatum.errors import CircuitError, shown
from neostriatum.network.law import rule
from neostriatum.units import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.network.network import Network

CENTRE_RADIUS = "75 um"
#: Told wherever both pools are there, with or without such pathways.
_ALWAYS = ("SPN->SPN", "FS->SPN", "FS->FS")
#: Marks of the neurons, as bits.
_CENTRE, _EDGE = 1, 2


def anatomy(network: Network, centre_radius: Any = CENTRE_RADIUS) -> dict[str, Any]:
    """Return counts and connection statistics of a network.

    Parameters
    ----------
    network : Network
        Built or loaded.
    centre_radius : str or quantity
        Somas this near to the centroid of all somas are the centre [um].

    Returns
    -------
    dict
        ``neurons``, ``synapses``, ``gap_junctions``, ``shape``, ``boundary``, ``volume_mm3``,
        ``bytes_per_synapse``; ``centre`` and ``edge``, each with ``neurons``, ``indegree``,
        ``outdegree``, ``gap_per_FS`` (and of every other type that has gap junctions),
        ``distance_um``. The edge is what lies within the longest
        range of the circuit's rules of the surface. In-degree and distance are over synapses into
        the neurons meant, by pair of pools that a pathway joins, out-degree over those from them,
        by pair of two pools; ``sd`` has n - 1 below. None stands
        where there is no such cell or synapse.

        A distance on a torus is that to the nearest image; where a law reaches several images, it
        is their mean, weighted by the law, as it is not kept which one connected a pair.

    Raises
    ------
    CircuitError
        A radius that is no positive length.

    Examples
    --------
    >>> import neostriatum as ns
    >>> made = anatomy(ns.build("striatum_v1", size=500), "50 um")
    >>> made["neurons"], made["edge"]["neurons"]
    ({'dSPN': 247, 'iSPN': 246, 'FS': 7}, {'SPN': 0, 'FS': 0})
    """
    radius, reach = length("centre_radius", centre_radius), longest_range(network)
    marks = np.where(_near_centroid(network, radius), _CENTRE, 0).astype(np.uint8)
    if reach is not None:
        marks |= np.where(near_surface(network, reach), _EDGE, 0).astype(np.uint8)
    held = sum(array.nbytes for edges in network.edges.values() for array in
               (edges.offsets, edges.targets, edges.delays, edges.weights) if array is not None)
    named = None if network.circuit is None else network.circuit.pools
    pools = pools_of(network.counts, named)
    counted = {pathway: _Counted(network, pathway, pools, marks)
               for pathway in _pathways(network, pools)}
    return {
        "neurons": network.counts,
        "synapses": {name: len(edges) for name, edges in network.edges.items()},
        "gap_junctions": len(network.gaps), "shape": network.shape,
        "boundary": "periodic" if network.periodic else "open",
        "volume_mm3": round(network.volume_mm3, 6),
        "bytes_per_synapse": round(held / network.synapses, 4) if network.synapses else None,
        "centre": {"radius_um": radius,
                   **_block(network, pools, marks & _CENTRE > 0, _CENTRE, counted)},
        "edge": {"range_um": reach,
                 **_block(network, pools, marks & _EDGE > 0, _EDGE, counted)},
    }


def longest_range(network: Network) -> float | None:
    """Return the longest finite range of the rules of a network's circuit [um], or None."""
    if network.circuit is None:
        return None
    wirings = {**{name: one.wiring for name, one in network.circuit.pathways.items()},
               **{name: one.wiring for name, one in network.circuit.gap_junctions.items()}}
    ranges = [(np.inf if wiring.within is None else wiring.within.value)
              if isinstance(wiring, FixedIndegree) else rule(name, wiring).reach
              for name, wiring in wirings.items()]
    return max((one for one in ranges if np.isfinite(one)), default=None)


class _Counted:
    """Degrees and distances of the pathways between two pools of types."""

    def __init__(self, network: Network, pathway: str, pools: dict[str, tuple[str, ...]],
                 marks: np.ndarray) -> None:
        sources, targets = (pools[name] for name in pathway.split("->"))
        ids = network.populations
        self.indegree = np.zeros(network.size, np.int64)
        self.outdegree = np.zeros(network.size, np.int64)
        self.sums = np.zeros((4, 3))
        for name, edges in network.edges.items():
            source, target = name.split("->")
            if source in sources and target in targets:
                here, there = ids[source], ids[target]
                made = tally(network, name, marks[there.start : there.stop])
                self.indegree[there.start : there.stop] += made.degrees
                self.outdegree[here.start : here.stop] += np.diff(edges.offsets)
                self.sums += made.sums


def _pathways(network: Network, pools: dict[str, tuple[str, ...]]) -> list[str]:
    """Return the pairs of pools that are told, ``"SPN->SPN"`` first as a circuit has it."""
    pool_of = {name: pool for pool, types in pools.items() for name in types}
    known = [name for name in _ALWAYS if set(name.split("->")) <= set(pools)]
    joined = ["->".join(pool_of[end] for end in name.split("->")) for name in network.edges]
    return list(dict.fromkeys([*known, *joined]))


def _block(network: Network, pools: dict[str, tuple[str, ...]], mine: np.ndarray, mark: int,
           counted: dict[str, _Counted]) -> dict[str, Any]:
    members = {pool: _of(network, types) & mine for pool, types in pools.items()}
    ends = {"FS", *(end for kind in network.junctions for end in kind.split("-"))}
    both = [n for n in range(4) if n & mark]
    return {
        "neurons": {pool: int(found.sum()) for pool, found in members.items()},
        "indegree": {name: _summary(counted[name].indegree[members[name.split("->")[1]]])
                     for name in counted},
        "outdegree": {name: _summary(counted[name].outdegree[members[name.split("->")[0]]])
                      for name in counted if len(set(name.split("->"))) == 2},
        **{f"gap_per_{name}": _summary(_junctions(network, name)[mine[ids.start : ids.stop]])
           for name, ids in {"FS": range(0), **network.populations}.items() if name in ends},
        "distance_um": {name: _of_sums(*counted[name].sums[both].sum(axis=0))
                        for name in counted},
    }


def _junctions(network: Network, name: str) -> np.ndarray:
    """Return how many gap junctions each neuron of a type has, of all kinds."""
    counts = np.zeros(network.counts.get(name, 0), np.int64)
    for kind, pairs in network.junctions.items():
        for end, ids in zip(kind.split("-"), pairs.T, strict=True):
            if end == name:
                counts += np.bincount(ids, minlength=len(counts))
    return counts


def _summary(values: np.ndarray) -> dict[str, float | None]:
    n = len(values)
    return {"mean": round(float(values.mean()), 4) if n else None,
            "sd": round(float(values.std(ddof=1)), 4) if n > 1 else None}


def _of_sums(n: float, once: float, twice: float) -> dict[str, float | None]:
    if np.isnan(once):
        return {"mean": None, "sd": None}  # from or to cells without places
    spread = max(0.0, twice - once * once / n) if n else 0.0
    return {"mean": round(once / n, 4) if n else None,
            "sd": round((spread / (n - 1.0)) ** 0.5, 4) if n > 1 else None}


def _of(network: Network, types: tuple[str, ...]) -> np.ndarray:
    """Return which neurons belong to a pool of types."""
    found = np.zeros(network.size, bool)
    for name, ids in network.populations.items():
        if name in types:
            found[ids.start : ids.stop] = True
    return found


def _near_centroid(network: Network, radius_um: float) -> np.ndarray:
    near, centroid = np.empty(network.size, bool), network.centroid_um
    for rows in _pieces(network.size):
        away = network.positions[rows] - centroid
        if network.periodic:
            away -= network.side_um * np.rint(away / network.side_um)
        near[rows] = (away**2).sum(axis=1) <= radius_um**2
    return near


def _pieces(size: int, step: int = 1 << 18) -> Iterator[slice]:
    """Yield slices that keep what is computed for them small."""
    for start in range(0, size, step):
        yield slice(start, start + step)


def length(where: str, said: Any) -> float:
    """Return a positive length [um], or raise CircuitError."""
    try:
        found = quantity(said, "um")
    except ValueError as error:
        msg = f"{where}: {error} (got {shown(said)})"
        raise CircuitError(msg) from None
    if found <= 0:
        msg = f"{where}: must be > 0 um (got {shown(said)})"
        raise CircuitError(msg)
    return found
