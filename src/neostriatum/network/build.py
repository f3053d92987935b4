"""Draw a network from a circuit, a size and a seed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.load import load
from neostriatum.circuit.pathway import FixedIndegree
from neostriatum.circuit.spread import LIMIT_SD, Size
from neostriatum.compile_clock import compile_seconds
from neostriatum.errors import BuildError, enough_memory
from neostriatum.network.afferents import AxonWiring
from neostriatum.network.cells import Cells
from neostriatum.network.connect import connect
from neostriatum.network.edges import Block, Edges, Lag
from neostriatum.network.estimate import refuse_what_cannot_fit, variation
from neostriatum.network.groups import axon_counts, check_channels, groups_of, shared_channels
from neostriatum.network.indegree import check_indegree
from neostriatum.network.law import rule
from neostriatum.network.network import Network
from neostriatum.network.place import place
from neostriatum.network.spreading import spread_delays
from neostriatum.network.volume import space
from neostriatum.network.weights import even_weights, weights
from neostriatum.network.wire import Box, wire
from neostriatum.rng import checked_seed, exp, stream, truncated_normals
from neostriatum.threads import using_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.pathway import Pathway
    from neostriatum.network.estimate import Estimate


@enough_memory()
def build(
    circuit: str | Circuit = "striatum",
    size: int | None = None,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Network:
    """Draw the network of a circuit.

    Parameters
    ----------
    circuit : str or Circuit
        What to build, or its name.
    size : int, optional
        Neurons in all, 10,000 unless given; the volume is size over density. A mesh has its own
        size and takes none.
    seed : int
        Master seed.
    threads : int, optional
        Threads to draw with; by default as many as there are cores.
    progress : callable, optional
        Called with the phase, "place" or "wire", and its share done, 0 to 1.

    Returns
    -------
    Network
        The same one for the same circuit, size and seed, at any number of threads.

    Raises
    ------
    BuildError
        Size below 1 or beside a mesh, more than the memory holds, no room at the minimum
        distance, a delay out of range, a fixed in-degree above the number of sources, a mesh that
        bounds no volume.
    LibraryMissing
        A mesh, and no library that reads it.

    Examples
    --------
    >>> build("striatum_v1", size=1000, seed=1).counts
    {'dSPN': 493, 'iSPN': 493, 'FS': 14}
    """
    circuit = load(circuit)
    started, compiled_s, seed = time.perf_counter(), compile_seconds(), checked_seed(seed)
    volume = space(circuit, size)
    guess, counts = refuse_what_cannot_fit(circuit, volume.size), circuit.counts(volume.size)
    _check_indegrees(circuit, counts)
    check_channels(circuit, counts)
    box = Box(volume.side, volume.periodic)
    tell = progress or (lambda phase, share: None)
    with using_threads(threads):
        tell("place", 0.0)
        positions = place(circuit, counts, volume, seed)
        tell("wire", 0.0)
        at, start = {}, 0
        for name, count in counts.items():
            # Cells without places are wired by rules that know no distance.
            at[name] = Cells.of(np.nan_to_num(positions[start : start + count]), volume.side)
            start += count
        axons = axon_counts(circuit, counts, volume.volume_um3 * 1e-9)
        groups = {name: groups_of(name, circuit.axons[name], count, volume.volume_um3 * 1e-9)
                  for name, count in axons.items()}
        edges, homes = _edges(at, AxonWiring(circuit, groups, positions, box, seed), guess, tell)
        junctions = _junctions(circuit, at, box, seed)
    of_axons = {name: edges.pop(name) for name in list(edges) if name.split("->")[0] in axons}
    return Network(seed, counts, box.side, box.periodic, positions, edges, junctions,
                   spread(circuit, counts, seed),
                   time.perf_counter() - started - (compile_seconds() - compiled_s), volume.shape,
                   volume.filled, circuit, axons, of_axons, homes)


def spread(circuit: Circuit, counts: dict[str, int],
           seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Draw how neurons differ, {type: {parameter: (n,)}}.

    Deviations are in the unit of the parameter; under ``size`` is a factor.
    """
    return {name: {parameter: _sizes(entry, counts[name], stream(seed, "size", name))
                   if isinstance(entry, Size) else entry.value * truncated_normals(
                       stream(seed, "spread", f"{name}.{parameter}"), counts[name])
                   for parameter, entry in parameters.items()}
            for name, parameters in circuit.spread.items()}


def _sizes(size: Size, n: int, key: tuple[int, int]) -> np.ndarray:
    return exp(size.sigma * truncated_normals(key, n, LIMIT_SD) - 0.5 * size.sigma**2)


def _check_indegrees(circuit: Circuit, counts: dict[str, int]) -> None:
    """Refuse what is impossible whatever the positions, before anything is drawn."""
    for name, pathway in circuit.pathways.items():
        source, target = name.split("->")
        if (isinstance(pathway.wiring, FixedIndegree) and counts[target]
                and source not in circuit.axons):
            eligible = counts[source] - (source == target)
            check_indegree(f"{circuit.name}: pathways.{name}", pathway.wiring.n, eligible)
            nearest = pathway.wiring.nearest
            if nearest is not None and nearest > eligible:
                msg = (f"{circuit.name}: pathways.{name}.wiring.nearest: must be at most the "
                       f"sources of a target (got {nearest} of {eligible}). Lower it, or take "
                       "more neurons")
                raise BuildError(msg)


def _edges(at: dict[str, Cells], axons: AxonWiring, guess: Estimate,
           tell: Callable[[str, float], None],
           ) -> tuple[dict[str, Edges], dict[str, np.ndarray]]:
    """Wire every pathway into one block, of which the edges are views; return homes too."""
    circuit, seed = axons.circuit, axons.seed
    total, done = max(1, sum(guess.synapses.values())), 0
    block, rows, ends = Block(_roomy(total)), dict[str, Any](), [0]
    for name, pathway in circuit.pathways.items():
        source, target = name.split("->")
        mine = guess.synapses[name]
        lag = Lag.of(f"{circuit.name}: pathways.{name}.delay", pathway.delay)

        def told(share: float, done: int = done, mine: int = mine) -> None:
            tell("wire", min(1.0, (done + share * mine) / total))

        if source in axons.groups:
            rows[name] = axons.connect(name, at[target].positions, block, lag)
            told(1.0)
        else:
            rows[name] = connect(name, pathway.wiring, at[source], at[target],
                                 _channels(axons, at, name), box=axons.box,
                                 key=stream(seed, "wire", name), block=block, lag=lag,
                                 same=source == target, tell=told)
        done += mine
        if rows[name].ndim == 1:
            ends.append(block.used)
    block.trim()
    homes = {name: rows.pop(name) for name in list(rows)
             if (source := name.split("->")[0]) in circuit.axons
             and not circuit.axons[source].identity}
    edges = {}
    for (name, offsets), start, stop in zip(rows.items(), ends[:-1], ends[1:], strict=True):
        pathway, targets = circuit.pathways[name], block.targets[start:stop]
        if pathway.delay.spread is not None:
            spread_delays(f"{circuit.name}: pathways.{name}.delay",
                          (offsets, targets, block.delays[start:stop]),
                          pathway.delay.spread.value, stream(seed, "delay", name))
        drawn = _weights(pathway, offsets, targets, stream(seed, "weight", name))
        edges[name] = Edges(offsets, targets, block.delays[start:stop], drawn)
    return edges, homes


def _weights(pathway: Pathway, offsets: np.ndarray, targets: np.ndarray,
             key: tuple[int, int]) -> np.ndarray | None:
    """Return how the synapses of a pathway differ, None where all are alike."""
    if not variation(pathway):
        return None
    if pathway.weight_spread is not None:
        return even_weights(offsets, targets, pathway.weight_spread.value, key)
    return weights(offsets, targets, variation(pathway), key)


def _channels(axons: AxonWiring, at: dict[str, Cells], name: str) -> tuple[np.ndarray, ...] | None:
    """Return the channels of the sources and of the targets of a pathway that keeps to them."""
    if not getattr(axons.circuit.pathways[name].wiring, "same_channel", False):
        return None
    return tuple(shared_channels(axons.circuit, end, len(at[end].positions), axons.seed)
                 for end in name.split("->"))


def _roomy(expected: int) -> int:
    """Return a capacity that the synapses will not exceed, or hardly."""
    return int(1.01 * expected + 6 * expected**0.5) + 1000


def _junctions(circuit: Circuit, at: dict[str, Cells], box: Box,
               seed: int) -> dict[str, np.ndarray]:
    """Return the coupled pairs of every kind; between cells of one type first < second."""
    pairs = {}
    for name, junctions in circuit.gap_junctions.items():
        first, second = name.split("-")
        block, same = Block(), first == second
        offsets = wire(at[first], at[second], rule(name, junctions.wiring), box,
                       stream(seed, "gap", name), block, Lag(f"gap_junctions.{name}"),
                       same=same, once=same)
        rows = np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))
        pairs[name] = np.stack([rows, block.targets[: block.used]], axis=1)
    return pairs
